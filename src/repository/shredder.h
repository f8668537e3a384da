#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "bson/document.h"
#include "repository/block_buffer.h"
#include "repository/shred_columns.h"

namespace holdfast::repository {

/// A block's entries taken apart: what compresses in the same way lies together.
struct Shredded {
  BlockBuffer structure;  ///< Directory of columns, events, lengths of strings.
  BlockBuffer text;       ///< Bytes of strings and the like, column by column.
  BlockBuffer planes;     ///< Numbers and ObjectIds, column by column, byte by byte.
};

/// Takes entries apart: documents of one shape name it once, and the values of each field lie
/// together. Lossless for every valid document. Not thread-safe; its memory is used again.
class Shredder {
 public:
  Shredder();
  /// `entries` as a block has them, documents valid. Valid until the next call. Null if it does
  /// not pay: names are data, so that there would be a column for every few values.
  [[nodiscard]] const Shredded* shred(ByteView entries);

 private:
  struct Column {
    shred::ColumnClass column_class = shred::ColumnClass::none;
    BlockBuffer values;   ///< Row by row; lengths for bytes, references for ObjectIds.
    BlockBuffer content;  ///< Bytes; new ObjectIds.
    shred::ObjectIdParts last_id;
  };
  /// A place in the tree of element sequences that documents had so far: a path from a root is a
  /// shape. Lives on from block to block; numbers of columns and shapes are each block's own.
  struct Node {
    std::string header;  ///< Type, name, NUL, as in the document.
    std::uint32_t parent = 0;
    std::uint32_t first_child = 0;  ///< The last used.
    std::uint32_t next_sibling = 0;
    std::uint32_t key = 0;  ///< Of its column, by type and name.
    std::uint32_t shape = 0;
    std::uint32_t shape_block = 0;  ///< The block in which `shape` holds.
  };
  /// A type and name that has a column when it is needed.
  struct ColumnKey {
    std::uint32_t column = 0;
    std::uint32_t block = 0;
    std::vector<std::uint32_t> element_keys;  ///< For arrays: by type of their elements.
  };

  void begin();
  void finish();
  void shred_entry(ByteView& rest);
  void shred_document(const std::uint8_t* document);
  void shred_array(const std::uint8_t* document, std::uint32_t key);
  /// Finds or makes the path of the document's elements and emits its shape.
  [[nodiscard]] std::uint32_t find_shape(const std::uint8_t* document);
  [[nodiscard]] std::uint32_t step(std::uint32_t node, const std::uint8_t* element,
                                   std::size_t remaining);
  void emit_shape(std::uint32_t leaf);
  void define_shape(std::uint32_t leaf);
  void shred_value(bson::Type type, std::uint32_t key, const std::uint8_t* value, std::size_t size);
  void shred_object_id(Column& column, const std::uint8_t* value);
  [[nodiscard]] Column& column_of(std::uint32_t key, shred::ColumnClass column_class);
  [[nodiscard]] std::uint32_t new_column(shred::ColumnClass column_class);
  [[nodiscard]] std::uint32_t key_of(const std::string& header);
  [[nodiscard]] std::uint32_t element_key(std::uint32_t array_key, bson::Type type);
  [[nodiscard]] std::uint32_t known_id(const std::uint8_t* value);

  std::vector<Node> nodes_;
  std::unordered_map<std::string, std::uint32_t> keys_by_header_;
  std::vector<ColumnKey> keys_;
  std::uint32_t block_ = 0;
  std::uint32_t shapes_ = 0;
  std::vector<Column> columns_;
  std::size_t column_count_ = 0;
  BlockBuffer events_;
  /// The last date of the document, or the time in its `_id`: the next date is often near it.
  std::uint64_t near_date_ = 0;
  std::uint64_t last_position_ = 0;
  struct Step {
    std::uint32_t node = 0;
    std::uint32_t value_size = 0;
  };
  std::vector<Step> path_;  ///< Of the documents that are open now, the innermost last.
  bool hopeless_ = false;
  /// Hash table of the block's ObjectIds.
  struct KnownId {
    std::uint32_t block = 0;
    std::uint32_t number = 0;  ///< Counted from 1.
  };
  std::vector<KnownId> known_ids_;
  std::vector<std::array<std::uint8_t, shred::object_id_bytes>> ids_;  ///< By number - 1.
  Shredded out_;
};

}  // namespace holdfast::repository
