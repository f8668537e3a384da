#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "repository/checked_json.h"
#include "repository/key_file.h"
#include "repository/recovery_text.h"
#include "repository/repository_testing.h"

namespace holdfast::repository {
namespace {

using namespace testing;  // NOLINT: the helpers of this module
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Unlock unlock_with_recovery(ByteView text) {
  Unlock unlock;
  unlock.recovery_key = SecretBytes(text);
  return unlock;
}

std::vector<std::string> key_blobs(const TestPlace& place) {
  std::vector<std::string> names;
  for (const std::string& name : place.blobs->names()) {
    if (name.starts_with("keys/")) names.push_back(name);
  }
  return names;
}

/// Changes members of a checked JSON file as somebody would who can write it.
void edit(TestPlace& place, const std::string& name, const std::function<void(Json&)>& change) {
  auto json = decode_checked_json(name, *place.blobs->find(name));
  ASSERT_TRUE(json.ok());
  change(*json);
  place.blobs->overwrite(name, to_bytes(as_bytes(encode_checked_json(*json))));
}

class Keys : public ::testing::Test {
 protected:
  void SetUp() override {
    HOLDFAST_ASSERT_OK(InitOutcome outcome, place.init());
    recovery_text = std::move(outcome.recovery_key_text);
    HOLDFAST_ASSERT_OK(repository, place.open());
  }
  std::string id_of_kind(std::string_view kind) {
    const auto keys = repository->keys();
    for (const KeyInfo& key : *keys) {
      if (key.kind == kind) return key.id;
    }
    return "";
  }

  TestPlace place;
  std::optional<SecretBytes> recovery_text;
  std::unique_ptr<Repository> repository;
};

TEST_F(Keys, init_makes_the_given_key_and_a_recovery_key) {
  HOLDFAST_ASSERT_OK(const auto keys, repository->keys());
  EXPECT_THAT(keys, SizeIs(2));
  EXPECT_NE(id_of_kind("key-file"), "");
  EXPECT_NE(id_of_kind("recovery"), "");
  ASSERT_TRUE(recovery_text.has_value());
  HOLDFAST_EXPECT_OK(place.open(unlock_with_recovery(recovery_text->view())));
}

TEST_F(Keys, a_wrong_key_is_told_with_the_kinds_that_there_are) {
  for (const Unlock& unlock : {unlock_with(9), unlock_with_password("guess")}) {
    const auto opened = place.open(unlock);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code(), ErrorCode::wrong_key);
    EXPECT_THAT(opened.error().hint(), HasSubstr("key-file, recovery"));
  }
  const auto opened = place.open(Unlock{});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), ErrorCode::wrong_key);
  EXPECT_THAT(opened.error().hint(), HasSubstr("key-file, recovery"));
}

TEST_F(Keys, a_mistyped_recovery_key_is_not_taken_for_a_wrong_one) {
  std::string typed(as_text(recovery_text->view()));
  typed[6] = typed[6] == 'A' ? 'B' : 'A';
  const auto mistyped = place.open(unlock_with_recovery(as_bytes(typed)));
  ASSERT_FALSE(mistyped.ok());
  EXPECT_EQ(mistyped.error().code(), ErrorCode::wrong_key);
  EXPECT_THAT(mistyped.error().message(), HasSubstr("typo"));

  const SecretBytes other = testing::key_content(3);
  const SecretBytes another = repository::recovery_text(other.view().first(recovery_key_bytes));
  const auto wrong = place.open(unlock_with_recovery(another.view()));
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code(), ErrorCode::wrong_key);
  EXPECT_THAT(wrong.error().message(), HasSubstr("no key of this repository"));
}

