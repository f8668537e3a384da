#include "dataset/memory_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bson/builder.h"

namespace holdfast {
namespace {

using ::testing::SizeIs;

bson::Document document(int id) {
  bson::Builder builder;
  builder.append_int32("_id", id);
  return std::move(builder).finish();
}

CollectionInfo collection(bool capped) {
  CollectionInfo info;
  info.ns = {"shop", capped ? "log" : "guests"};
  bson::Builder options;
  if (capped) options.append_bool("capped", true);
  info.options = std::move(options).finish();
  return info;
}

std::vector<int> ids(MemoryDataset& dataset, const Namespace& ns) {
  std::vector<int> found;
  auto cursor = dataset.open(ns).value();
  while (true) {
    const auto next = cursor->next();
    if (!next.ok() || !*next) return found;
    found.push_back((*next)->find("_id")->as_int32());
  }
}

TEST(MemoryDataset, gives_documents_by_key_and_capped_ones_as_inserted) {
  MemoryDataset dataset;
  for (const bool capped : {false, true}) {
    const CollectionInfo info = collection(capped);
    ASSERT_TRUE(dataset.create(info).ok());
    const bson::Document a = document(3);
    const bson::Document b = document(1);
    const auto refused = dataset.insert(info.ns, {a.view(), b.view()});
    ASSERT_TRUE(refused.ok());
    EXPECT_TRUE(refused->empty());
    EXPECT_EQ(ids(dataset, info.ns), capped ? (std::vector{3, 1}) : (std::vector{1, 3}));
  }
  EXPECT_THAT(dataset.catalog().value(), SizeIs(2));
}

TEST(MemoryDataset, refuses_what_a_server_refuses) {
  MemoryDataset dataset;
  const CollectionInfo info = collection(false);
  ASSERT_TRUE(dataset.create(info).ok());
  EXPECT_EQ(dataset.create(info).error().code(), ErrorCode::exists);
  const bson::Document one = document(1);
  bson::Builder same_number;
  same_number.append_double("_id", 1.0);
  const bson::Document again = std::move(same_number).finish();
  const bson::Document no_id;
  const auto refused = dataset.insert(info.ns, {one.view(), again.view(), no_id.view()});
  ASSERT_TRUE(refused.ok());
  EXPECT_THAT(*refused, SizeIs(2));
  EXPECT_EQ(ids(dataset, info.ns), std::vector{1});
  EXPECT_EQ(dataset.open({"no", "thing"}).error().code(), ErrorCode::not_found);
}

TEST(MemoryDataset, keeps_the_id_index_at_creation_and_adds_others) {
  MemoryDataset dataset;
  CollectionInfo info = collection(false);
  for (const char* name : {"_id_", "phone_1"}) {
    bson::Builder index;
    index.append_string("name", name);
    info.indexes.push_back(std::move(index).finish());
  }
  ASSERT_TRUE(dataset.create(info).ok());
  EXPECT_THAT(dataset.catalog().value().front().indexes, SizeIs(1));
  ASSERT_TRUE(dataset.create_indexes(info.ns, info.indexes).ok());
  EXPECT_EQ(dataset.catalog().value().front().indexes, info.indexes);
}

}  // namespace
}  // namespace holdfast
