#include "service/overview.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "repository/header.h"
#include "repository/names.h"
#include "service/safety_snapshot.h"

namespace holdfast::service {
namespace {

/// `holdfast.json` is some hundred bytes.
constexpr std::uint64_t max_header_bytes = 64U * 1024;

bool is_exact(const repository::SnapshotSummary& summary) {
  return summary.consistency.kind == Consistency::Kind::exact;
}

void count_snapshots(RepositoryOverview& overview,
                     const std::vector<repository::SnapshotSummary>& snapshots) {
  std::map<std::string, SourceOverview> sources;
  for (const auto& summary : snapshots) {
    ++overview.snapshots;
    overview.exact_snapshots += is_exact(summary) ? 1U : 0U;
    overview.critical_snapshots += summary.critical_reason.empty() ? 0U : 1U;
    overview.document_bytes += summary.document_bytes;
    SourceOverview& source = sources[summary.source.id];
    if (source.snapshots == 0) source.first = summary.finished;
    ++source.snapshots;
    source.exact_snapshots += is_exact(summary) ? 1U : 0U;
    source.last = summary.finished;
    source.identity = summary.source;
  }
  if (!snapshots.empty()) {
    overview.first = snapshots.front();
    overview.last = snapshots.back();
  }
  for (auto& [id, source] : sources) overview.sources.push_back(std::move(source));
}

/// Names of segment files that some snapshot lists.
Result<std::set<std::string>> listed_files(
    repository::Repository& repository, const std::vector<repository::SnapshotSummary>& snapshots) {
  std::set<std::string> names;
  for (const auto& summary : snapshots) {
    HOLDFAST_TRY(const auto manifest, repository.manifest(summary.id));
    for (const auto& file : manifest.files) {
      names.insert(repository::segment_name(summary.source.id, file.name));
    }
  }
  return names;
}

}  // namespace

Result<RepositoryOverview> look_over(repository::Repository& repository) {
  RepositoryOverview overview;
  overview.id = repository.id();
  overview.location = repository.store().location();
  overview.encrypted = repository.encrypted();
  HOLDFAST_TRY(const Bytes header_bytes,
               repository.store().get(repository::header_name, max_header_bytes));
  HOLDFAST_TRY(const auto header, repository::decode_header(header_bytes));
  overview.format = repository::repository_format;
  overview.created = header.created;
  HOLDFAST_TRY(overview.keys, repository.keys());
  // The files first, the manifests behind them: what a backup commits meanwhile is no garbage.
  HOLDFAST_TRY(const auto blobs, repository.store().list(""));
  HOLDFAST_TRY(auto listing, repository.list());
  count_snapshots(overview, listing.snapshots);
  overview.damaged = std::move(listing.damaged);

  HOLDFAST_TRY(const auto listed, listed_files(repository, listing.snapshots));
  for (const auto& blob : blobs) {
    overview.stored_bytes += blob.size;
    if (!repository::parse_segment_blob(blob.name) || listed.contains(blob.name)) continue;
    ++overview.garbage_files;
    overview.garbage_bytes += blob.size;
  }
  return overview;
}

std::string age_text(WallTime time, WallTime now) {
  if (time > now) return "in the future (is a clock wrong?)";
  const auto age = std::chrono::floor<std::chrono::seconds>(now - time);
  if (age < std::chrono::seconds(1)) return "just now";
  if (age < std::chrono::minutes(1)) return fmt::format("{} s ago", age.count());
  return format_duration(age) + " ago";
}

GlanceLine glance(const std::vector<repository::SnapshotSummary>& all,
                  const std::vector<repository::Damage>& damaged, WallTime now) {
  GlanceLine line;
  std::vector<repository::SnapshotSummary> snapshots;
  std::copy_if(all.begin(), all.end(), std::back_inserter(snapshots),
               [](const auto& one) { return !is_safety_snapshot(one); });
  std::vector<std::string> parts;
  if (snapshots.empty()) {
    parts.emplace_back("no backup yet");
    line.healthy = false;
  } else {
    const auto& last = snapshots.back();
    std::uint64_t stored = 0;
    for (const auto& summary : all) stored += summary.stored_bytes;
    const std::string until = format_time(last.finished, TimeZone::local);
    parts.push_back(snapshots.size() == 1
                        ? fmt::format("1 snapshot of {}", until)
                        : fmt::format("{} snapshots {} → {}", snapshots.size(),
                                      format_time(snapshots.front().finished, TimeZone::local),
                                      until));
    parts.push_back(fmt::format("last backup OK {}, {}", age_text(last.finished, now),
                                is_exact(last) ? "exact" : "best-effort"));
    parts.push_back(format_bytes(stored) + " stored");
  }
  if (!damaged.empty()) {
    parts.push_back(fmt::format("{} damaged {}", damaged.size(),
                                damaged.size() == 1 ? "manifest" : "manifests"));
    line.healthy = false;
  }
  line.text = fmt::format("{}", fmt::join(parts, " · "));
  return line;
}

}  // namespace holdfast::service
