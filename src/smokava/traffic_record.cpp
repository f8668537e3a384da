#include "smokava/traffic_record.h"

#include <fcntl.h>

#include "bson/builder.h"

namespace holdfast::smokava {
namespace {

constexpr std::size_t most_buffered_bytes = 1U << 20U;

bson::Document to_document(const TrafficEntry& entry, std::int64_t number) {
  bson::Builder out;
  out.append_int64("seq", number);
  out.append_int32("thread", entry.thread);
  out.append_string("ns", entry.ns);
  if (entry.id) out.append("_id", *entry.id);
  out.append_string("op", entry.operation);
  if (entry.after) {
    out.append_document("after", *entry.after);
  } else {
    out.append_null("after");
  }
  out.append_timestamp("time", entry.time.packed());
  out.append_timestamp("since", entry.since.packed());
  if (entry.ddl) out.append_document("ddl", *entry.ddl);
  if (entry.unknown) out.append_bool("unknown", true);
  return std::move(out).finish();
}

}  // namespace

Result<std::unique_ptr<TrafficRecord>> TrafficRecord::create(const std::filesystem::path& path) {
  std::unique_ptr<TrafficRecord> record(new TrafficRecord(path));
  if (!path.empty()) {
    HOLDFAST_TRY(record->file_,
                 open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600, "create the record"));
  }
  return record;
}

Status TrafficRecord::append(const TrafficEntry& entry) {
  const std::lock_guard lock(mutex_);
  ++entries_;
  if (!file_.valid()) return {};
  append_bytes(buffer_, to_document(entry, entries_).view().bytes());
  return buffer_.size() < most_buffered_bytes ? Status() : flush_locked();
}

Status TrafficRecord::flush() {
  const std::lock_guard lock(mutex_);
  return flush_locked();
}

Status TrafficRecord::flush_locked() {
  if (!file_.valid() || buffer_.empty()) return {};
  HOLDFAST_CHECK(write_all(file_.get(), buffer_, path_));
  buffer_.clear();
  return {};
}

Status TrafficRecord::close() {
  const std::lock_guard lock(mutex_);
  if (!file_.valid()) return {};
  HOLDFAST_CHECK(flush_locked());
  return file_.close(path_);
}

}  // namespace holdfast::smokava
