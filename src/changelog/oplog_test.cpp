#include "changelog/oplog.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "bson/extended_json.h"
#include "bson/generate_testing.h"

namespace holdfast::changelog {
namespace {

constexpr std::string_view uuid_json =
    R"({"$binary":{"base64":"AAAAAAAAAAAAAAAAAAAAAQ==","subType":"04"}})";

std::string at(int seconds, std::string_view rest) {
  return fmt::format(R"({{"ts":{{"$timestamp":{{"t":{},"i":1}}}},{}}})", seconds, rest);
}

std::string session(int number, int previous) {
  return fmt::format(R"("lsid":{{"id":{}}},"txnNumber":{{"$numberLong":"{}"}},)"
                     R"("prevOpTime":{{"ts":{{"$timestamp":{{"t":{},"i":0}}}},"t":1}},)",
                     uuid_json, number, previous);
}

std::string insert(int id) {
  return fmt::format(R"({{"op":"i","ns":"shop.a","ui":{},"o":{{"_id":{}}}}})", uuid_json, id);
}

std::string apply_ops(std::string_view operations, std::string_view more = "") {
  return fmt::format(R"("op":"c","ns":"admin.$cmd","o":{{"applyOps":[{}]{}}})", operations, more);
}

/// What a reader tells of these entries: "10 insert shop.a 1".
class Told {
 public:
  Status take(const std::string& entry) {
    return reader_.take(bson::document_from_json(entry).view(), [&](const OplogChange& change) {
      const Event& event = change.event;
      std::string line =
          fmt::format("{} {} {}.{}", event.time.seconds, static_cast<int>(event.kind),
                      event.database, event.collection);
      if (event.key) line += " " + bson::to_json(*event.key, bson::JsonMode::relaxed);
      if (event.kind == EventKind::rename) {
        line += fmt::format(" to {}.{}", event.to_database, event.to_collection);
      }
      lines_.push_back(line);
      return Status();
    });
  }
  Told& with(const std::string& entry) {
    const Status taken = take(entry);
    EXPECT_TRUE(taken.ok()) << entry << ": " << taken.error().message();
    return *this;
  }
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  [[nodiscard]] std::size_t open() const { return reader_.open_transactions(); }