TEST_F(Keys, more_are_added_and_removed) {
  HOLDFAST_ASSERT_OK(const SnapshotSummary summary, write_snapshot(*repository, {guests(3)}));
  HOLDFAST_ASSERT_OK(const auto password,
                     repository->add_key(unlock_with_password("correct horse"), false, "علی"));
  EXPECT_EQ(password.first.label, "علی");
  EXPECT_FALSE(password.second.has_value());
  HOLDFAST_ASSERT_OK(const auto recovery, repository->add_key({}, true, "safe"));
  ASSERT_TRUE(recovery.second.has_value());
  for (const Unlock& unlock :
       {unlock_with_password("correct horse"), unlock_with_recovery(recovery.second->view())}) {
    HOLDFAST_ASSERT_OK(const auto opened, place.open(unlock));
    HOLDFAST_ASSERT_OK(const auto reader, opened->open_snapshot(summary.id));
    HOLDFAST_ASSERT_OK(const auto documents, read_all(*reader, {"shop", "guests"}));
    EXPECT_THAT(documents, SizeIs(3));
  }
  HOLDFAST_EXPECT_OK(repository->remove_key(password.first.id));
  HOLDFAST_EXPECT_ERROR(ErrorCode::wrong_key, place.open(unlock_with_password("correct horse")));
  HOLDFAST_EXPECT_ERROR(ErrorCode::not_found, repository->remove_key(password.first.id));
  HOLDFAST_ASSERT_OK(const auto keys, repository->keys());
  EXPECT_THAT(keys, SizeIs(3));
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
  EXPECT_EQ(damage_text(report), "");
}

TEST_F(Keys, the_last_one_cannot_be_removed) {
  HOLDFAST_EXPECT_OK(repository->remove_key(id_of_kind("recovery")));
  HOLDFAST_EXPECT_ERROR(ErrorCode::precondition, repository->remove_key(id_of_kind("key-file")));
  HOLDFAST_EXPECT_OK(place.open());
}

TEST_F(Keys, a_removal_that_was_interrupted_holds_and_can_be_repeated) {
  const std::string id = id_of_kind("key-file");
  const std::string name = "keys/" + id + ".json";
  const Bytes file = *place.blobs->find(name);
  HOLDFAST_EXPECT_OK(repository->remove_key(id));
  place.blobs->overwrite(name, file);
  const auto opened = place.open();
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.error().message(), HasSubstr("was removed"));
  HOLDFAST_ASSERT_OK(const auto keys, repository->keys());
  EXPECT_THAT(keys, SizeIs(1));
  HOLDFAST_EXPECT_OK(repository->remove_key(id));
  EXPECT_FALSE(place.blobs->find(name).has_value());
}

TEST_F(Keys, a_lost_one_is_noticed_unless_it_was_removed) {
  HOLDFAST_ASSERT_OK(const SnapshotSummary summary, write_snapshot(*repository, {guests(3)}));
  const std::string id = id_of_kind("recovery");
  place.blobs->erase("keys/" + id + ".json");
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository, false));
  EXPECT_THAT(damage_text(report), HasSubstr("a key is missing"));
}

TEST_F(Keys, a_damaged_file_is_told_apart_from_a_wrong_key) {
  const std::string name = "keys/" + id_of_kind("key-file") + ".json";
  place.blobs->flip_bit(name, 30);
  const auto opened = place.open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), ErrorCode::corrupt);
  EXPECT_THAT(opened.error().message(), HasSubstr(name));
  HOLDFAST_ASSERT_OK(const auto other, place.open(unlock_with_recovery(recovery_text->view())));
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*other));
  EXPECT_THAT(damage_text(report), HasSubstr(name));
}

TEST_F(Keys, every_member_of_a_file_is_authenticated) {
  const std::string name = "keys/" + id_of_kind("key-file") + ".json";
  const Bytes original = *place.blobs->find(name);
  edit(place, name, [](Json& json) { json["label"] = "forged"; });
  HOLDFAST_EXPECT_ERROR(ErrorCode::wrong_key, place.open());
  place.blobs->overwrite(name, original);
  edit(place, name, [](Json& json) { json["created"] = 5; });
  HOLDFAST_EXPECT_ERROR(ErrorCode::wrong_key, place.open());
  place.blobs->overwrite(name, original);
  edit(place, name, [](Json& json) { json["kind"] = "recovery"; });
  HOLDFAST_EXPECT_ERROR(ErrorCode::wrong_key, place.open());
}

