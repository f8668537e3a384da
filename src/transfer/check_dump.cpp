#include "transfer/check_dump.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace holdfast::transfer {

namespace {

struct Count {
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
};

Status count(DocumentCursor& cursor, Count& counted, ProgressSink& progress,
             const std::stop_token& stop) {
  constexpr std::uint64_t look_every = 1000;
  std::uint64_t bytes = 0;
  while (true) {
    HOLDFAST_TRY(const auto document, cursor.next());
    if (!document) break;
    ++counted.documents;
    counted.bytes += document->bytes().size();
    bytes += document->bytes().size();
    if (counted.documents % look_every != 0) continue;
    progress.advance(look_every, std::exchange(bytes, 0));
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
  }
  progress.advance(counted.documents % look_every, bytes);
  return {};
}

bool is_damage(const Error& error) {
  return error.code() == ErrorCode::corrupt || error.code() == ErrorCode::not_found;
}

}  // namespace

Result<DumpCheck> check_dump(interop::DumpReader& dump, const std::vector<std::string>& required,
                             ProgressSink& progress, std::stop_token stop) {
  DumpCheck check;
  if (dump.incomplete()) check.damage = dump.notes();
  HOLDFAST_TRY(const auto catalog, dump.catalog());
  progress.stage("verify", 0, 0);
  for (const CollectionInfo& info : catalog) {
    DumpCheck::Collection& collection = check.collections.emplace_back();
    collection.info = info;
    if (info.type == CollectionType::view) continue;
    Count counted;
    auto cursor = dump.open(info.ns);
    const Status read = cursor.ok() ? count(**cursor, counted, progress, stop) : cursor.error();
    if (!read.ok() && !is_damage(read.error())) return read.error();
    if (!read.ok()) check.damage.push_back(info.ns.text() + ": " + read.error().message());
    collection.documents = counted.documents;
    collection.bytes = counted.bytes;
    check.documents += counted.documents;
    check.bytes += counted.bytes;
  }
  if (dump.has_oplog()) {
    Count counted;
    HOLDFAST_TRY(const auto cursor, dump.open_oplog());
    const Status read = count(*cursor, counted, progress, stop);
    if (!read.ok() && !is_damage(read.error())) return read.error();
    if (!read.ok()) check.damage.push_back("oplog: " + read.error().message());
    check.oplog_entries = counted.documents;
  }
  for (const std::string& name : required) {
    const bool there = std::any_of(catalog.begin(), catalog.end(), [&](const auto& info) {
      return info.ns.collection == name || info.ns.text() == name;
    });
    if (!there) check.damage.push_back("the collection " + name + " is missing");
  }
  return check;
}

}  // namespace holdfast::transfer
