// bench_synthetic_log REPOSITORY PASSWORD_FILE COLLECTION EVENTS [SEED]
//
// Adds a log of made-up updates behind the newest snapshot of a repository: more changes than a
// server would be made to do for a measurement. Each sets two fields of one document of COLLECTION,
// chosen at random. Prints the time of the last one, as commands take it.

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <random>

#include "base/clock.h"
#include "base/random.h"
#include "blob/open_blob_store.h"
#include "bson/builder.h"
#include "repository/repository.h"

namespace {

using namespace holdfast;  // NOLINT: a program of one file

constexpr std::uint64_t events_per_segment = 50'000;
constexpr std::uint32_t events_per_second = 1000;

template <typename Value>
Value take(Result<Value> result) {
  if (!result.ok()) {
    std::cerr << result.error().message() << '\n';
    std::exit(1);
  }
  return std::move(result).value();
}

/// The password, without the line's end.
SecretBytes read_password(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return SecretBytes(as_bytes(line));
}

bson::Document token_of(ClusterTime time) {
  bson::Builder token;
  token.append_string("_data", "made/" + time.text());
  return std::move(token).finish();
}

/// The made-up changes of one collection.
class Changes {
 public:
  Changes(const repository::SnapshotCollection& collection, std::vector<bson::Value> keys,
          std::uint64_t seed)
      : info_(collection.info), keys_(std::move(keys)), seed_(seed) {}

  /// The one with this number: the same whenever it is asked for.
  [[nodiscard]] bson::Document event(std::uint64_t number, ClusterTime time) const {
    std::mt19937_64 random(seed_ * 0x9E3779B97F4A7C15ULL + number);
    const bson::Value& key = keys_[random() % keys_.size()];
    bson::Builder to;
    to.append_document("_id", token_of(time).view());
    to.append_string("operationType", "update");
    to.append_timestamp("clusterTime", time.packed());
    if (info_.uuid) to.append_binary("collectionUUID", 4, *info_.uuid);
    to.begin_document("ns").append_string("db", info_.ns.database);
    to.append_string("coll", info_.ns.collection).end();
    to.begin_document("documentKey").append("_id", key.view()).end();
    to.begin_document("updateDescription").begin_document("updatedFields");
    to.append_date("updatedAt", 1'790'000'000'000 + static_cast<std::int64_t>(number));
    to.append_int32("remainingCount", static_cast<std::int32_t>(random() % 100)).end();
    to.append_array("removedFields", bson::Document().view());
    to.append_array("truncatedArrays", bson::Document().view()).end();
    return std::move(to).finish();
  }

 private:
  const CollectionInfo info_;
  const std::vector<bson::Value> keys_;
  const std::uint64_t seed_;
};

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count < 5) {
    std::cerr << "usage: bench_synthetic_log REPOSITORY PASSWORD_FILE COLLECTION EVENTS [SEED]\n";
    return 2;
  }
  const std::uint64_t events = std::strtoull(arguments[4], nullptr, 10);
  const std::uint64_t seed = argument_count > 5 ? std::strtoull(arguments[5], nullptr, 10) : 1;
  SystemRandom random;
  const SystemClock clock;
  repository::Unlock unlock;
  unlock.password = read_password(arguments[2]);
  const auto repository = take(repository::Repository::open(
      take(blob::open_blob_store(arguments[1], blob::OpenMode::read_write)), unlock, random,
      clock));
  const auto reader = take(repository->open_snapshot("latest"));
  const repository::Manifest& manifest = reader->manifest();
  const auto collection =
      std::find_if(manifest.collections.begin(), manifest.collections.end(),
                   [&](const auto& one) { return one.info.ns.collection == arguments[3]; });
  if (collection == manifest.collections.end() || !manifest.resume_token) {
    std::cerr << "no such collection, or a snapshot without a place in the log\n";
    return 1;
  }
  std::vector<bson::Value> keys;
  const auto cursor = take(reader->open(collection->info.ns));
  while (const auto document = take(cursor->next())) keys.emplace_back(*document->find("_id"));
  const Changes changes(*collection, std::move(keys), seed);

  repository::LogSegmentInfo info;
  info.source = manifest.summary.source.id;
  info.databases = manifest.summary.databases;
  info.writer = "bench";
  info.start = {manifest.summary.consistency.time, *manifest.resume_token};
  for (std::uint64_t at = 0; at < events; at += events_per_segment) {
    const std::uint64_t end = std::min(events, at + events_per_segment);
    const ClusterTime start = info.start.time;
    const auto time_of = [&](std::uint64_t number) {
      const auto place = static_cast<std::uint32_t>(number - at);
      return ClusterTime{start.seconds + 1 + place / events_per_second,
                         1 + place % events_per_second};
    };
    info.end.time = time_of(end - 1);
    info.end.token = token_of(info.end.time);
    take(repository->put_log_segment(info, [&](const repository::LogEventVisitor& visit) -> Status {
      for (std::uint64_t number = at; number < end; ++number) {
        HOLDFAST_CHECK(visit(changes.event(number, time_of(number)).view()));
      }
      return {};
    }));
    info.start = info.end;
  }
  std::cout << info.end.time.text() << '\n';
  return 0;
}
