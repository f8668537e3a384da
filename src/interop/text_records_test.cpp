#include "interop/text_records.h"

#include <gtest/gtest.h>

#include <random>

#include "base/temporary_folder_testing.h"
#include "bson/extended_json.h"
#include "bson/generate_testing.h"
#include "interop/csv_column.h"
#include "interop/text_writer.h"

namespace holdfast::interop {
namespace {

struct Reading {
  std::vector<bson::Document> documents;
  std::vector<BadRecord> bad;
};

class Texts : public testing::Test {
 protected:
  TextReadOptions options(Reading& reading) const {
    TextReadOptions options;
    options.ns = {"shop", "things"};
    options.on_bad_record = [&reading](const BadRecord& record) {
      reading.bad.push_back(record);
      return Status();
    };
    return options;
  }

  static void collect(Shelf& shelf, Reading& reading) {
    const auto cursor = shelf.open({"shop", "things"});
    ASSERT_TRUE(cursor.ok());
    while (true) {
      const auto document = (*cursor)->next();
      ASSERT_TRUE(document.ok());
      if (!*document) return;
      reading.documents.emplace_back(**document);
    }
  }

  Reading read_json_text(std::string_view text) {
    Reading reading;
    auto shelf = Shelf::with_spool("JSON", {folder_.path(), random_});
    EXPECT_TRUE(
        read_json(make_memory_source(to_bytes(as_bytes(text))), **shelf, options(reading)).ok());
    collect(**shelf, reading);
    return reading;
  }

  Reading read_csv_text(std::string_view text, const CsvReadOptions& csv) {
    Reading reading;
    auto shelf = Shelf::with_spool("CSV", {folder_.path(), random_});
    const Status read =
        read_csv(make_memory_source(to_bytes(as_bytes(text))), **shelf, options(reading), csv);
    EXPECT_TRUE(read.ok()) << read.error().message();
    collect(**shelf, reading);
    return reading;
  }

  static std::vector<std::string> shown(const Reading& reading) {
    std::vector<std::string> texts;
    for (const auto& one : reading.documents) {
      texts.push_back(bson::to_json(one.view(), bson::JsonMode::relaxed));
    }
    return texts;
  }

  static std::vector<std::uint64_t> bad_lines(const Reading& reading) {
    std::vector<std::uint64_t> lines;
    for (const BadRecord& one : reading.bad) lines.push_back(one.line);
    return lines;
  }

  TemporaryFolder folder_;
  SystemRandom random_;
};

using List = std::vector<std::string>;
using Lines = std::vector<std::uint64_t>;

TEST_F(Texts, json_comes_one_a_line_in_an_array_or_spread_out) {
  const List expected = {R"({"_id":1})", R"({"_id":2,"a":"}{\"["})"};
  EXPECT_EQ(shown(read_json_text("{\"_id\":1}\n{\"_id\":2,\"a\":\"}{\\\"[\"}\n")), expected);
  EXPECT_EQ(shown(read_json_text("[{\"_id\":1},\n {\"_id\":2,\"a\":\"}{\\\"[\"}]\n")), expected);
  EXPECT_EQ(
      shown(read_json_text("\xef\xbb\xbf{\n \"_id\" : 1\n}\n\n{\"_id\":2,\n\"a\":\"}{\\\"[\"}")),
      expected);
  EXPECT_TRUE(read_json_text("").documents.empty());
  EXPECT_TRUE(read_json_text(" [ ] ").documents.empty());
}

TEST_F(Texts, json_that_is_bad_is_named_by_its_line_and_the_rest_is_read) {
  const Reading reading = read_json_text(
      "{\"_id\":1}\n{\"_id\":2,\n\"a\":{\"$oid\":\"zz\"}}\nwords\n{\"_id\":3}\n{\"_id\":4\n");
  EXPECT_EQ(shown(reading), (List{R"({"_id":1})", R"({"_id":3})"}));
  EXPECT_EQ(bad_lines(reading), (Lines{2, 4, 6}));
  EXPECT_EQ(bad_lines(read_json_text("[{\"_id\":1}")), Lines{1});
  EXPECT_EQ(bad_lines(read_json_text("[{\"_id\":1}] {\"_id\":2}")), Lines{1});
}

TEST_F(Texts, every_document_comes_back_from_canonical_json) {
  std::mt19937_64 random(5);
  std::vector<bson::Document> documents;
  for (int i = 0; i < 300; ++i) {
    documents.push_back(bson::generate_document(random, {.json_safe = true}));
  }
  for (const bool array : {false, true}) {
    for (const bool pretty : {false, true}) {
      Bytes text;
      const auto writer =
          make_json_writer(make_memory_sink(text), {.array = array, .pretty = pretty});
      CollectionInfo info;
      ASSERT_TRUE(writer->create(info).ok());
      for (const auto& document : documents) {
        ASSERT_TRUE(writer->insert({}, {document.view()}).ok());
      }
      ASSERT_TRUE(writer->finish().ok());
      const Reading reading = read_json_text(as_text(text));
      EXPECT_TRUE(reading.bad.empty());
      EXPECT_EQ(reading.documents, documents);
    }
  }
}

TEST_F(Texts, csv_has_quotes_line_breaks_and_dotted_names) {
  const auto reading = read_csv_text("_id,a.b,a.c\r\n1,\"x,\"\"y\"\"\nz\",\r\n\n2,,last", {});
  EXPECT_EQ(shown(reading), (List{R"({"_id":"1","a":{"b":"x,\"y\"\nz","c":""}})",
                                  R"({"_id":"2","a":{"b":"","c":"last"}})"}));
}

