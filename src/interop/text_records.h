#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "dataset/types.h"
#include "interop/byte_stream.h"
#include "interop/shelf.h"

namespace holdfast::interop {

/// One record of a text may be this long. Canonical JSON takes up to eight times the bytes of the
/// document that it stands for.
inline constexpr std::size_t max_record_bytes = 8 * (bson::max_document_bytes);

/// A record that cannot be stored exactly.
struct BadRecord {
  std::uint64_t line = 0;  ///< Where it begins, from 1.
  std::string reason;
};

/// Told of every bad record; an error from it ends the reading.
using BadRecordHandler = std::function<Status(const BadRecord&)>;

/// Gives documents without `_id` one: an ObjectId of this moment, of random bytes and a counter.
class ObjectIdSource {
 public:
  ObjectIdSource(const Clock& clock, RandomSource& random);
  [[nodiscard]] std::array<std::uint8_t, 12> next();

 private:
  std::array<std::uint8_t, 12> id_{};
  std::uint32_t counter_ = 0;
};

struct TextReadOptions {
  /// Of the one collection that a text holds.
  Namespace ns;
  /// Null: documents without `_id` stay so.
  ObjectIdSource* ids = nullptr;
  BadRecordHandler on_bad_record;
};

/// Extended JSON, canonical, relaxed or v1: one object after another, or one array of them;
/// objects may spread over lines. Each is checked whole before the next. Errors: corrupt (line and
/// reason), those of the source and of the handler.
[[nodiscard]] Status read_json(std::unique_ptr<ByteSource> source, Shelf& shelf,
                               const TextReadOptions& options);

struct CsvReadOptions {
  char separator = ',';
  /// Columns, each "name" or "name.type(argument)"; empty: the first line names them.
  std::vector<std::string> fields;
  /// Empty cells give no field; else they are empty strings, and an error in other columns.
  bool ignore_blanks = false;
};

/// CSV (RFC 4180), or TSV. Cells are strings unless their column has a type: string(), int32(),
/// int64(), double(), decimal(), boolean(), date() (ISO 8601), date_ms(), binary(base64 or hex),
/// objectid(), auto() (whole number, number, or string). A name with dots makes documents inside
/// the document. Errors: usage (columns), corrupt (line and reason), …
[[nodiscard]] Status read_csv(std::unique_ptr<ByteSource> source, Shelf& shelf,
                              const TextReadOptions& options, const CsvReadOptions& csv);

}  // namespace holdfast::interop
