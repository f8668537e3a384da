#include "checks/check.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/temporary_folder_testing.h"
#include "bson/builder.h"
#include "bson/extended_json.h"
#include "bson/generate_testing.h"
#include "checks/join_key.h"
#include "dataset/memory_dataset.h"

namespace holdfast::checks {
namespace {

class Checks : public testing::Test {
 protected:
  void put(const std::string& collection, std::initializer_list<std::string_view> documents) {
    for (const std::string_view json : documents) put(collection, bson::document_from_json(json));
  }
  void put(const std::string& collection, const bson::Document& document) {
    CollectionInfo info;
    info.ns = {"shop", collection};
    (void)data_.create(info);
    const auto refused = data_.insert(info.ns, {document.view()});
    ASSERT_TRUE(refused.ok() && refused->empty());
  }

  CheckReport check(const std::string& yaml, std::uint64_t memory_bytes = 64U << 20U) {
    const auto profile = profile::parse_profile(yaml, "test.yaml");
    EXPECT_TRUE(profile.ok()) << (profile.ok() ? "" : profile.error().message());
    CheckOptions options;
    options.database = "shop";
    options.now_ms = 1'790'000'000'000;
    options.memory_bytes = memory_bytes;
    options.folder = folder_.path();
    SystemRandom random;
    SilentProgress progress;
    auto report = run_checks(data_, *profile, options, random, progress, {});
    EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().message());
    return std::move(report).value();
  }

  /// "rule: violations/checked [id, id]" a finding, in order.
  static std::string told(const CheckReport& report) {
    std::string text;
    for (const Finding& finding : report.findings) {
      text += fmt::format("{}: {}/{} [", finding.rule, finding.violations, finding.checked);
      for (std::size_t i = 0; i < finding.examples.size(); ++i) {
        text += (i == 0 ? "" : ", ") +
                bson::to_json(finding.examples[i].id.view(), bson::JsonMode::relaxed);
      }
      text += "]\n";
    }
    return text;
  }

  MemoryDataset data_;
  TemporaryFolder folder_;
};

TEST_F(Checks, names_documents_that_break_an_expression) {
  put("orders", {R"({"_id": 1, "n": 3, "l": [1, 2]})", R"({"_id": 2, "n": 4, "l": [1, 2]})",
                 R"({"_id": 3, "n": 9, "l": 1, "draft": true})", R"({"_id": 4, "n": "x"})"});
  const auto report = check(R"(
profile: shop
collections: {orders: }
rules:
  - {id: total, on: orders, where: {$ne: [$draft, true]}, expect: {$eq: [$n, {$sum: $l}]},
     sentence: s}
  - {id: number, on: orders, severity: warning, expect: {$gt: [{$add: [$n, 1]}, 0]}, sentence: s}
)");
  EXPECT_EQ(told(report), "total: 2/3 [2, 4]\nnumber: 1/4 [4]\n");
  const Example& example = report.findings[0].examples[0];
  EXPECT_EQ(bson::to_json(example.expected->view(), bson::JsonMode::relaxed), "3");
  EXPECT_EQ(bson::to_json(example.actual->view(), bson::JsonMode::relaxed), "4");
  EXPECT_NE(report.findings[1].examples[0].note.find("cannot be evaluated"), std::string::npos);
  EXPECT_EQ(report.findings[0].query,
            R"(db.getCollection("orders").find({"$expr": {"$and": [{"$ne":["$draft",true]}, )"
            R"({"$not": [{"$eq":["$n",{"$sum":"$l"}]}]}]}}))");
}

TEST_F(Checks, tolerates_what_it_is_told_to) {
  put("orders", {R"({"_id": 1, "a": 10, "b": 10.9, "s": {"$date": "2026-01-01T00:00:00Z"},
                     "e": {"$date": "2026-01-01T04:59:00Z"}})",
                 R"({"_id": 2, "a": 10, "b": {"$numberDecimal": "11.01"},
                     "s": {"$date": "2026-01-01T00:00:00Z"},
                     "e": {"$date": "2026-01-01T05:00:01Z"}})"});
  const auto report = check(R"(
profile: shop
collections: {orders: }
rules:
  - {id: sum, on: orders, actual: $a, equals: $b, tolerance: 1, sentence: s}
  - {id: time, on: orders, actual: $s, equals: $e, tolerance: 5h, sentence: s}
)");
  EXPECT_EQ(told(report), "sum: 1/2 [2]\ntime: 1/2 [2]\n");
}

