#include <algorithm>
#include <array>

#include "bson/builder.h"
#include "repository/fields.h"
#include "repository/header.h"
#include "repository/manifest_codec.h"
#include "repository/names.h"

namespace holdfast::repository {
namespace {

constexpr std::size_t snapshot_id_digits = 16;
constexpr std::array kinds{SnapshotKind::full, SnapshotKind::incremental, SnapshotKind::moment,
                           SnapshotKind::imported};

Status check_ids(const std::vector<std::string>& ids, std::string_view field) {
  const bool good = std::all_of(
      ids.begin(), ids.end(), [](const std::string& id) { return is_hex(id, snapshot_id_digits); });
  if (!good) return bad_field(field);
  return {};
}

/// Manifests from before there were incrementals have neither field.
Status read_descent(bson::DocumentView from, SnapshotSummary& summary) {
  if (!from.find("kind")) return {};
  HOLDFAST_TRY(const std::string name, text_field(from, "kind"));
  const auto* const kind = std::find_if(kinds.begin(), kinds.end(),
                                        [&](SnapshotKind each) { return name_of(each) == name; });
  if (kind == kinds.end()) return bad_field("kind");
  summary.kind = *kind;
  HOLDFAST_TRY(summary.parent, text_field(from, "parent"));
  if (!summary.parent.empty() && !is_hex(summary.parent, snapshot_id_digits)) {
    return bad_field("parent");
  }
  return {};
}

Result<bson::DocumentView> only_document(ByteView block) {
  HOLDFAST_CHECK(bson::validate_document(block));
  return bson::DocumentView(block);
}

void append_texts(bson::Builder& to, std::string_view field,
                  const std::vector<std::string>& texts) {
  to.begin_array(field);
  for (std::size_t at = 0; at < texts.size(); ++at) {
    to.append_string(bson::array_index_name(at), texts[at]);
  }
  to.end();
}

}  // namespace

std::string_view name_of(SnapshotKind kind) {
  switch (kind) {
    case SnapshotKind::full: return "full";
    case SnapshotKind::incremental: return "incremental";
    case SnapshotKind::moment: return "moment";
    case SnapshotKind::imported: return "imported";
  }
  return "full";
}

void append_consistency(bson::Builder& to, const Consistency& consistency) {
  to.begin_document("consistency")
      .append_bool("exact", consistency.kind == Consistency::Kind::exact)
      .append_timestamp("time", consistency.time.packed())
      .append_string("reason", consistency.reason)
      .end();
}

Result<Consistency> read_consistency(bson::DocumentView from) {
  HOLDFAST_TRY(const bson::DocumentView fields, document_field(from, "consistency"));
  HOLDFAST_TRY(const bool exact, bool_field(fields, "exact"));
  const auto time = fields.find("time");
  if (!time || time->type() != bson::Type::timestamp) return bad_field("time");
  HOLDFAST_TRY(std::string reason, text_field(fields, "reason"));
  return Consistency{exact ? Consistency::Kind::exact : Consistency::Kind::best_effort,
                     ClusterTime::from_packed(time->as_timestamp()), std::move(reason)};
}

Bytes encode_summary(const SnapshotSummary& summary) {
  bson::Builder to;
  to.append_string("id", summary.id);
  to.begin_document("source")
      .append_string("id", summary.source.id)
      .append_string("description", summary.source.description)
      .append_string("server_version", summary.source.server_version)
      .end();
  to.append_string("kind", name_of(summary.kind));
  to.append_string("parent", summary.parent);
  append_texts(to, "databases", summary.databases);
  to.append_bool("whole", summary.whole);
  to.append_date("started", to_milliseconds(summary.started));
  to.append_date("finished", to_milliseconds(summary.finished));
  append_consistency(to, summary.consistency);
  to.append_int64("collections", static_cast<std::int64_t>(summary.collections));
  to.append_int64("documents", static_cast<std::int64_t>(summary.documents));
  to.append_int64("document_bytes", static_cast<std::int64_t>(summary.document_bytes));
  to.append_int64("stored_bytes", static_cast<std::int64_t>(summary.stored_bytes));
  append_texts(to, "tags", summary.tags);
  to.append_string("critical_reason", summary.critical_reason);
  append_texts(to, "predecessors", summary.predecessors);
  if (summary.lost_log) {
    to.begin_document("lost_log")
        .append_timestamp("since", summary.lost_log->since.packed())
        .append_string("cause", summary.lost_log->cause)
        .end();
  }
  return std::move(to).finish().bytes();
}

Result<SnapshotSummary> decode_summary(ByteView block) {
  HOLDFAST_TRY(const bson::DocumentView from, only_document(block));
  SnapshotSummary summary;
  HOLDFAST_TRY(summary.id, text_field(from, "id"));
  if (!is_hex(summary.id, snapshot_id_digits)) return bad_field("id");
  HOLDFAST_TRY(const bson::DocumentView source, document_field(from, "source"));
  HOLDFAST_TRY(summary.source.id, text_field(source, "id"));
  if (!is_source_id(summary.source.id)) return bad_field("source.id");
  HOLDFAST_TRY(summary.source.description, text_field(source, "description"));
  HOLDFAST_TRY(summary.source.server_version, text_field(source, "server_version"));
  HOLDFAST_CHECK(read_descent(from, summary));
  HOLDFAST_TRY(summary.databases, texts_field(from, "databases"));
  HOLDFAST_TRY(summary.whole, bool_field(from, "whole"));
  HOLDFAST_TRY(summary.started, time_field(from, "started"));
  HOLDFAST_TRY(summary.finished, time_field(from, "finished"));
  HOLDFAST_TRY(summary.consistency, read_consistency(from));
  HOLDFAST_TRY(summary.collections, count_field(from, "collections"));
  HOLDFAST_TRY(summary.documents, count_field(from, "documents"));
  HOLDFAST_TRY(summary.document_bytes, count_field(from, "document_bytes"));
  HOLDFAST_TRY(summary.stored_bytes, count_field(from, "stored_bytes"));
  HOLDFAST_TRY(summary.tags, texts_field(from, "tags"));
  HOLDFAST_TRY(summary.critical_reason, text_field(from, "critical_reason"));
  HOLDFAST_TRY(summary.predecessors, texts_field(from, "predecessors"));
  HOLDFAST_CHECK(check_ids(summary.predecessors, "predecessors"));
  if (from.find("lost_log")) {
    HOLDFAST_TRY(const bson::DocumentView lost, document_field(from, "lost_log"));
    const auto since = lost.find("since");
    if (!since || since->type() != bson::Type::timestamp) return bad_field("lost_log.since");
    HOLDFAST_TRY(std::string cause, text_field(lost, "cause"));
    summary.lost_log = LogGap{ClusterTime::from_packed(since->as_timestamp()), std::move(cause)};
  }
  return summary;
}

Bytes encode_tombstone(const SnapshotTombstone& tombstone) {
  bson::Builder to;
  to.append_string("id", tombstone.id);
  to.append_string("source", tombstone.source);
  append_texts(to, "predecessors", tombstone.predecessors);
  to.append_date("removed", to_milliseconds(tombstone.removed));
  return std::move(to).finish().bytes();
}

Result<SnapshotTombstone> decode_tombstone(const std::vector<Bytes>& blocks) {
  if (blocks.size() != 1) return Error(ErrorCode::corrupt, "a tombstone has one block");
  HOLDFAST_TRY(const bson::DocumentView from, only_document(blocks.front()));
  SnapshotTombstone tombstone;
  HOLDFAST_TRY(tombstone.id, text_field(from, "id"));
  HOLDFAST_TRY(tombstone.source, text_field(from, "source"));
  HOLDFAST_TRY(tombstone.predecessors, texts_field(from, "predecessors"));
  HOLDFAST_CHECK(check_ids(tombstone.predecessors, "predecessors"));
  HOLDFAST_TRY(tombstone.removed, time_field(from, "removed"));
  return tombstone;
}

}  // namespace holdfast::repository