TEST_F(Keys, the_cost_of_a_password_is_bounded) {
  HOLDFAST_ASSERT_OK(const auto added,
                     repository->add_key(unlock_with_password("secret"), false, ""));
  const std::string name = "keys/" + added.first.id + ".json";
  for (const auto& [member, value] :
       {std::pair("memory_kib", std::int64_t{64} * 1024 * 1024),
        std::pair("memory_kib", std::int64_t{0}), std::pair("operations", std::int64_t{1000000}),
        std::pair("operations", std::int64_t{-1})}) {
    const Bytes original = *place.blobs->find(name);
    edit(place, name, [m = member, v = value](Json& json) { json[m] = v; });
    HOLDFAST_EXPECT_ERROR(ErrorCode::corrupt, place.open(unlock_with_password("secret")));
    place.blobs->overwrite(name, original);
  }
}

TEST_F(Keys, bad_ones_are_refused) {
  Unlock both = unlock_with(1);
  both.password = key_content(1);
  HOLDFAST_EXPECT_ERROR(ErrorCode::usage, place.open(both));
  Unlock short_file;
  short_file.key_file = SecretBytes(std::size_t{31});
  HOLDFAST_EXPECT_ERROR(ErrorCode::usage, repository->add_key(short_file, false, ""));
  HOLDFAST_EXPECT_ERROR(ErrorCode::usage, repository->add_key(unlock_with_password(""), false, ""));
  HOLDFAST_EXPECT_ERROR(ErrorCode::usage, repository->add_key({}, false, ""));
  HOLDFAST_EXPECT_ERROR(ErrorCode::usage, repository->add_key(unlock_with(3), true, ""));
}

TEST(Init, refuses_a_place_with_a_repository_or_other_things) {
  TestPlace place;
  HOLDFAST_EXPECT_OK(place.init());
  HOLDFAST_EXPECT_ERROR(ErrorCode::exists, place.init());
  TestPlace used;
  used.blobs->overwrite("photos/cat.jpg", {1, 2, 3});
  HOLDFAST_EXPECT_ERROR(ErrorCode::precondition, used.init());
}

TEST(Init, goes_over_the_leavings_of_an_interrupted_one) {
  TestPlace place;
  HOLDFAST_EXPECT_OK(place.init());
  place.blobs->erase("holdfast.json");
  const auto half = place.open();
  ASSERT_FALSE(half.ok());
  EXPECT_EQ(half.error().code(), ErrorCode::corrupt);
  EXPECT_THAT(half.error().message(), HasSubstr("the repository's header is missing"));
  EXPECT_THAT(half.error().hint(), HasSubstr("run init again"));
  HOLDFAST_EXPECT_OK(place.init());
  EXPECT_THAT(key_blobs(place), SizeIs(2)) << "the old keys are gone";
  HOLDFAST_ASSERT_OK(const auto repository, place.open());
  HOLDFAST_ASSERT_OK(const auto summary, write_snapshot(*repository, {guests(3)}));
  HOLDFAST_ASSERT_OK(const VerifyReport report, verify_all(*repository));
  EXPECT_EQ(damage_text(report), "");
}

TEST(Init, checks_its_options) {
  TestPlace place;
  blob::MemoryStore store(place.blobs);
  HOLDFAST_EXPECT_ERROR(ErrorCode::usage,
                        init_repository(store, {}, place.random, place.clock, cheap_cost()));
  InitOptions plain_with_key;
  plain_with_key.encrypt = false;
  plain_with_key.first_key = unlock_with(1);
  HOLDFAST_EXPECT_ERROR(ErrorCode::usage, init_repository(store, plain_with_key, place.random,
                                                          place.clock, cheap_cost()));
  EXPECT_THAT(place.blobs->names(), IsEmpty());
}

