#include "smokava/traffic_targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "bson/builder.h"
#include "dataset/types.h"
#include "smokava/seed.h"

namespace holdfast::smokava {
namespace {

/// So many places in a collection are looked at, and so many neighbours taken there.
constexpr std::uint64_t probes = 40;
constexpr std::int32_t ids_per_probe = 400;

ObjectId to_object_id(bson::ValueView value) {
  ObjectId id;
  std::ranges::copy(value.as_object_id(), id.bytes.begin());
  return id;
}

std::uint32_t seconds_of(const ObjectId& id) {
  std::uint32_t seconds = 0;
  for (unsigned i = 0; i < 4; ++i) seconds = (seconds << 8U) | id.bytes[i];
  return seconds;
}

/// Seconds in which ids were made: first <= second < end.
struct Span {
  std::uint64_t first = 0;
  std::uint64_t end = std::uint64_t{1} << 32U;
};

void append_bound(bson::Builder& out, std::string_view name, std::uint64_t second) {
  ObjectId id;
  for (unsigned i = 0; i < 4; ++i)
    id.bytes[i] = static_cast<std::uint8_t>(second >> (24U - 8U * i));
  out.append_object_id(name, id);
}

/// Some ids of that span, in natural order. Without a sort and with both bounds, because a server
/// may gather all that matches before it looks at the limit.
Result<std::vector<ObjectId>> read_ids(mongo::Client& client, const Namespace& ns,
                                       const std::optional<Span>& span, std::int32_t limit) {
  bson::Builder command;
  command.append_string("find", ns.collection);
  if (span) {
    command.begin_document("filter").begin_document("_id");
    append_bound(command, "$gte", span->first);
    append_bound(command, "$lt", std::min(span->end, (std::uint64_t{1} << 32U) - 1));
    command.end().end();
  }
  command.begin_document("projection").append_int32("_id", 1).end();
  command.append_int32("limit", limit).append_int32("batchSize", limit);
  command.append_bool("singleBatch", true);
  const auto document = std::move(command).finish();
  HOLDFAST_TRY(const auto reply, client.run(ns.database, document.view()));
  std::vector<ObjectId> ids;
  const auto cursor = reply.view().find_document("cursor");
  const auto batch = cursor ? cursor->find_document("firstBatch") : std::nullopt;
  if (!batch) return ids;
  for (const auto& element : *batch) {
    const auto id = element.value.as_document().find("_id");
    if (id && id->type() == bson::Type::object_id) ids.push_back(to_object_id(*id));
  }
  return ids;
}

Result<std::uint64_t> count_documents(mongo::Client& client, const Namespace& ns) {
  bson::Builder command;
  command.append_string("count", ns.collection);
  const auto document = std::move(command).finish();
  HOLDFAST_TRY(const auto reply, client.run(ns.database, document.view()));
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, reply.view().find_integral("n").value_or(0)));
}

/// From about the oldest id (the first in natural order) to the newest. Looks back from now in
/// growing steps, so that no more than about half of the collection is ever matched.
Result<Span> find_span(mongo::Client& client, const Namespace& ns) {
  HOLDFAST_TRY(const auto first, read_ids(client, ns, {}, 1));
  Span span;
  if (!first.empty()) span.first = seconds_of(first.front());
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto top =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count()) +
      3600;
  span.end = top;
  for (std::uint64_t back = 7200; back < top - std::min(top, span.first); back *= 2) {
    HOLDFAST_TRY(const auto some, read_ids(client, ns, Span{top - back, top}, 1));
    if (!some.empty()) break;
    span.end = top - back;
  }
  return span;
}

/// Neighbours at many places, far apart.
Result<std::vector<ObjectId>> sample_ids(mongo::Client& client, const Namespace& ns, Dice& dice) {
  HOLDFAST_TRY(const auto documents, count_documents(client, ns));
  if (documents <= probes * ids_per_probe) {
    return read_ids(client, ns, {}, probes * ids_per_probe);
  }
  HOLDFAST_TRY(const auto span, find_span(client, ns));
  const auto seconds = span.end - std::min(span.first, span.end - 1);
  const auto window = std::max<std::uint64_t>(1, seconds * ids_per_probe / documents);
  std::vector<ObjectId> ids;
  for (std::uint64_t i = 0; i < probes; ++i) {
    const auto from = span.first + seconds * i / probes + dice.below(seconds / probes + 1);
    HOLDFAST_TRY(const auto some, read_ids(client, ns, Span{from, from + window}, ids_per_probe));
    ids.insert(ids.end(), some.begin(), some.end());
  }
  return ids;
}

}  // namespace

Result<TrafficTargets> TrafficTargets::read(mongo::Client& client, const std::string& database,
                                            std::uint64_t seed) {
  TrafficTargets targets;
  Dice dice(seed, Topic::traffic, ~std::uint64_t{0});
  for (const auto name : collection_names()) {
    auto& ids = targets.ids_[std::string(name)];
    HOLDFAST_TRY(ids, sample_ids(client, {database, std::string(name)}, dice));
    std::ranges::sort(ids);
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  }
  if (targets.of("userpackages").empty()) {
    return Error(ErrorCode::precondition,
                 fmt::format("the database \"{}\" holds no Smokava data", database),
                 "seed it first: holdfast smokava seed");
  }
  return targets;
}

TrafficTargets TrafficTargets::share_of(unsigned thread, unsigned threads) const {
  TrafficTargets share;
  for (const auto& [name, ids] : ids_) {
    auto& mine = share.ids_[name];
    std::ranges::copy_if(ids, std::back_inserter(mine),
                         [&](const ObjectId& id) { return owns(id, thread, threads); });
  }
  return share;
}

bool TrafficTargets::owns(const ObjectId& id, unsigned thread, unsigned threads) {
  const auto head = load_little_endian<std::uint64_t>(id.bytes.data());
  const auto tail = load_little_endian<std::uint32_t>(id.bytes.data() + 8);
  return scramble(head ^ scramble(tail)) % threads == thread;
}

const std::vector<ObjectId>& TrafficTargets::of(std::string_view collection) const {
  static const std::vector<ObjectId> none;
  const auto found = ids_.find(collection);
  return found == ids_.end() ? none : found->second;
}

const ObjectId* TrafficTargets::pick(std::string_view collection, Dice& dice) const {
  const auto& ids = of(collection);
  return ids.empty() ? nullptr : &ids[dice.below(ids.size())];
}

void TrafficTargets::add(std::string_view collection, const ObjectId& id) {
  const auto found = ids_.find(collection);
  if (found != ids_.end()) found->second.push_back(id);
}

void TrafficTargets::remove(std::string_view collection, const ObjectId& id) {
  const auto found = ids_.find(collection);
  if (found == ids_.end()) return;
  auto& ids = found->second;
  const auto at = std::ranges::find(ids, id);
  if (at == ids.end()) return;
  *at = ids.back();
  ids.pop_back();
}

}  // namespace holdfast::smokava