TEST_F(Checks, compares_documents_with_each_other) {
  put("orders", {R"({"_id": 1, "k": 1, "u": "a", "at": 5, "no": "A1"})",
                 R"({"_id": 2, "k": 1.0, "u": "b", "at": 4, "no": "A2"})",
                 R"({"_id": 3, "k": {"$numberDecimal": "1.00"}, "u": "a", "at": 7, "no": "A4"})",
                 R"({"_id": 4, "k": null, "at": 6, "no": "A3"})", R"({"_id": 5, "no": "A0"})"});
  const auto report = check(R"(
profile: shop
collections:
  orders:
    unique: [{fields: [k]}]
rules:
  - {id: one-user, on: orders, determines: {key: $k, value: $u}, sentence: s}
  - {id: rising, on: orders, ordered: {by: $at, value: $no}, sentence: s}
  - {id: many, on: orders, count: {least: 6}, sentence: s}
)");
  EXPECT_EQ(told(report),
            "unique.orders.k: 3/3 [1, 2, 3]\none-user: 1/3 [2]\nrising: 1/4 [1]\n"
            "many: 1/1 [null]\n");
}

TEST_F(Checks, follows_references_in_any_order_of_collections) {
  put("a", {R"({"_id": 1, "b": [{"r": 1}, {"r": 9}], "self": 2})", R"({"_id": 2, "self": 8})"});
  put("b", {R"({"_id": 1.0, "a": 1})", R"({"_id": 2, "a": 7})", R"({"_id": 3, "a": null})"});
  const std::string yaml = R"(
profile: shop
collections:
  a: {references: [{path: b.r, to: b}, {path: self, to: a}]}
  b: {references: [{path: a, to: a}]}
)";
  const std::string expected =
      "reference.a.b.r: 1/2 [1]\nreference.a.self: 1/2 [2]\nreference.b.a: 1/2 [2]\n";
  EXPECT_EQ(told(check(yaml)), expected);
  EXPECT_EQ(told(check(yaml, 1)), expected);
}

TEST_F(Checks, sees_links_that_only_one_side_knows) {
  put("users", {R"({"_id": 1, "to": [2, 3], "from": []})", R"({"_id": 2, "to": [], "from": [1]})",
                R"({"_id": 3, "to": [], "from": [2]})"});
  const auto report = check(R"(
profile: shop
collections: {users: }
rules:
  - {id: links, on: users, symmetric: {field: to, other: from}, sentence: s}
)");
  EXPECT_EQ(told(report), "links: 2/4 [1, 3]\n");
}

TEST_F(Checks, finds_dates_after_now_wherever_they_are) {
  put("users", {R"({"_id": 1, "x": [{"y": {"$date": "2026-09-21T14:30:00Z"}}]})",
                R"({"_id": 2, "x": [{"y": {"$date": "2026-09-21T13:00:00Z"}}]})",
                R"({"_id": 3, "due": {"$date": "2030-01-01T00:00:00Z"}})"});
  const auto report = check(R"(
profile: shop
collections: {users: }
rules:
  - {id: future, on: users, no_future: {except: [due]}, sentence: s}
)");
  EXPECT_EQ(told(report), "future: 1/3 [1]\n");
  EXPECT_EQ(report.findings[0].examples[0].note, "x.0.y");
}

