#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "repository/block_buffer.h"
#include "repository/shred_columns.h"

namespace holdfast::repository {

/// Puts together again what Shredder took apart. Reads untrusted bytes: whatever they are, it
/// writes at most as much as it is told and reads nothing that is not there; the result still has
/// to be validated. Not thread-safe; its memory is used again.
class Unshredder {
 public:
  /// Fills exactly `out`. Errors: corrupt.
  [[nodiscard]] Status unshred(ByteView structure, ByteView text, ByteView planes,
                               std::span<std::uint8_t> out);

 private:
  /// What is left of a column.
  struct Column {
    shred::ColumnClass column_class = shred::ColumnClass::none;
    const std::uint8_t* values = nullptr;
    const std::uint8_t* values_end = nullptr;
    const std::uint8_t* content = nullptr;
    const std::uint8_t* content_end = nullptr;
    shred::ObjectIdParts last_id;
  };
  /// A type and name; by them, columns are numbered as values first appear.
  struct Field {
    bson::Type type{};
    std::string_view header;  ///< Type, name, NUL.
    std::uint32_t key = 0;
  };
  struct Shape {
    std::uint32_t first_field = 0;
    std::uint32_t field_count = 0;
  };

  [[nodiscard]] bool read_columns(ByteView structure, ByteView text, ByteView planes);
  [[nodiscard]] bool read_entries();
  [[nodiscard]] bool read_document(int depth);
  [[nodiscard]] bool read_array(std::uint32_t key, int depth);
  [[nodiscard]] bool read_uniform(std::uint32_t key, bson::Type type, int depth);
  [[nodiscard]] bool read_shape(std::uint32_t& number);
  [[nodiscard]] bool read_value(bson::Type type, std::uint32_t key, int depth);
  [[nodiscard]] bool read_object_id(Column& column);
  [[nodiscard]] bool read_fixed(Column& column, bson::Type type);
  [[nodiscard]] bool read_bytes(Column& column, bson::Type type);
  [[nodiscard]] Column* column_of(std::uint32_t key, shred::ColumnClass column_class);
  [[nodiscard]] std::uint32_t element_key(std::uint32_t array_key, bson::Type type);

  [[nodiscard]] bool take_varint(std::uint64_t& number);
  /// Room for `size` bytes in the output, or null.
  [[nodiscard]] std::uint8_t* room(std::size_t size);

  std::vector<Column> columns_;
  std::size_t next_column_ = 0;
  BlockBuffer rows_;  ///< Planes, turned back into rows.
  const std::uint8_t* events_ = nullptr;
  const std::uint8_t* events_end_ = nullptr;
  std::vector<Shape> shapes_;
  std::vector<Field> fields_;
  std::unordered_map<std::string_view, std::uint32_t> keys_by_header_;
  std::unordered_map<std::uint64_t, std::uint32_t> element_keys_;
  std::vector<std::uint32_t> column_by_key_;  ///< Plus 1; 0 where there is none yet.
  std::vector<const std::uint8_t*> ids_;      ///< In the output, by number - 1.
  std::uint64_t near_date_ = 0;
  std::uint64_t last_position_ = 0;
  std::uint8_t* out_ = nullptr;
  std::uint8_t* out_end_ = nullptr;
};

}  // namespace holdfast::repository
