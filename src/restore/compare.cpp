#include "restore/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "base/task_group.h"
#include "bson/extended_json.h"
#include "bson/order.h"
#include "mongo/catalog.h"
#include "mongo/scan.h"

namespace holdfast::restore {

namespace {

/// Progress is told after so many documents or bytes, whichever comes first.
constexpr std::uint64_t report_every = 1000;
constexpr std::uint64_t report_every_bytes = 4ULL * 1024 * 1024;

/// Sums the fingerprints of a live collection's key ranges on several threads.
class FingerprintScan {
 public:
  FingerprintScan(mongo::Client& client, const CollectionInfo& info, const DocumentHasher& hasher,
                  ProgressSink& progress)
      : client_(client), info_(info), hasher_(hasher), progress_(progress) {}

  Result<Fingerprint> run(std::uint32_t workers, const std::stop_token& stop) {
    const bool natural = info_.capped() || info_.type == CollectionType::timeseries;
    HOLDFAST_TRY(ranges_, mongo::split_ranges(client_, info_, natural ? 1 : workers * 4, {}));
    TaskGroup group(stop);
    for (std::size_t i = 0; i < std::min<std::size_t>(workers, ranges_.size()); ++i) {
      group.start([this](const std::stop_token& token) { return work(token); });
    }
    HOLDFAST_CHECK(group.wait());
    return sum_;
  }

 private:
  Status work(const std::stop_token& stop) {
    while (true) {
      mongo::KeyRange range;
      {
        const std::lock_guard lock(mutex_);
        if (ranges_.empty()) return {};
        range = std::move(ranges_.back());
        ranges_.pop_back();
      }
      HOLDFAST_CHECK(scan(range, stop));
    }
  }

  Status scan(const mongo::KeyRange& range, const std::stop_token& stop) {
    HOLDFAST_TRY(const auto cursor, mongo::open_scan(client_, info_, range, {}));
    Fingerprint sum;
    std::uint64_t bytes = 0;
    std::uint64_t unreported = 0;
    while (true) {
      HOLDFAST_TRY(const auto document, cursor->next());
      if (!document) break;
      sum.add(hasher_.hash(document->bytes()));
      bytes += document->bytes().size();
      if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
      if (++unreported < report_every && bytes < report_every_bytes) continue;
      progress_.advance(std::exchange(unreported, 0), std::exchange(bytes, 0));
    }
    progress_.advance(unreported, bytes);
    const std::lock_guard lock(mutex_);
    sum_.add(sum);
    return {};
  }

  mongo::Client& client_;
  const CollectionInfo& info_;
  const DocumentHasher& hasher_;
  ProgressSink& progress_;
  std::mutex mutex_;
  std::vector<mongo::KeyRange> ranges_;
  Fingerprint sum_;
};

std::string shown(const std::map<std::string, std::string>& options, const std::string& name) {
  const auto found = options.find(name);
  return found == options.end() ? "absent" : found->second;
}

}  // namespace

std::vector<std::string> compare_options(bson::DocumentView wanted, bson::DocumentView actual) {
  const auto by_name = [](bson::DocumentView options) {
    std::map<std::string, std::string> fields;
    for (const bson::Element& element : options) {
      fields.emplace(std::string(element.name),
                     bson::to_json(element.value, bson::JsonMode::relaxed));
    }
    return fields;
  };
  const auto before = by_name(wanted);
  const auto after = by_name(actual);
  std::map<std::string, std::string> names = before;
  names.insert(after.begin(), after.end());
  std::vector<std::string> differences;
  for (const auto& [name, value] : names) {
    if (shown(before, name) == shown(after, name)) continue;
    differences.push_back(fmt::format("option {} is {} instead of {}", name, shown(after, name),
                                      shown(before, name)));
  }
  return differences;
}

Result<std::vector<std::string>> compare_collection(mongo::Client& target,
                                                    const Namespace& restored,
                                                    const repository::SnapshotCollection& wanted,
                                                    const DocumentHasher& hasher,
                                                    std::uint32_t workers, ProgressSink& progress,
                                                    const std::stop_token& stop) {
  HOLDFAST_TRY(const CollectionInfo info, mongo::read_catalog_entry(target, restored));
  FingerprintScan scan(target, info, hasher, progress);
  HOLDFAST_TRY(const Fingerprint actual, scan.run(workers, stop));
  std::vector<std::string> differences =
      compare_options(wanted.info.options.view(), info.options.view());
  if (actual.documents != wanted.fingerprint.documents) {
    differences.push_back(
        fmt::format("{} documents instead of {}", actual.documents, wanted.fingerprint.documents));
  } else if (actual != wanted.fingerprint) {
    differences.push_back(fmt::format("content fingerprint {} instead of {}", actual.text(),
                                      wanted.fingerprint.text()));
  }
  return differences;
}

Result<MergedComparison> compare_merged(mongo::Client& target, const Namespace& restored,
                                        repository::SnapshotReader& snapshot,
                                        const CollectionInfo& source, std::uint64_t kept,
                                        ProgressSink& progress, const std::stop_token& stop) {
  MergedComparison found;
  if (source.capped() || source.collation() || source.type != CollectionType::collection) {
    found.differences = {"not compared: its order on the server is not that of keys"};
    return found;
  }
  HOLDFAST_TRY(const CollectionInfo info, mongo::read_catalog_entry(target, restored));
  HOLDFAST_TRY(const auto live, mongo::open_scan(target, info, {}, {}));
  HOLDFAST_TRY(const auto cursor, snapshot.open(source.ns));
  std::uint64_t missing = 0;
  std::uint64_t different = 0;
  HOLDFAST_TRY(auto there, live->next());
  while (true) {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    HOLDFAST_TRY(const auto document, cursor->next());
    // Behind the snapshot's last one, all that is left stands beside.
    while (there && (!document || bson::less(*there->find("_id"), *document->find("_id")))) {
      if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
      ++found.beside;
      HOLDFAST_TRY(there, live->next());
    }
    if (!document) break;
    progress.advance(1, document->bytes().size());
    if (!there || bson::compare(*there->find("_id"), *document->find("_id")) != 0) {
      ++missing;
      continue;
    }
    if (!same_bytes(there->bytes(), document->bytes())) ++different;
    HOLDFAST_TRY(there, live->next());
  }
  if (missing > 0) found.differences.push_back(fmt::format("{} documents are missing", missing));
  if (different > kept) {
    found.differences.push_back(fmt::format("{} documents differ from the snapshot", different));
  } else {
    found.kept_different = different;
  }
  return found;
}

}  // namespace holdfast::restore