TEST_F(Checks, reports_schemas_soft_deletion_and_the_catalog) {
  put("users", {R"({"_id": 1, "n": 1, "at": 1, "by": 2})", R"({"_id": 2, "n": "x", "at": 1})"});
  const auto report = check(R"(
profile: shop
collections:
  users:
    schema: {properties: {n: {bsonType: int}}}
    soft_delete: {at: at, by: by}
    indexes: [{key: {n: 1}, unique: true}]
  gone: {required: true}
)");
  EXPECT_EQ(told(report),
            "required.gone: 1/1 []\nschema.users: 1/2 [2]\nsoft_delete.users: 1/2 [2]\n"
            "index.users: 1/1 [{\"n\":1}]\n");
}

constexpr std::string_view joins = R"(
profile: shop
collections: {orders: , payments: , products: }
views:
  whole:
    of: orders
    with:
      product: {from: products, local: $p, foreign: $_id, one: true, keep: [price]}
      payments: {from: payments, local: $_id, foreign: $order, keep: [amount]}
      parts: {from: products, local: $parts, foreign: $codes, keep: [price]}
rules:
  - {id: price, on: whole, actual: $total, equals: $product.price, sentence: s}
  - {id: paid, on: whole, actual: {$sum: $payments.amount}, equals: $total, sentence: s}
  - {id: each, on: whole, each: $payments, each_of: payments, expect: {$gt: [$$each.amount, 0]},
     sentence: s}
  - {id: parts, on: whole, actual: {$size: $parts}, equals: {$size: $parts.price}, sentence: s}
  - {id: some, on: whole, expect: {$gt: [{$size: $parts}, 0]}, sentence: s}
)";

TEST_F(Checks, joins_collections_by_any_key) {
  put("products", {R"({"_id": 1, "price": 5, "codes": ["x", "y"]})",
                   R"({"_id": 2, "price": 7, "codes": ["y"]})"});
  put("orders", {R"({"_id": 10, "p": 1, "total": 5, "parts": ["y"]})",
                 R"({"_id": 11, "p": 2, "total": 8, "parts": ["x", "z"]})",
                 R"({"_id": 12, "p": 3, "total": 1, "parts": []})"});
  put("payments",
      {R"({"_id": 1, "order": 10, "amount": 2})", R"({"_id": 2, "order": 10, "amount": 3})",
       R"({"_id": 3, "order": 11.0, "amount": -8})", R"({"_id": 4, "order": 99, "amount": -1})"});
  const std::string expected =
      "price: 2/3 [11, 12]\npaid: 2/3 [11, 12]\neach: 1/3 [3]\nsome: 1/3 [12]\n";
  EXPECT_EQ(told(check(std::string(joins))), expected);
  EXPECT_EQ(told(check(std::string(joins), 1)), expected) << "with tables that are too small";
}

TEST_F(Checks, gives_the_same_answer_whatever_the_memory) {
  const std::uint64_t seed = 20261125;
  std::mt19937_64 random(seed);
  for (int i = 0; i < 3000; ++i) {
    bson::Builder order;
    order.append_int32("_id", i).append_int32("p", static_cast<std::int32_t>(random() % 2000));
    order.append_int32("total", static_cast<std::int32_t>(random() % 3));
    order.begin_array("parts").append_int32("0", static_cast<std::int32_t>(random() % 5000)).end();
    put("orders", std::move(order).finish());
    bson::Builder payment;
    payment.append_int32("_id", i).append_int32("order",
                                                static_cast<std::int32_t>(random() % 3000));
    payment.append_int32("amount", static_cast<std::int32_t>(random() % 3));
    put("payments", std::move(payment).finish());
    if (i >= 1500) continue;
    bson::Builder product;
    product.append_int32("_id", i).append_int32("price", static_cast<std::int32_t>(random() % 3));
    product.begin_array("codes").append_int32("0", i).append_int32("1", i + 1000).end();
    put("products", std::move(product).finish());
  }
  const auto large = told(check(std::string(joins)));
  EXPECT_NE(large.find("price: "), std::string::npos);
  EXPECT_EQ(told(check(std::string(joins), 1)), large) << "seed " << seed;
}