TEST_F(Texts, csv_columns_have_types) {
  const CsvReadOptions csv{.fields = {"_id.int32()", "l.int64()", "d.double()", "b.boolean()",
                                      "at.date()", "x.binary(hex)", "any.auto()"}};
  const auto reading = read_csv_text(
      "1,9007199254740993,0.5,true,2026-03-20T12:30:00+03:30,00ff,007\n"
      "2147483648,1,1,true,2026-03-20T12:30:00Z,00,1\n"
      "3,1,1,maybe,2026-03-20T12:30:00Z,00,1\n"
      "4,1\n",
      csv);
  ASSERT_EQ(reading.documents.size(), 1U);
  EXPECT_EQ(
      bson::to_json(reading.documents[0].view(), bson::JsonMode::canonical),
      R"({"_id":{"$numberInt":"1"},"l":{"$numberLong":"9007199254740993"},)"
      R"("d":{"$numberDouble":"0.5"},"b":true,"at":{"$date":{"$numberLong":"1773997200000"}},)"
      R"("x":{"$binary":{"base64":"AP8=","subType":"00"}},"any":"007"})");
  EXPECT_EQ(bad_lines(reading), (Lines{2, 3, 4}));
}

TEST_F(Texts, blanks_can_be_left_out) {
  const CsvReadOptions csv{.fields = {"_id", "a.int32()"}, .ignore_blanks = true};
  EXPECT_EQ(shown(read_csv_text("1,\n", csv)), List{R"({"_id":"1"})"});
  EXPECT_EQ(bad_lines(read_csv_text("1,\n", {.fields = csv.fields})), Lines{1});
}

TEST_F(Texts, columns_that_contradict_are_refused) {
  EXPECT_FALSE(parse_csv_column("a.whole()").ok());
  EXPECT_FALSE(parse_csv_column("a..b").ok());
  Reading reading;
  auto shelf = Shelf::with_spool("CSV", {folder_.path(), random_});
  EXPECT_FALSE(
      read_csv(make_memory_source({}), **shelf, options(reading), {.fields = {"a", "a.b"}}).ok());
}

TEST_F(Texts, ids_are_made_for_documents_that_have_none) {
  Reading reading;
  auto shelf = Shelf::with_spool("JSON", {folder_.path(), random_});
  SystemClock clock;
  ObjectIdSource ids(clock, random_);
  auto with_ids = options(reading);
  with_ids.ids = &ids;
  ASSERT_TRUE(read_json(make_memory_source(to_bytes(as_bytes(R"({"a":1} {"_id":5} {"a":2})"))),
                        **shelf, with_ids)
                  .ok());
  collect(**shelf, reading);
  ASSERT_EQ(reading.documents.size(), 3U);
  const auto first = reading.documents[0].view().find("_id");
  const auto third = reading.documents[2].view().find("_id");
  EXPECT_EQ(first->type(), bson::Type::object_id);
  EXPECT_FALSE(first->identical(*third));
  EXPECT_EQ(reading.documents[1].view().find_integral("_id"), 5);
}

}  // namespace
}  // namespace holdfast::interop
