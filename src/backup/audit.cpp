#include "backup/audit.h"

#include <fmt/format.h>

#include <optional>

#include "bson/extended_json.h"
#include "bson/same_values.h"

namespace holdfast::backup {

namespace {

using Verdict = changelog::Difference::Verdict;

constexpr std::size_t max_named_keys = 20;

Result<std::optional<bson::Document>> find(repository::SnapshotWriter& writer,
                                           const std::vector<repository::Layer>& layers,
                                           bson::ValueView key) {
  if (layers.empty()) return std::optional<bson::Document>();
  return writer.find(layers, key);
}

/// The verdict of the fold; of a key that no event touched, that of its two documents.
Result<Verdict> judge(const changelog::HeldCollection& held, repository::SnapshotWriter& writer,
                      const changelog::Difference& difference) {
  if (difference.verdict != Verdict::open) return difference.verdict;
  HOLDFAST_TRY(const auto expected, find(writer, held.audit->expected, difference.key.view()));
  HOLDFAST_TRY(const auto found, find(writer, held.layers, difference.key.view()));
  if (expected == found) return Verdict::explained;  // As it should be again: read again meanwhile.
  const bool same = expected && found && bson::same_values(expected->view(), found->view());
  return same ? Verdict::order_only : Verdict::unexplained;
}

Status report_collection(const changelog::HeldCollection& held, repository::SnapshotWriter& writer,
                         AuditReport& report) {
  std::uint64_t unexplained = held.audit->not_kept;
  std::vector<std::string> keys;
  for (const changelog::Difference& difference : held.audit->different) {
    HOLDFAST_TRY(const Verdict verdict, judge(held, writer, difference));
    if (verdict == Verdict::explained) continue;
    if (verdict == Verdict::order_only) {
      ++report.order_corrected;
      continue;
    }
    ++unexplained;
    if (keys.size() < max_named_keys) {
      keys.push_back(bson::to_json(difference.key.view(), bson::JsonMode::relaxed));
    }
  }
  if (unexplained == 0) return {};
  report.unexplained += unexplained;
  report.sentences.push_back(fmt::format(
      "{}: {} document(s) differ from what the parent snapshot and the log say, _id {}{}; they are "
      "stored as they are on the server",
      held.info.ns.text(), unexplained, fmt::join(keys, ", "),
      unexplained > keys.size() ? ", …" : ""));
  return {};
}

}  // namespace

Result<AuditReport> report_audit(const changelog::HeldCollections& held,
                                 repository::SnapshotWriter& writer) {
  AuditReport report;
  for (const auto& [uuid, collection] : held) {
    if (collection.audit) HOLDFAST_CHECK(report_collection(collection, writer, report));
  }
  return report;
}

}  // namespace holdfast::backup
