#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bson/extended_json.h"
#include "interop/byte_stream.h"
#include "interop/dump_writer.h"

namespace holdfast::interop {

// Writers of one collection's documents, without its options and indexes. Each takes exactly one
// collection; a second `create` is refused.

struct JsonWriteOptions {
  bson::JsonMode mode = bson::JsonMode::canonical;
  bool array = false;   ///< One array, else one object a line.
  bool pretty = false;  ///< Spread over lines.
};
/// Documents with text that is not UTF-8 are refused, since JSON has no way to hold them.
[[nodiscard]] std::unique_ptr<DumpWriter> make_json_writer(std::unique_ptr<ByteSink> sink,
                                                           const JsonWriteOptions& options);

struct CsvWriteOptions {
  char separator = ',';
  std::vector<std::string> fields;  ///< Dotted paths, the columns.
  bool header = true;
};
/// A row a document: text as it is, numbers, dates (ISO 8601) and ObjectIds (hexadecimal) plain,
/// documents and arrays as relaxed JSON; missing, null and "" are all empty.
[[nodiscard]] std::unique_ptr<DumpWriter> make_csv_writer(std::unique_ptr<ByteSink> sink,
                                                          const CsvWriteOptions& options);

/// Concatenated BSON, as in mongodump's `.bson` files.
[[nodiscard]] std::unique_ptr<DumpWriter> make_bson_writer(std::unique_ptr<ByteSink> sink);

}  // namespace holdfast::interop