TEST(Open, tells_what_is_wrong_with_a_place) {
  TestPlace place;
  HOLDFAST_EXPECT_ERROR(ErrorCode::no_repository, place.open());
  place.blobs->overwrite("shop/snapshots/0123456789abcdef", {1});
  HOLDFAST_EXPECT_ERROR(ErrorCode::corrupt, place.open());
}

TEST(Open, refuses_a_key_where_nothing_is_encrypted) {
  TestPlace place(false);
  HOLDFAST_ASSERT_OK(const InitOutcome outcome, place.init());
  EXPECT_FALSE(outcome.recovery_key_text.has_value());
  HOLDFAST_EXPECT_ERROR(ErrorCode::precondition, place.open(unlock_with(1)));
  HOLDFAST_ASSERT_OK(const auto repository, place.open());
  HOLDFAST_EXPECT_ERROR(ErrorCode::precondition, repository->add_key(unlock_with(1), false, ""));
  HOLDFAST_EXPECT_ERROR(ErrorCode::precondition, repository->remove_key("0123456789abcdef"));
  HOLDFAST_ASSERT_OK(const auto keys, repository->keys());
  EXPECT_THAT(keys, IsEmpty());
}

TEST(Open, refuses_newer_formats_and_unknown_features) {
  TestPlace place;
  HOLDFAST_EXPECT_OK(place.init());
  const Bytes original = *place.blobs->find("holdfast.json");
  for (const auto& change : std::vector<std::function<void(Json&)>>{
           [](Json& json) { json["format"] = 2; },
           [](Json& json) { json["features"] = Json::array({"time-travel"}); },
           [](Json& json) { json["encryption"] = "rot13"; }}) {
    edit(place, "holdfast.json", change);
    const auto opened = place.open();
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code(), ErrorCode::unsupported);
    EXPECT_THAT(opened.error().hint(), HasSubstr("newer holdfast"));
    place.blobs->overwrite("holdfast.json", original);
  }
  edit(place, "holdfast.json", [](Json& json) { json["id"] = std::string(32, '0'); });
  HOLDFAST_EXPECT_ERROR(ErrorCode::wrong_key, place.open());
  edit(place, "holdfast.json", [](Json& json) { json["encryption"] = "none"; });
  HOLDFAST_EXPECT_ERROR(ErrorCode::precondition, place.open());
}

TEST(RecoveryText, comes_back_from_how_people_type_it) {
  SeededRandom random(4);
  const auto key = random.bytes<recovery_key_bytes>();
  const SecretBytes text = recovery_text(key);
  std::string typed;
  for (char c : as_text(text.view())) {
    if (c == '-') continue;
    if (c == '0') c = 'o';
    if (c == '1') c = 'l';
    typed += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    typed += typed.size() % 9 == 0 ? " \n" : "";
  }
  HOLDFAST_ASSERT_OK(const SecretBytes back, parse_recovery_text(as_bytes(typed)));
  EXPECT_TRUE(same_bytes(back.view(), key));
}

TEST(RecoveryText, every_single_typo_is_noticed) {
  SeededRandom random(6);
  const SecretBytes text = recovery_text(random.bytes<recovery_key_bytes>());
  const std::string right(as_text(text.view()));
  EXPECT_THAT(right, SizeIs(69));
  for (std::size_t at = 0; at < right.size(); ++at) {
    if (right[at] == '-') continue;
    for (const char c : {'0', '7', 'A', 'Z', 'U', '*'}) {
      if (c == right[at]) continue;
      std::string wrong = right;
      wrong[at] = c;
      EXPECT_FALSE(parse_recovery_text(as_bytes(wrong)).ok()) << wrong;
    }
  }
  EXPECT_FALSE(parse_recovery_text(as_bytes(right.substr(1))).ok());
  EXPECT_FALSE(parse_recovery_text(as_bytes(right + "A")).ok());
  EXPECT_FALSE(parse_recovery_text({}).ok());
}

}  // namespace
}  // namespace holdfast::repository
