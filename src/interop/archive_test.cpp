#include "interop/archive.h"

#include <gtest/gtest.h>

#include <random>

#include "base/temporary_folder_testing.h"
#include "bson/generate_testing.h"
#include "interop/crc64.h"
#include "interop/dump_metadata.h"

namespace holdfast::interop {
namespace {

using bson::document_from_json;

/// Two collections and a view, with generated documents.
class Archive : public testing::Test {
 protected:
  Archive() {
    std::mt19937_64 random(7);
    for (const std::string name : {"users", "orders"}) {
      CollectionInfo info = bare_collection({"shop", name});
      catalog_.push_back(info);
      for (int i = 0; i < 30; ++i) {
        const auto id = bson::value_from_json(std::to_string(i));
        documents_[info.ns].push_back(bson::generate_document_with_id(random, id.view()));
      }
    }
    CollectionInfo view;
    view.ns = {"shop", "view"};
    view.type = CollectionType::view;
    view.options = document_from_json(R"({"viewOn":"users","pipeline":[]})");
    catalog_.push_back(view);
  }

  Bytes write() {
    Bytes bytes;
    auto writer = make_archive_writer(make_memory_sink(bytes), catalog_, "7.0.14-rc1");
    EXPECT_TRUE(writer.ok());
    for (std::size_t i = 0; i < 30; i += 10) {
      for (const auto& [ns, documents] : documents_) {
        std::vector<bson::DocumentView> batch;
        for (std::size_t j = i; j < i + 10; ++j) batch.push_back(documents[j].view());
        EXPECT_TRUE((*writer)->insert(ns, batch).ok());
      }
    }
    for (const CollectionInfo& info : catalog_) {
      EXPECT_TRUE((*writer)->create(info).ok());
      EXPECT_TRUE((*writer)->end_collection(info.ns).ok());
    }
    EXPECT_TRUE((*writer)->finish().ok());
    return bytes;
  }

  Result<std::unique_ptr<Shelf>> read(Bytes bytes, bool salvage = false) {
    HOLDFAST_TRY(auto shelf, Shelf::with_spool("archive", {folder_.path(), random_}));
    HOLDFAST_CHECK(
        read_archive(make_memory_source(std::move(bytes)), *shelf, {.salvage = salvage}));
    return shelf;
  }

  static std::vector<bson::Document> documents_of(Shelf& shelf, const Namespace& ns) {
    std::vector<bson::Document> documents;
    const auto cursor = shelf.open(ns);
    EXPECT_TRUE(cursor.ok());
    while (true) {
      const auto document = (*cursor)->next();
      EXPECT_TRUE(document.ok());
      if (!document.ok() || !*document) return documents;
      documents.emplace_back(**document);
    }
  }

  TemporaryFolder folder_;
  SystemRandom random_;
  std::vector<CollectionInfo> catalog_;
  std::map<Namespace, std::vector<bson::Document>> documents_;
};

TEST(Crc64, gives_the_check_value) {
  Crc64 sum;
  sum.add(as_bytes("1234"));
  sum.add(as_bytes("56789"));
  EXPECT_EQ(sum.value(), 0x995dc9bbdf1939faULL);
}

TEST_F(Archive, comes_back) {
  const auto shelf = read(write());
  ASSERT_TRUE(shelf.ok()) << shelf.error().message();
  EXPECT_EQ((*shelf)->catalog()->size(), 3U);
  EXPECT_EQ((*shelf)->server_version(), "7.0.14");
  for (const auto& [ns, documents] : documents_) {
    EXPECT_EQ(documents_of(**shelf, ns), documents) << ns.text();
  }
}

TEST_F(Archive, is_refused_wherever_it_is_cut) {
  const Bytes whole = write();
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    EXPECT_FALSE(read(Bytes(whole.begin(), whole.begin() + static_cast<long>(size))).ok()) << size;
  }
}

TEST_F(Archive, a_flipped_bit_of_its_documents_is_always_noticed) {
  const Bytes whole = write();
  std::mt19937_64 random(1);
  for (int i = 0; i < 200; ++i) {
    Bytes flipped = whole;
    // Behind the header, whose words may differ and still be words.
    const std::size_t at = 1200 + bson::pick_below(random, whole.size() - 1200);
    flipped[at] ^= static_cast<std::uint8_t>(1U << bson::pick_below(random, 8));
    const auto shelf = read(flipped);
    if (!shelf.ok()) continue;
    // Only words that no sum covers may change: the tool's notes on a segment's header.
    for (const auto& [ns, documents] : documents_) {
      EXPECT_EQ(documents_of(**shelf, ns), documents) << at;
    }
  }
}

TEST_F(Archive, salvage_keeps_all_but_the_damaged_document) {
  Bytes bytes = write();
  const Bytes& lost = documents_[{"shop", "users"}][13].bytes();
  const auto at = std::search(bytes.begin(), bytes.end(), lost.begin(), lost.end());
  ASSERT_NE(at, bytes.end());
  at[0] = at[1] = at[2] = 0x7f;
  EXPECT_FALSE(read(bytes).ok());
  const auto shelf = read(bytes, true);
  ASSERT_TRUE(shelf.ok()) << shelf.error().message();
  EXPECT_TRUE((*shelf)->incomplete());
  EXPECT_EQ(documents_of(**shelf, {"shop", "orders"}), (documents_[{"shop", "orders"}]));
  auto rest = documents_[{"shop", "users"}];
  rest.erase(rest.begin() + 13);
  EXPECT_EQ(documents_of(**shelf, {"shop", "users"}), rest);
}

TEST(PlainVersion, has_three_numbers) {
  EXPECT_EQ(plain_version("7.0.14"), "7.0.14");
  EXPECT_EQ(plain_version("8.2"), "8.2.0");
  EXPECT_EQ(plain_version("4.4.1-rc0-22-g"), "4.4.1");
  EXPECT_EQ(plain_version(""), "0.0.0");
}

TEST(Metadata, comes_back_byte_for_byte) {
  CollectionInfo info = bare_collection({"shop", "odd name/é"});
  info.uuid = Uuid{1, 2, 3};
  info.options = document_from_json(
      R"({"validator":{"a":{"$numberLong":"5"}},"collation":{"locale":"sv"},"size":1.0})");
  const auto back = read_metadata(write_metadata(info), {"shop", "?"});
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->ns, info.ns);
  EXPECT_EQ(back->uuid, info.uuid);
  EXPECT_EQ(back->options, info.options);
  EXPECT_EQ(back->indexes, info.indexes);
}

TEST(Metadata, of_older_tools_is_read) {
  const auto info = read_metadata(
      R"({"options":{"create":"c","capped":true,"size":1024},"indexes":[{"v":1,"key":{"_id":1},)"
      R"("name":"_id_","ns":"shop.c"}]})",
      {"shop", "c"});
  ASSERT_TRUE(info.ok());
  EXPECT_TRUE(info->capped());
  EXPECT_FALSE(info->options.view().find("create"));
  EXPECT_FALSE(info->indexes.front().view().find("ns"));
  EXPECT_FALSE(info->uuid);
}

TEST(Metadata, that_is_damaged_is_refused) {
  for (const std::string text : {"{", "[]", R"({"indexes":5})", R"({"indexes":[{"name":"x"}]})",
                                 R"({"uuid":"zz"})", R"({"collectionName":""})"}) {
    EXPECT_FALSE(read_metadata(text, {"a", "b"}).ok()) << text;
  }
}

}  // namespace
}  // namespace holdfast::interop
