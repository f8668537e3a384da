#include "profile/schema.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "bson/builder.h"
#include "mongo/live_testing.h"
#include "mongo/server_fixture_testing.h"

namespace holdfast::differential {
namespace {

using mongo::ServerKind;

constexpr int schemas = 60;
constexpr int documents_per_schema = 12;

std::uint64_t seed() {
  const char* given = std::getenv("HOLDFAST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20261126;
}

/// Schemas and documents that often, but not always, fit each other. There is no Decimal128 in
/// them: the stand-ins let any through minimum, maximum and multipleOf (docs/testing.md).
class RandomSchema {
 public:
  explicit RandomSchema(std::mt19937_64& random) : random_(random) {}

  std::string schema(int depth) {
    std::string words;
    const auto add = [&words](const std::string& word) {
      words += (words.empty() ? "" : ", ") + word;
    };
    if (below(3) == 0) add(fmt::format(R"("bsonType": {})", types()));
    if (below(6) == 0) add(R"("enum": [1, "abc", null, {"x": 1, "y": 2}, [1]])");
    if (below(4) == 0) {
      add(fmt::format(R"("minimum": {}{})", below(5),
                      below(2) == 0 ? R"(, "exclusiveMinimum": true)" : ""));
    }
    if (below(6) == 0) add(fmt::format(R"("maximum": {})", below(9)));
    if (below(8) == 0) add(R"("multipleOf": 2)");
    if (below(5) == 0) add(fmt::format(R"("minLength": {})", below(5)));
    if (below(5) == 0) add(fmt::format(R"("maxLength": {})", below(6)));
    if (below(8) == 0) add(R"("pattern": "^a")");
    if (below(6) == 0) add(fmt::format(R"("minItems": {})", below(3)));
    if (below(6) == 0) add(R"("uniqueItems": true)");
    if (depth > 0 && below(3) == 0) add(fmt::format(R"("items": {})", schema(depth - 1)));
    if (depth > 0 && below(6) == 0) add(fmt::format(R"("not": {})", schema(depth - 1)));
    if (depth > 0 && below(6) == 0) {
      constexpr const char* words_of[] = {"allOf", "anyOf", "oneOf"};
      add(fmt::format(R"("{}": [{}, {}])", words_of[below(3)], schema(depth - 1),
                      schema(depth - 1)));
    }
    if (depth > 0 && below(2) == 0) {
      add(fmt::format(R"("properties": {{"x": {}, "y": {}}})", schema(depth - 1),
                      schema(depth - 1)));
      if (below(3) == 0) add(R"("required": ["x"])");
      if (below(4) == 0) add(R"("additionalProperties": false)");
    }
    return "{" + words + "}";
  }

  std::string value(int depth) {
    constexpr const char* plain[] = {"1",
                                     "2",
                                     "4.0",
                                     "2.5",
                                     R"({"$numberLong": "3"})",

                                     R"("abc")",
                                     R"("قلیان")",
                                     R"("")",
                                     "null",
                                     "true",
                                     R"({"$date": "2026-01-01T00:00:00Z"})",
                                     "[]",
                                     "[1, 1.0]",
                                     "[1, 2, 3]",
                                     R"(["a", "ab"])"};
    if (depth <= 0 || below(3) != 0) return plain[below(std::size(plain))];
    std::string fields;
    for (const char* name : {"y", "x", "z"}) {
      if (below(2) == 0) continue;
      fields += fmt::format(R"({}"{}": {})", fields.empty() ? "" : ", ", name, value(depth - 1));
    }
    return below(4) == 0 ? fmt::format("[{}, {}]", value(depth - 1), value(depth - 1))
                         : "{" + fields + "}";
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  std::string types() {
    constexpr const char* names[] = {R"("int")",
                                     R"("number")",
                                     R"("string")",
                                     R"("object")",
                                     R"("array")",
                                     R"(["double", "null"])",
                                     R"(["int", "long", "string"])"};
    return names[below(std::size(names))];
  }
  std::mt19937_64& random_;
};

/// Whether the server's validator lets the document in; anything but error 121 throws.
bool server_accepts(mongo::Client& client, const bson::Document& document) {
  bson::Builder command;
  command.append_string("insert", "checked").begin_array("documents");
  command.append_document("0", document.view()).end();
  const auto reply = client.run("differential", std::move(command).finish().view());
  if (!reply.ok()) throw std::runtime_error(reply.error().message());
  const auto errors = reply->view().find("writeErrors");
  if (!errors) return true;
  const auto first = errors->as_document().find_document("0");
  if (first->find_integral("code") != 121) {
    throw std::runtime_error(mongo::to_text(reply->view()));
  }
  return false;
}

class SchemaDifferential : public testing::TestWithParam<ServerKind> {};

TEST_P(SchemaDifferential, verdicts_are_those_of_the_servers_validator) {
  HOLDFAST_START_SERVER(server, {.kind = GetParam()});
  const auto client = mongo::connect_to(server->uri());
  std::mt19937_64 random(seed());
  RandomSchema generate(random);
  int refused = 0;
  int compared = 0;
  for (int i = 0; i < schemas; ++i) {
    const std::string json = fmt::format(R"({{"properties": {{"v": {}, "w": {}}}}})",
                                         generate.schema(3), generate.schema(2));
    const auto schema = profile::Schema::parse(mongo::from_text(json).view());
    ASSERT_TRUE(schema.ok()) << json << ": " << schema.error().message();
    (void)client->run("differential", mongo::from_text(R"({"drop": "checked"})").view());
    mongo::run_text(
        *client, "differential",
        fmt::format(R"({{"create": "checked", "validator": {{"$jsonSchema": {}}}}})", json));
    for (int id = 0; id < documents_per_schema; ++id) {
      const bson::Document document = mongo::from_text(fmt::format(
          R"({{"_id": {}, "v": {}, "w": {}}})", id, generate.value(3), generate.value(2)));
      const bool mine = !schema->violation(document.view()).has_value();
      const bool theirs = server_accepts(*client, document);
      ++compared;
      refused += theirs ? 0 : 1;
      EXPECT_EQ(mine, theirs) << "HOLDFAST_SEED=" << seed() << "\nschema " << json << "\ndocument "
                              << mongo::to_text(document.view());
    }
  }
  EXPECT_GT(refused, compared / 10);
  EXPECT_LT(refused, compared * 9 / 10);
}

INSTANTIATE_TEST_SUITE_P(Servers, SchemaDifferential, testing::Values(ServerKind::any),
                         [](const auto&) { return std::string("any"); });

}  // namespace
}  // namespace holdfast::differential
