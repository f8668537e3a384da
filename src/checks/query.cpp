#include <fmt/format.h>

#include <algorithm>

#include "bson/extended_json.h"
#include "bson/json_text.h"
#include "checks/query_internal.h"

namespace holdfast::checks {
namespace {

using profile::Rule;
using profile::RuleKind;

std::string json(const bson::Value& value) {
  return bson::to_json(value.view(), bson::JsonMode::relaxed);
}

std::string quoted(std::string_view text) {
  std::string out;
  bson::append_json_string(out, text);
  return out;
}

std::string collection_text(const std::string& name) {
  return fmt::format("db.getCollection({})", quoted(name));
}

std::string aggregate(const std::string& collection, const std::string& stages) {
  return fmt::format("{}.aggregate([{}])", collection_text(collection), stages);
}

/// An expression that is true where one document (or element) breaks the rule.
std::string broken(const Rule& rule) {
  std::string bad;
  if (rule.kind == RuleKind::expect) {
    bad = fmt::format(R"({{"$not": [{}]}})", json(*rule.expect));
  } else if (rule.tolerance == 0) {
    bad = fmt::format(R"({{"$ne": [{}, {}]}})", json(*rule.actual), json(*rule.equals));
  } else {
    bad = fmt::format(R"({{"$gt": [{{"$abs": {{"$subtract": [{}, {}]}}}}, {}]}})",
                      json(*rule.actual), json(*rule.equals), rule.tolerance);
  }
  if (rule.where) bad = fmt::format(R"({{"$and": [{}, {}]}})", json(*rule.where), bad);
  if (!rule.each) return bad;
  return fmt::format(
      R"({{"$anyElementTrue": {{"$map": {{"input": {}, "as": "each", "in": {}}}}}}})",
      json(*rule.each), bad);
}

std::string lookup_stages(const profile::View& view) {
  std::string stages;
  for (const auto& lookup : view.lookups) {
    const auto local = lookup.local.view();
    const auto foreign = lookup.foreign.view();
    const bool plain = local.type() == bson::Type::string && foreign.type() == bson::Type::string;
    if (plain) {
      stages += fmt::format(
          R"({{"$lookup": {{"from": {}, "localField": {}, "foreignField": {}, "as": {}}}}}, )",
          quoted(lookup.from), quoted(local.as_string().substr(1)),
          quoted(foreign.as_string().substr(1)), quoted(lookup.name));
    } else {
      // Keys may be arrays on either side: any common element joins.
      const auto keys = [](const bson::Value& value) {
        return fmt::format(R"({{"$cond": [{{"$isArray": [{0}]}}, {0}, [{0}]]}})", json(value));
      };
      stages += fmt::format(
          R"({{"$lookup": {{"from": {}, "let": {{"wanted": {}}}, "pipeline": [{{"$match": )"
          R"({{"$expr": {{"$ne": [{{"$setIntersection": ["$$wanted", {}]}}, []]}}}}}}], )"
          R"("as": {}}}}}, )",
          quoted(lookup.from), keys(lookup.local), keys(lookup.foreign), quoted(lookup.name));
    }
    if (lookup.one) {
      stages += fmt::format(R"({{"$set": {{{}: {{"$first": {}}}}}}}, )", quoted(lookup.name),
                            quoted("$" + lookup.name));
    }
  }
  return stages;
}

/// The rule's expression after its elements were unwound into the field "each".
std::string unwound(const std::string& expression) {
  std::string text = expression;
  for (std::size_t at = 0; (at = text.find("\"$$each", at)) != std::string::npos;)
    text.erase(at + 1, 1);
  return text;
}

std::string grouped(const Rule& rule, const std::string& collection) {
  std::string stages;
  if (rule.each) {
    stages +=
        fmt::format(R"({{"$set": {{"each": {}}}}}, {{"$unwind": "$each"}}, )", json(*rule.each));
  }
  if (rule.where)
    stages += fmt::format(R"({{"$match": {{"$expr": {}}}}}, )", unwound(json(*rule.where)));
  const bool unique = rule.kind == RuleKind::unique;
  const std::string value =
      unique ? R"({"$sum": 1})" : fmt::format(R"({{"$addToSet": {}}})", unwound(json(*rule.value)));
  stages +=
      fmt::format(R"({{"$group": {{"_id": {}, "found": {}, "ids": {{"$addToSet": "$_id"}}}}}}, )",
                  unwound(json(*rule.key)), value);
  stages += unique ? R"({"$match": {"_id": {"$ne": null}, "found": {"$gt": 1}}})"
                   : R"({"$match": {"_id": {"$ne": null}, "found.1": {"$exists": true}}})";
  return aggregate(collection, stages);
}

std::string one_sided(const Rule& rule) {
  return aggregate(
      rule.on,
      fmt::format(
          R"({{"$unwind": {}}}, {{"$lookup": {{"from": {}, "localField": {}, "foreignField": )"
          R"("_id", "as": "other"}}}}, {{"$match": {{"$expr": {{"$not": [{{"$in": ["$_id", )"
          R"({{"$ifNull": [{{"$first": {}}}, []]}}]}}]}}}}}})",
          quoted("$" + rule.field), quoted(rule.on), quoted(rule.field),
          quoted("$other." + rule.other)));
}

}  // namespace

std::string query_for(const profile::Profile& profile, const Rule& rule) {
  const std::string& collection = profile.collection_of(rule);
  switch (rule.kind) {
    case RuleKind::expect:
    case RuleKind::equals: break;
    case RuleKind::unique:
    case RuleKind::determines: return grouped(rule, collection);
    case RuleKind::ordered:
      return fmt::format(R"({}.find({{}}).sort({{{}: 1}}))", collection_text(collection),
                         rule.by->view().type() == bson::Type::string
                             ? quoted(rule.by->view().as_string().substr(1))
                             : "\"_id\"");
    case RuleKind::symmetric: return one_sided(rule);
    case RuleKind::count:
      return fmt::format("{}.countDocuments({{}})", collection_text(collection));
    case RuleKind::no_future:
    case RuleKind::between: return {};
  }
  const profile::View* view = profile.view(rule.on);
  if (view == nullptr) {
    return fmt::format(R"({}.find({{"$expr": {}}}))", collection_text(collection), broken(rule));
  }
  return aggregate(collection, fmt::format(R"({}{{"$match": {{"$expr": {}}}}})",
                                           lookup_stages(*view), broken(rule)));
}

std::string schema_query(const profile::CollectionProfile& collection) {
  return fmt::format(R"({}.find({{"$nor": [{{"$jsonSchema": {}}}]}}))",
                     collection_text(collection.name),
                     bson::to_json(collection.schema->view(), bson::JsonMode::relaxed));
}

std::string soft_query(const profile::CollectionProfile& collection) {
  return fmt::format(
      R"({}.find({{"$expr": {{"$ne": [{{"$gt": [{}, null]}}, {{"$gt": [{}, null]}}]}}}}))",
      collection_text(collection.name), quoted("$" + collection.soft_delete->at),
      quoted("$" + collection.soft_delete->by));
}

std::string reference_query(const std::string& collection, const profile::Reference& reference) {
  const std::string path = quoted("$" + reference.path);
  return aggregate(
      collection,
      fmt::format(
          R"({{"$set": {{"key": {{"$cond": [{{"$isArray": [{0}]}}, {0}, [{0}]]}}}}}}, )"
          R"({{"$unwind": "$key"}}, {{"$match": {{"key": {{"$ne": null}}}}}}, {{"$lookup": )"
          R"({{"from": {1}, "localField": "key", "foreignField": "_id", "as": "found"}}}}, )"
          R"({{"$match": {{"found": []}}}})",
          path, quoted(reference.to)));
}

}  // namespace holdfast::checks
