#include "smokava/seed.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "base/task_group.h"
#include "mongo/catalog.h"
#include "mongo/live_writer.h"
#include "smokava/collections.h"

namespace holdfast::smokava {
namespace {

/// One insert command's worth: large enough that the round trip doesn't matter, small enough
/// that a few of them in each thread stay far below the memory budget.
constexpr std::size_t batch_bytes = 2U * 1024 * 1024;
constexpr std::uint64_t units_of_a_share = 4000;

/// A run of units of one collection.
struct Share {
  const CollectionMaker* maker = nullptr;
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

/// Hands the work out, collection after collection. Thread-safe.
class WorkList {
 public:
  explicit WorkList(const World& world) : world_(world) {}

  std::optional<Share> take() {
    const std::lock_guard lock(mutex_);
    const auto makers = collection_makers();
    while (at_ < makers.size()) {
      const auto& maker = makers[at_];
      const auto units = maker.units(world_);
      if (next_ < units) {
        // Settlements are few and each as much work as thousands of others.
        const auto step = maker.name == "settlements" ? 1 : units_of_a_share;
        const Share share{&maker, next_, std::min(units, next_ + step)};
        next_ = share.end;
        return share;
      }
      ++at_;
      next_ = 0;
    }
    return std::nullopt;
  }

 private:
  const World& world_;
  std::mutex mutex_;
  std::size_t at_ = 0;
  std::uint64_t next_ = 0;
};

class Seeder {
 public:
  Seeder(mongo::Client& client, std::string database, const SeedOptions& options,
         ProgressSink& progress)
      : client_(client),
        database_(std::move(database)),
        options_(options),
        progress_(progress),
        world_(options),
        work_(world_),
        writer_(mongo::make_live_writer(client)) {}

  Result<SeedSummary> run(const std::stop_token& stop) {
    HOLDFAST_CHECK(make_room());
    for (const auto name : collection_names()) {
      CollectionInfo info;
      info.ns = {database_, std::string(name)};
      HOLDFAST_CHECK(writer_->create(info));
      summary_.collections[std::string(name)];
    }
    progress_.stage("seed", 0, 0);
    TaskGroup group(stop);
    for (unsigned i = 0; i < options_.threads; ++i) {
      group.start([this](const std::stop_token& asked) { return fill(asked); });
    }
    HOLDFAST_CHECK(group.wait());
    progress_.stage("index", collection_names().size(), 0);
    for (const auto name : collection_names()) {
      if (stop.stop_requested()) return cancelled();
      const auto indexes = required_indexes(name);
      if (!indexes.empty()) HOLDFAST_CHECK(writer_->create_indexes(namespace_of(name), indexes));
      progress_.advance(1, 0);
    }
    return summary_;
  }

 private:
  static Error cancelled() { return {ErrorCode::cancelled, "seeding was stopped"}; }
  Namespace namespace_of(std::string_view name) const { return {database_, std::string(name)}; }

  Status make_room() {
    HOLDFAST_TRY(const auto catalog, mongo::read_catalog(client_, database_));
    if (catalog.empty()) return {};
    if (!options_.drop_existing) {
      return Error(ErrorCode::precondition,
                   fmt::format("the database \"{}\" is not empty: it has {} collections", database_,
                               catalog.size()),
                   "choose an empty database, or have Smokava's collections dropped first");
    }
    for (const auto& info : catalog) {
      if (std::ranges::find(collection_names(), info.ns.collection) == collection_names().end()) {
        continue;
      }
      HOLDFAST_CHECK(writer_->drop(info.ns));
    }
    return {};
  }

  Status fill(const std::stop_token& stop) {
    Documents documents;
    while (const auto share = work_.take()) {
      std::size_t bytes = 0;
      for (auto unit = share->first; unit < share->end; ++unit) {
        const auto before = documents.size();
        share->maker->make(world_, unit, documents);
        for (auto i = before; i < documents.size(); ++i) bytes += documents[i].bytes().size();
        if (bytes < batch_bytes && unit + 1 < share->end) continue;
        if (stop.stop_requested()) return cancelled();
        HOLDFAST_CHECK(insert(share->maker->name, documents, bytes));
        documents.clear();
        bytes = 0;
      }
    }
    return {};
  }

  Status insert(std::string_view name, const Documents& documents, std::size_t bytes) {
    if (documents.empty()) return {};
    std::vector<bson::DocumentView> views;
    views.reserve(documents.size());
    for (const auto& document : documents) views.push_back(document.view());
    HOLDFAST_TRY(const auto refused, writer_->insert(namespace_of(name), views));
    if (!refused.empty()) {
      return Error(ErrorCode::partial, fmt::format("{}.{} refused {} documents: {}", database_,
                                                   name, refused.size(), refused.front().reason));
    }
    progress_.advance(documents.size(), bytes);
    const std::lock_guard lock(mutex_);
    for (auto* sum : {&summary_.collections.find(name)->second, &summary_.total}) {
      sum->documents += documents.size();
      sum->bytes += bytes;
    }
    return {};
  }

  mongo::Client& client_;
  std::string database_;
  const SeedOptions& options_;
  ProgressSink& progress_;
  World world_;
  WorkList work_;
  std::unique_ptr<mongo::LiveWriter> writer_;
  std::mutex mutex_;
  SeedSummary summary_;
};

}  // namespace

Result<SeedSummary> seed(mongo::Client& client, const std::string& database,
                         const SeedOptions& options, ProgressSink& progress, std::stop_token stop) {
  HOLDFAST_CHECK(check(options));
  return Seeder(client, database, options, progress).run(stop);
}

}  // namespace holdfast::smokava