TEST_F(Checks, holds_two_states_against_each_other) {
  put("orders", {R"({"_id": 1, "n": 5})", R"({"_id": 2, "n": 6})", R"({"_id": 4, "n": 7})"});
  MemoryDataset earlier;
  CollectionInfo info;
  info.ns = {"shop", "orders"};
  ASSERT_TRUE(earlier.create(info).ok());
  for (const auto* json :
       {R"({"_id": 1.0, "n": 4})", R"({"_id": 2, "n": 6})", R"({"_id": 3, "n": 9})"}) {
    const bson::Document document = bson::document_from_json(json);
    ASSERT_TRUE(earlier.insert(info.ns, {document.view()}).ok());
  }
  const auto profile = profile::parse_profile(R"(
profile: shop
collections: {orders: }
rules:
  - {id: same, on: orders, between: {$eq: [$$before.n, $$after.n]}, sentence: s}
  - {id: kept, on: orders, where: {$gt: [$$before._id, null]},
     between: {$gt: [$$after._id, null]}, sentence: s}
)",
                                              "test.yaml");
  ASSERT_TRUE(profile.ok()) << profile.error().message();
  CheckOptions options;
  options.database = "shop";
  CheckReport report;
  ASSERT_TRUE(run_between(earlier, data_, *profile, options, report, {}).ok());
  EXPECT_EQ(told(report), "same: 3/4 [1, 3, 4]\nkept: 1/3 [3]\n");
}

TEST_F(Checks, masks_personal_values) {
  put("users", {R"({"_id": "me@example.org", "phone": "0912", "kind": "x"})"});
  const std::string yaml = R"(
profile: shop
collections: {users: {personal: [phone]}}
rules:
  - {id: phone, on: users, actual: $phone, equals: "1", sentence: s}
  - {id: kind, on: users, actual: $kind, equals: y, sentence: s}
)";
  const auto profile = profile::parse_profile(yaml, "test.yaml");
  auto report = check(yaml);
  std::string shown;
  for (Finding& finding : report.findings) {
    mask_personal(finding, *profile);
    const Example& example = finding.examples[0];
    shown += bson::to_json(example.id.view(), bson::JsonMode::relaxed) +
             bson::to_json(example.actual->view(), bson::JsonMode::relaxed) + " ";
  }
  EXPECT_EQ(shown, R"("…""…" "…""x" )");
}

TEST_F(Checks, refuses_a_database_that_is_not_there) {
  const auto profile = profile::parse_profile("profile: shop\ncollections: {users: }", "p");
  CheckOptions options;
  options.database = "other";
  SystemRandom random;
  SilentProgress progress;
  const auto report = run_checks(data_, *profile, options, random, progress, {});
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code(), ErrorCode::not_found);
}

TEST(JoinKey, is_equal_where_mongodb_is) {
  const auto key = [](std::string_view json) {
    Bytes bytes;
    append_join_key(bytes, profile::Datum(bson::value_from_json(json).view()));
    return bytes;
  };
  EXPECT_EQ(key("1"), key("1.0"));
  EXPECT_EQ(key("0.5"), key(R"({"$numberDecimal": "0.50"})"));
  EXPECT_EQ(key(R"({"$numberDecimal": "0.1"})"), key(R"({"$numberDecimal": "0.10"})"));
  EXPECT_NE(key("0.1"), key(R"({"$numberDecimal": "0.1"})"));
  EXPECT_EQ(key(R"({"a": 1})"), key(R"({"a": {"$numberLong": "1"}})"));
  EXPECT_NE(key(R"("1")"), key("1"));
  EXPECT_NE(key(R"(["ab", "c"])"), key(R"(["a", "bc"])"));
}

}  // namespace
}  // namespace holdfast::checks
