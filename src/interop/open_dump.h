#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "interop/dump_reader.h"
#include "interop/shelf.h"
#include "interop/text_records.h"

namespace holdfast::interop {

enum class DumpFormat { folder, archive, tar, bson, json, csv, tsv };

/// What the first bytes of a stream are, unpacked; nothing if they are none of our formats.
[[nodiscard]] std::optional<DumpFormat> recognise_format(ByteView front);

struct OpenDumpOptions {
  /// Names what a stream does not: the database of a folder or BSON file, and the collection of a
  /// BSON, JSON or CSV file. Empty: the names of folder and file.
  std::string database;
  std::string collection;
  /// Only where the content does not tell.
  std::optional<DumpFormat> format;
  bool salvage = false;
  CsvReadOptions csv;
  /// For documents without `_id` in texts; null: they stay so.
  ObjectIdSource* ids = nullptr;
  BadRecordHandler on_bad_record;
};

/// Opens a dump of any format, recognised by its content; "-" is standard input. Streams are read
/// to their end and checked whole before this returns. `place`: for what can be read only once.
/// Errors: not_found, usage (a format that nobody knows; a name that is missing), corrupt, …
[[nodiscard]] Result<std::unique_ptr<DumpReader>> open_dump(const std::filesystem::path& path,
                                                            const OpenDumpOptions& options,
                                                            const SpoolPlace& place);

}  // namespace holdfast::interop
