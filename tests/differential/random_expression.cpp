#include "differential/random_expression.h"

#include <fmt/format.h>

namespace holdfast::differential {
namespace {

constexpr const char* numbers[] = {"0",
                                   "1",
                                   "-3",
                                   "7",
                                   "2147483647",
                                   "-2147483648",
                                   R"({"$numberLong": "5"})",
                                   R"({"$numberLong": "9223372036854775807"})",
                                   "1.5",
                                   "-0.25",
                                   "2.5",
                                   "1e10",
                                   R"({"$numberDecimal": "0.1"})",
                                   R"({"$numberDecimal": "-12.50"})",
                                   R"({"$numberDecimal": "3"})"};
/// Divisors; and elements of arrays: the stand-ins refuse sums that overflow a long.
constexpr const char* moderate[] = {"1",
                                    "-3",
                                    "7",
                                    "2147483647",
                                    R"({"$numberLong": "5"})",
                                    "1.5",
                                    "-0.25",
                                    R"({"$numberDecimal": "-12.50"})",
                                    R"({"$numberDecimal": "3"})"};
constexpr const char* texts[] = {R"("")",       R"("abc")", R"("Abc")", R"("قلیان")",
                                 R"("a,b,,c")", R"(" x ")", R"("42")"};
constexpr const char* dates[] = {
    R"({"$date": "2026-03-20T20:30:00Z"})", R"({"$date": "2020-02-29T23:59:59.999Z"})",
    R"({"$date": "1969-12-31T12:00:00Z"})", R"({"$date": "2021-09-22T00:00:00Z"})"};
constexpr const char* others[] = {"null",
                                  "true",
                                  "false",
                                  R"({"$oid": "65d1b2c3d4e5f60718293a4b"})",
                                  R"({"x": 1, "y": {"z": 2}})",
                                  "[1, 2, 3]",
                                  "[]"};
constexpr const char* zones[] = {"UTC", "Asia/Tehran", "+03:30", "America/New_York"};
constexpr const char* units[] = {"year", "quarter", "month",  "week",       "day",
                                 "hour", "minute",  "second", "millisecond"};

}  // namespace

std::string RandomExpression::document() {
  std::string fields;
  const auto add = [&fields](const char* name, const std::string& value) {
    fields += fmt::format(R"(, "{}": {})", name, value);
  };
  // Sometimes a field is missing, or of another type than its name suggests.
  if (below(8) != 0) add("n", pick(numbers));
  if (below(8) != 0) add("m", pick(numbers));
  if (below(8) != 0) add("t", pick(texts));
  if (below(8) != 0) add("d", pick(dates));
  if (below(4) != 0) add("e", pick(dates));
  if (below(8) != 0) {
    std::string items;
    for (std::size_t i = below(5); i > 0; --i) {
      items += fmt::format("{}{}", items.empty() ? "" : ", ", pick(moderate));
    }
    add("a", "[" + items + "]");
  }
  if (below(8) != 0) {
    std::string items;
    for (std::size_t i = below(4); i > 0; --i) {
      items += fmt::format(R"({}{{"n": {}, "t": {}}})", items.empty() ? "" : ", ", pick(moderate),
                           pick(texts));
    }
    add("h", "[" + items + "]");
  }
  if (below(2) == 0) add("o", R"({"x": 1, "y": {"z": [1, 2]}})");
  if (below(2) == 0) add("q", pick(others));
  return fields.empty() ? "" : fields.substr(2);
}

std::string RandomExpression::expression(int depth) {
  switch (below(6)) {
    case 0: return number(depth);
    case 1: return truth(depth);
    case 2: return array(depth);
    case 3: return text(depth);
    case 4: return date(depth);
    default: return value(depth);
  }
}

std::string RandomExpression::value(int depth) {
  if (depth <= 0) {
    constexpr const char* paths[] = {R"("$n")",
                                     R"("$t")",
                                     R"("$d")",
                                     R"("$a")",
                                     R"({"$map": {"input": "$h", "in": "$$this.n"}})",
                                     R"("$o.y.z")",
                                     R"("$q")",
                                     R"("$absent")",
                                     R"("$h")"};
    return below(3) == 0 ? fmt::format(R"({{"$literal": {}}})", pick(others)) : pick(paths);
  }
  switch (below(5)) {
    case 0:
      return fmt::format(R"({{"$cond": [{}, {}, {}]}})", truth(depth - 1), expression(depth - 1),
                         expression(depth - 1));
    case 1:
      return fmt::format(R"({{"$ifNull": [{}, {}]}})", expression(depth - 1),
                         expression(depth - 1));
    case 2: return fmt::format(R"({{"$type": {}}})", expression(depth - 1));
    case 3:
      return fmt::format(
          R"({{"$switch": {{"branches": [{{"case": {}, "then": {}}}], "default": {}}}}})",
          truth(depth - 1), expression(depth - 1), expression(depth - 1));
    default:
      return fmt::format(
          R"({{"$let": {{"vars": {{"v": {}}}, "in": [{{"$ifNull": ["$$v", null]}}, {}]}}}})",
          expression(depth - 1), expression(depth - 1));
  }
}

std::string RandomExpression::number(int depth) {
  if (depth <= 0) {
    if (loops_ > 0 && below(2) == 0) return R"("$$this")";
    return below(3) == 0 ? pick(numbers) : below(2) == 0 ? R"("$n")" : R"("$m")";
  }
  switch (below(12)) {
    case 0: return fmt::format(R"({{"$add": [{}, {}]}})", number(depth - 1), number(depth - 1));
    case 1:
      return fmt::format(R"({{"$subtract": [{}, {}]}})", number(depth - 1), number(depth - 1));
    case 2:
      return fmt::format(R"({{"$multiply": [{}, {}]}})", number(depth - 1), number(depth - 1));
    case 3: return fmt::format(R"({{"$divide": [{}, {}]}})", number(depth - 1), pick(moderate));
    case 4: return fmt::format(R"({{"$mod": [{}, {}]}})", number(0), pick(moderate));
    case 5: return fmt::format(R"({{"$sum": {}}})", array(depth - 1));
    case 6: return fmt::format(R"({{"$size": {}}})", array(depth - 1));
    case 7:
      return fmt::format(R"({{"$reduce": {{"input": "$a", "initialValue": 0, )"
                         R"("in": {{"$add": ["$$value", "$$this"]}}}}}})");
    case 8: return fmt::format(R"({{"$strLenCP": {}}})", text(depth - 1));
    case 9:
      return fmt::format(R"({{"$dateDiff": {{"startDate": {}, "endDate": {}, "unit": "{}", )"
                         R"("timezone": "{}"}}}})",
                         date(depth - 1), date(depth - 1), pick(units), pick(zones));
    case 10: {
      constexpr const char* parts[] = {"$year",   "$month",     "$dayOfMonth",   "$dayOfWeek",
                                       "$hour",   "$dayOfYear", "$isoDayOfWeek", "$isoWeek",
                                       "$minute", "$week",      "$isoWeekYear",  "$second"};
      return fmt::format(R"({{"{}": {{"date": {}, "timezone": "{}"}}}})", pick(parts),
                         date(depth - 1), pick(zones));
    }
    default: {
      constexpr const char* unary[] = {"$abs", "$ceil", "$floor", "$trunc"};
      return fmt::format(R"({{"{}": {}}})", pick(unary), number(depth - 1));
    }
  }
}

std::string RandomExpression::truth(int depth) {
  if (depth <= 0) return below(2) == 0 ? "true" : R"({"$gt": ["$n", "$m"]})";
  switch (below(8)) {
    case 0: return fmt::format(R"({{"$and": [{}, {}]}})", truth(depth - 1), truth(depth - 1));
    case 1: return fmt::format(R"({{"$or": [{}, {}]}})", truth(depth - 1), truth(depth - 1));
    case 2: return fmt::format(R"({{"$not": [{}]}})", expression(depth - 1));
    case 3: return fmt::format(R"({{"$in": [{}, {}]}})", number(depth - 1), array(depth - 1));
    case 4: return fmt::format(R"({{"$anyElementTrue": [{}]}})", array(depth - 1));
    case 5: return fmt::format(R"({{"$allElementsTrue": [{}]}})", array(depth - 1));
    case 6:
      return fmt::format(R"({{"$setIsSubset": [{}, {}]}})", array(depth - 1), array(depth - 1));
    default: {
      constexpr const char* comparisons[] = {"$eq", "$ne", "$lt", "$lte", "$gt", "$gte"};
      return fmt::format(R"({{"{}": [{}, {}]}})", pick(comparisons), expression(depth - 1),
                         expression(depth - 1));
    }
  }
}

std::string RandomExpression::array(int depth) {
  if (depth <= 0) {
    constexpr const char* paths[] = {R"("$a")", R"({"$map": {"input": "$h", "in": "$$this.n"}})",
                                     R"({"$map": {"input": "$h", "in": "$$this.t"}})",
                                     R"("$o.y.z")", "[1, 2.5, 3]"};
    return pick(paths);
  }
  ++loops_;
  std::string result;
  switch (below(6)) {
    case 0:
      result = fmt::format(R"({{"$map": {{"input": "$a", "in": {}}}}})", number(depth - 1));
      break;
    case 1:
      result = fmt::format(R"({{"$filter": {{"input": "$a", "cond": {{"$gt": ["$$this", {}]}}}}}})",
                           number(depth - 1));
      break;
    case 2:
      result = fmt::format(R"({{"$slice": ["$a", {}]}})", static_cast<int>(below(5)) - 2);
      if (result.find(", 0]") != std::string::npos) result = R"("$a")";
      break;
    case 3: result = R"({"$reverseArray": "$a"})"; break;
    case 4:
      --loops_;
      return fmt::format(R"({{"$concatArrays": [{}, {}]}})", array(depth - 1), array(depth - 1));
    default: --loops_; return fmt::format(R"([{}, {}])", expression(depth - 1), number(depth - 1));
  }
  --loops_;
  return result;
}

std::string RandomExpression::text(int depth) {
  if (depth <= 0) return below(2) == 0 ? R"("$t")" : pick(texts);
  switch (below(6)) {
    case 0: return fmt::format(R"({{"$concat": [{}, {}]}})", text(depth - 1), text(depth - 1));
    case 1: return fmt::format(R"({{"$toUpper": {}}})", text(depth - 1));
    case 2: return fmt::format(R"({{"$toLower": {}}})", text(depth - 1));
    case 3:
      return fmt::format(R"({{"$substrCP": [{}, {}, {}]}})", text(depth - 1), below(3), below(4));
    case 4:
      return fmt::format(R"({{"$arrayElemAt": [{{"$split": [{}, ","]}}, 0]}})", text(depth - 1));
    default:
      return fmt::format(
          R"({{"$dateToString": {{"date": {}, "format": "%Y-%m-%d %H:%M:%S.%L %j %u", )"
          R"("timezone": "{}"}}}})",
          date(depth - 1), pick(zones));
  }
}

std::string RandomExpression::date(int depth) {
  if (depth <= 0) return below(3) == 0 ? pick(dates) : below(2) == 0 ? R"("$d")" : R"("$e")";
  switch (below(2)) {
    case 0:
      return fmt::format(R"({{"$dateAdd": {{"startDate": {}, "unit": "{}", "amount": {}, )"
                         R"("timezone": "{}"}}}})",
                         date(depth - 1), pick(units), static_cast<int>(below(30)) - 10,
                         pick(zones));
    default:
      return fmt::format(R"({{"$dateTrunc": {{"date": {}, "unit": "{}", "timezone": "{}"}}}})",
                         date(depth - 1), pick(units), pick(zones));
  }
}

}  // namespace holdfast::differential
