#include "profile/expression.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "bson/builder.h"
#include "bson/extended_json.h"
#include "bson/order.h"
#include "differential/random_expression.h"
#include "mongo/live_testing.h"
#include "mongo/server_fixture_testing.h"

namespace holdfast::differential {
namespace {

using mongo::ServerKind;
using profile::Datum;

constexpr int documents = 30;
constexpr int expressions = 250;

/// HOLDFAST_SEED replays a run.
std::uint64_t seed() {
  const char* given = std::getenv("HOLDFAST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20261125;
}

struct Verdict {
  bool refused = false;
  std::optional<bson::Value> value;

  [[nodiscard]] std::string text() const {
    if (refused) return "refused";
    return value ? bson::to_json(value->view(), bson::JsonMode::canonical) : "missing";
  }
};

/// Rounding may differ in the last digits: the documentation promises none.
bool close(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b)) ||
         std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b));
}

bool same(bson::ValueView a, bson::ValueView b) {
  if (a.type() != b.type()) return false;
  if (a.type() == bson::Type::float64) return close(a.as_double(), b.as_double());
  if (a.type() != bson::Type::array && a.type() != bson::Type::document) {
    return bson::compare(a, b) == 0;
  }
  auto left = a.as_document().begin();
  auto right = b.as_document().begin();
  const auto left_end = a.as_document().end();
  const auto right_end = b.as_document().end();
  for (; left != left_end && right != right_end; ++left, ++right) {
    if (left->name != right->name || !same(left->value, right->value)) return false;
  }
  return left == left_end && right == right_end;
}

bool same(const Verdict& a, const Verdict& b) {
  if (a.refused != b.refused || a.value.has_value() != b.value.has_value()) return false;
  return !a.value || same(a.value->view(), b.value->view());
}

Verdict ours(const bson::Document& expression, const bson::Document& document) {
  profile::FieldNames fields;
  const auto parsed = profile::Expression::parse(*expression.view().find("e"), fields);
  if (!parsed.ok()) return {true, {}};
  profile::Evaluation evaluation(fields);
  evaluation.set_root(document.view());
  const Datum result = parsed->evaluate(evaluation);
  if (evaluation.failed()) return {true, {}};
  if (result.missing()) return {};
  return {false, result.to_value()};
}

Verdict servers(mongo::Client& client, const bson::Document& expression, int id) {
  bson::Builder command;
  command.append_string("aggregate", "documents").begin_array("pipeline");
  command.begin_document("0").begin_document("$match").append_int32("_id", id).end().end();
  command.begin_document("1").begin_document("$project").append_int32("_id", 0);
  // A constant by itself would mean that the field is included.
  command.begin_document("r").begin_array("$cond").append_bool("0", true);
  command.append("1", *expression.view().find("e")).append_null("2").end().end();
  command.end().end().end();
  command.begin_document("cursor").end();
  const auto reply = client.run("differential", std::move(command).finish().view());
  if (!reply.ok()) return {true, {}};
  const auto batch =
      reply->view().find_document("cursor")->find_document("firstBatch")->find_document("0");
  const auto found = batch ? batch->find("r") : std::nullopt;
  return found ? Verdict{false, bson::Value(*found)} : Verdict{};
}

class Differential : public testing::TestWithParam<ServerKind> {};

TEST_P(Differential, expressions_give_what_the_server_gives) {
  HOLDFAST_START_SERVER(server, {.kind = GetParam()});
  const auto client = mongo::connect_to(server->uri());
  std::mt19937_64 random(seed());
  RandomExpression generate(random);
  std::vector<bson::Document> stored;
  mongo::run_text(*client, "differential", R"({"drop": "documents"})");
  for (int id = 0; id < documents; ++id) {
    const std::string fields = generate.document();
    const std::string json =
        fmt::format(R"({{"_id": {}{}{}}})", id, fields.empty() ? "" : ", ", fields);
    mongo::run_text(*client, "differential",
                    fmt::format(R"({{"insert": "documents", "documents": [{}]}})", json));
    stored.push_back(mongo::from_text(json));
  }
  int compared = 0;
  for (int i = 0; i < expressions; ++i) {
    const std::string json = generate.expression(static_cast<int>(random() % 4));
    const bson::Document expression = mongo::from_text(fmt::format(R"({{"e": {}}})", json));
    for (int j = 0; j < 4; ++j) {
      const int id = static_cast<int>(random() % documents);
      const bson::Document& document = stored[static_cast<std::size_t>(id)];
      const Verdict mine = ours(expression, document);
      const Verdict theirs = servers(*client, expression, id);
      ++compared;
      if (same(mine, theirs)) continue;
      ADD_FAILURE() << "HOLDFAST_SEED=" << seed() << "\nexpression " << json << "\ndocument "
                    << mongo::to_text(document.view()) << "\nours " << mine.text() << "\nserver "
                    << theirs.text();
    }
  }
  EXPECT_EQ(compared, expressions * 4);
}

INSTANTIATE_TEST_SUITE_P(Servers, Differential, testing::Values(ServerKind::any),
                         [](const auto&) { return std::string("any"); });

}  // namespace
}  // namespace holdfast::differential