 private:
  OplogReader reader_;
  std::vector<std::string> lines_;
};

using Lines = std::vector<std::string>;

ErrorCode refusal(const std::string& entry) {
  const Status taken = Told().take(entry);
  EXPECT_FALSE(taken.ok()) << entry;
  return taken.ok() ? ErrorCode::io : taken.error().code();
}

TEST(Oplog, tells_changes_of_documents) {
  Told told;
  told.with(at(10, R"("op":"i","ns":"shop.a","o":{"_id":1})"));
  told.with(at(11, R"("op":"u","ns":"shop.a","o":{"$v":2,"diff":{}},"o2":{"_id":1})"));
  told.with(at(12, R"("op":"u","ns":"shop.a","o":{"_id":1,"x":2},"o2":{"_id":1})"));
  told.with(at(13, R"("op":"d","ns":"shop.a.b","o":{"_id":1})"));
  EXPECT_EQ(told.lines(),
            (Lines{"10 1 shop.a 1", "11 2 shop.a 1", "12 3 shop.a 1", "13 4 shop.a.b 1"}));
}

TEST(Oplog, passes_over_what_says_nothing_of_the_data) {
  Told told;
  told.with(at(10, R"("op":"n","ns":"","o":{"msg":"periodic noop"})"));
  for (const std::string op : {"km", "ci", "cu", "cd"}) {
    told.with(at(11, R"("op":")" + op + R"(","ns":"shop.a","o":{"x":1})"));
  }
  for (const std::string command :
       {"startIndexBuild", "abortIndexBuild", "setMultikeyMetadata", "dropIdent"}) {
    told.with(at(12, R"("op":"c","ns":"shop.$cmd","o":{")" + command + R"(":"a"})"));
  }
  told.with(at(13, R"("op":"i","ns":"config.transactions","o":{"_id":1})"));
  told.with(at(14, R"("op":"c","ns":"config.$cmd","o":{"create":"x"})"));
  EXPECT_TRUE(told.lines().empty());
}

TEST(Oplog, tells_changes_of_the_catalog) {
  Told told;
  told.with(at(10, R"("op":"c","ns":"shop.$cmd","o":{"create":"a","idIndex":{}})"));
  told.with(at(11, R"("op":"c","ns":"shop.$cmd","o":{"createIndexes":"a","name":"x_1"})"));
  told.with(at(12, R"("op":"c","ns":"shop.$cmd","o":{"renameCollection":"shop.a","to":"shop.b"})"));
  told.with(at(13, R"("op":"c","ns":"shop.$cmd","o":{"drop":"b"})"));
  told.with(at(14, R"("op":"c","ns":"shop.$cmd","o":{"dropDatabase":1})"));
  EXPECT_EQ(told.lines(), (Lines{"10 5 shop.a", "11 9 shop.a", "12 7 shop.a to shop.b",
                                 "13 6 shop.b", "14 8 shop."}));
}

TEST(Oplog, a_small_transaction_is_one_entry) {
  Told told;
  told.with(at(10, session(1, 0) + apply_ops(insert(1) + "," + insert(2))));
  EXPECT_EQ(told.lines(), (Lines{"10 1 shop.a 1", "10 1 shop.a 2"}));
  EXPECT_EQ(told.open(), 0U);
}

TEST(Oplog, a_large_transaction_is_visible_at_its_last_entry) {
  Told told;
  told.with(at(10, session(1, 0) + apply_ops(insert(1), R"(,"partialTxn":true)")));
  told.with(at(11, session(1, 10) + apply_ops(insert(2), R"(,"partialTxn":true)")));
  told.with(at(12, R"("op":"i","ns":"shop.a","o":{"_id":9})"));
  EXPECT_EQ(told.lines(), Lines{"12 1 shop.a 9"});
  EXPECT_EQ(told.open(), 1U);
  told.with(at(13, session(1, 11) + apply_ops(insert(3), R"(,"count":3)")));
  EXPECT_EQ(told.lines(),
            (Lines{"12 1 shop.a 9", "13 1 shop.a 1", "13 1 shop.a 2", "13 1 shop.a 3"}));
  EXPECT_EQ(told.open(), 0U);
}

TEST(Oplog, a_prepared_transaction_waits_for_its_commit) {
  Told told;
  told.with(at(10, session(1, 0) + apply_ops(insert(1), R"(,"prepare":true)")));
  EXPECT_TRUE(told.lines().empty());
  told.with(at(15, session(1, 10) + R"("op":"c","ns":"admin.$cmd","o":{"commitTransaction":1,)"
                                    R"("commitTimestamp":{"$timestamp":{"t":13,"i":1}}})"));
  EXPECT_EQ(told.lines(), Lines{"13 1 shop.a 1"});
}

TEST(Oplog, aborted_and_incomplete_transactions_change_nothing) {
  Told told;
  told.with(at(10, session(1, 0) + apply_ops(insert(1), R"(,"prepare":true)")));
  told.with(at(11, session(1, 10) + R"("op":"c","ns":"admin.$cmd","o":{"abortTransaction":1})"));
  told.with(at(12, session(2, 0) + apply_ops(insert(2), R"(,"partialTxn":true)")));
  EXPECT_TRUE(told.lines().empty());
  EXPECT_EQ(told.open(), 1U);
}

TEST(Oplog, a_transaction_that_began_earlier_is_refused) {
  EXPECT_EQ(refusal(at(10, session(1, 9) + apply_ops(insert(1)))), ErrorCode::corrupt);
  EXPECT_EQ(
      refusal(at(10, session(1, 9) + R"("op":"c","ns":"admin.$cmd","o":{"commitTransaction":1,)"
                                     R"("commitTimestamp":{"$timestamp":{"t":9,"i":1}}})")),
      ErrorCode::corrupt);
}

TEST(Oplog, vectored_inserts_and_plain_apply_ops_happen_at_once) {
  Told told;
  told.with(at(10, session(1, 5) + R"("multiOpType":1,)" + apply_ops(insert(1) + "," + insert(2))));
  told.with(
      at(11, apply_ops(R"({"op":"c","ns":"admin.$cmd","o":{"applyOps":[)" + insert(3) + "]}}")));
  EXPECT_EQ(told.lines(), (Lines{"10 1 shop.a 1", "10 1 shop.a 2", "11 1 shop.a 3"}));
}

TEST(Oplog, what_nobody_knows_is_refused_by_name) {
  EXPECT_EQ(refusal(at(10, R"("op":"c","ns":"shop.$cmd","o":{"convertToCapped":"a"})")),
            ErrorCode::unsupported);
  EXPECT_EQ(refusal(at(10, R"("op":"zz","ns":"shop.a","o":{"_id":1})")), ErrorCode::unsupported);
}

TEST(Oplog, malformed_entries_are_refused) {
  for (const std::string entry :
       {R"("op":"i","ns":"shop.a","o":{"x":1})", R"("op":"i","ns":"shop.a")",
        R"("ns":"shop.a","o":{})", R"("op":"u","ns":"shop.a","o":{"$v":2,"diff":{}})",
        R"("op":"c","ns":"shop.$cmd","o":{})", R"("op":"c","ns":"shop.$cmd","o":{"drop":5})",
        R"("op":"c","ns":"shop.$cmd","o":{"applyOps":5})"}) {
    EXPECT_EQ(refusal(at(10, entry)), ErrorCode::corrupt) << entry;
  }
  EXPECT_EQ(refusal(R"({"op":"n","o":{}})"), ErrorCode::corrupt);
  Told told;
  told.with(at(10, R"("op":"n","o":{})"));
  EXPECT_FALSE(told.take(at(9, R"("op":"n","o":{})")).ok());
}

}  // namespace
}  // namespace holdfast::changelog
