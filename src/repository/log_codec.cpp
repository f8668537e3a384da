#include "repository/log_codec.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "bson/builder.h"
#include "repository/fields.h"
#include "repository/header.h"
#include "repository/names.h"

namespace holdfast::repository {
namespace {

constexpr std::size_t scope_digest_bytes = 4;
constexpr std::size_t token_digest_bytes = 8;

std::string digest_text(ByteView bytes, std::size_t size) {
  std::array<std::uint8_t, crypto_generichash_BYTES> digest{};
  crypto_generichash(digest.data(), digest.size(), bytes.data(), bytes.size(), nullptr, 0);
  return to_hex(ByteView(digest).first(size));
}

void append_position(bson::Builder& to, std::string_view field, const LogPosition& position) {
  to.begin_document(field)
      .append_timestamp("time", position.time.packed())
      .append_document("token", position.token.view())
      .end();
}

Result<ClusterTime> cluster_time_field(bson::DocumentView from, std::string_view field) {
  const auto time = from.find(field);
  if (!time || time->type() != bson::Type::timestamp) return bad_field(field);
  return ClusterTime::from_packed(time->as_timestamp());
}

Result<LogPosition> position_field(bson::DocumentView from, std::string_view field) {
  HOLDFAST_TRY(const bson::DocumentView fields, document_field(from, field));
  LogPosition position;
  HOLDFAST_TRY(position.time, cluster_time_field(fields, "time"));
  HOLDFAST_TRY(const bson::DocumentView token, document_field(fields, "token"));
  position.token = bson::Document(token);
  return position;
}

bool sorted_and_unique(const std::vector<std::string>& texts) {
  return std::adjacent_find(texts.begin(), texts.end(), std::greater_equal<>()) == texts.end();
}

}  // namespace

std::string log_segment_name(std::string_view source, const std::vector<std::string>& databases,
                             const LogPosition& start) {
  Bytes scope;
  for (const std::string& database : databases) {
    append_bytes(scope, as_bytes(database));
    scope.push_back(0);  // no database's name contains it
  }
  const LogBlobName name{std::string(source), digest_text(scope, scope_digest_bytes),
                         start.time.packed(), digest_text(start.token.bytes(), token_digest_bytes)};
  return name.text();
}

Bytes encode_log_header(const LogSegmentInfo& info) {
  bson::Builder to;
  to.append_string("source", info.source);
  to.begin_array("databases");
  for (std::size_t at = 0; at < info.databases.size(); ++at) {
    to.append_string(bson::array_index_name(at), info.databases[at]);
  }
  to.end();
  append_position(to, "start", info.start);
  append_position(to, "end", info.end);
  to.append_int64("events", static_cast<std::int64_t>(info.events));
  to.append_int64("event_bytes", static_cast<std::int64_t>(info.event_bytes));
  to.append_date("written", to_milliseconds(info.written));
  to.append_string("writer", info.writer);
  if (info.gap_before) {
    to.begin_document("gap_before")
        .append_timestamp("since", info.gap_before->since.packed())
        .append_string("cause", info.gap_before->cause)
        .end();
  }
  return std::move(to).finish().bytes();
}

Result<LogSegmentInfo> decode_log_header(ByteView block) {
  HOLDFAST_CHECK(bson::validate_document(block));
  const bson::DocumentView from(block);
  LogSegmentInfo info;
  HOLDFAST_TRY(info.source, text_field(from, "source"));
  if (!is_source_id(info.source)) return bad_field("source");
  HOLDFAST_TRY(info.databases, texts_field(from, "databases"));
  if (!sorted_and_unique(info.databases)) return bad_field("databases");
  HOLDFAST_TRY(info.start, position_field(from, "start"));
  HOLDFAST_TRY(info.end, position_field(from, "end"));
  if (info.end.time < info.start.time) return bad_field("end");
  HOLDFAST_TRY(info.events, count_field(from, "events"));
  HOLDFAST_TRY(info.event_bytes, count_field(from, "event_bytes"));
  HOLDFAST_TRY(info.written, time_field(from, "written"));
  HOLDFAST_TRY(info.writer, text_field(from, "writer"));
  if (from.find("gap_before")) {
    HOLDFAST_TRY(const bson::DocumentView fields, document_field(from, "gap_before"));
    LogGap gap;
    HOLDFAST_TRY(gap.since, cluster_time_field(fields, "since"));
    HOLDFAST_TRY(gap.cause, text_field(fields, "cause"));
    info.gap_before = std::move(gap);
  }
  info.name = log_segment_name(info.source, info.databases, info.start);
  return info;
}

}  // namespace holdfast::repository
