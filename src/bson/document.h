#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::bson {

/// Element types of BSON 1.1 (https://bsonspec.org/spec.html), deprecated ones included.
enum class Type : std::uint8_t {
  float64 = 0x01,
  string = 0x02,
  document = 0x03,
  array = 0x04,
  binary = 0x05,
  undefined = 0x06,
  object_id = 0x07,
  boolean = 0x08,
  date = 0x09,
  null = 0x0a,
  regex = 0x0b,
  db_pointer = 0x0c,
  code = 0x0d,
  symbol = 0x0e,
  code_with_scope = 0x0f,
  int32 = 0x10,
  timestamp = 0x11,
  int64 = 0x12,
  decimal128 = 0x13,
  min_key = 0xff,
  max_key = 0x7f,
};

/// Largest document that a server stores is 16 MiB; its own (oplog, internal) may be 16 KiB over.
inline constexpr std::size_t max_document_bytes = 16U * 1024 * 1024 + 16U * 1024;
/// The server's limit is 100 levels of nesting for stored documents; some more for safety.
inline constexpr int max_nesting = 200;

class DocumentView;

/// One value: its type and its encoded bytes (without type byte and name). Views never own.
/// The `as_...` accessors require the matching type and validated bytes.
class ValueView {
 public:
  ValueView(Type type, ByteView bytes) : type_(type), bytes_(bytes) {}

  [[nodiscard]] Type type() const { return type_; }
  /// The encoded value, exactly as it stands in the document.
  [[nodiscard]] ByteView bytes() const { return bytes_; }

  [[nodiscard]] bool is_number() const;
  [[nodiscard]] double as_double() const;
  [[nodiscard]] std::int32_t as_int32() const;
  [[nodiscard]] std::int64_t as_int64() const;
  [[nodiscard]] bool as_bool() const;
  /// string, symbol or code; may contain NUL.
  [[nodiscard]] std::string_view as_string() const;
  /// document or array (an array's names are "0", "1", …).
  [[nodiscard]] DocumentView as_document() const;
  [[nodiscard]] ByteView as_object_id() const;
  /// Milliseconds since 1970.
  [[nodiscard]] std::int64_t as_date() const;
  /// seconds << 32 | increment.
  [[nodiscard]] std::uint64_t as_timestamp() const;
  [[nodiscard]] std::uint8_t binary_subtype() const;
  [[nodiscard]] ByteView binary_data() const;
  /// Any number type as int64 if it is integral and fits, else nothing.
  [[nodiscard]] std::optional<std::int64_t> integral() const;

  /// Same type and same bytes.
  [[nodiscard]] bool identical(const ValueView& other) const {
    return type_ == other.type_ && same_bytes(bytes_, other.bytes_);
  }

 private:
  Type type_;
  ByteView bytes_;
};

struct Element {
  std::string_view name;
  ValueView value;
};

/// A document (or array) that somebody else owns. Iterating requires bytes that
/// `validate_document` accepted, or that a trusted writer made; nothing is copied.
class DocumentView {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Element;
    using difference_type = std::ptrdiff_t;
    using pointer = const Element*;
    using reference = const Element&;

    explicit Iterator(const std::uint8_t* at);
    reference operator*() const { return *element_; }
    pointer operator->() const { return &*element_; }
    Iterator& operator++();
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.at_ == b.at_; }

   private:
    void load();
    const std::uint8_t* at_;
    const std::uint8_t* next_ = nullptr;
    std::optional<Element> element_;
  };

  /// An empty document.
  DocumentView();
  /// `bytes` is the whole document, length prefix and final NUL included.
  explicit DocumentView(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] ByteView bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return bytes_.size() <= 5; }
  [[nodiscard]] Iterator begin() const { return Iterator(bytes_.data() + 4); }
  [[nodiscard]] Iterator end() const { return Iterator(bytes_.data() + bytes_.size() - 1); }
  /// The first element of that name (names may repeat), found by a linear walk.
  [[nodiscard]] std::optional<ValueView> find(std::string_view name) const;
  /// Convenience: the string, document, number at `name`, if it is there with that type.
  [[nodiscard]] std::optional<std::string_view> find_string(std::string_view name) const;
  [[nodiscard]] std::optional<DocumentView> find_document(std::string_view name) const;
  [[nodiscard]] std::optional<std::int64_t> find_integral(std::string_view name) const;
  /// true for boolean true and for numbers other than 0; false when missing.
  [[nodiscard]] bool find_truthy(std::string_view name) const;

 private:
  ByteView bytes_;
};

/// A document that owns its bytes.
class Document {
 public:
  /// Empty.
  Document();
  /// Takes bytes that are known to be valid.
  explicit Document(Bytes bytes) : bytes_(std::move(bytes)) {}
  explicit Document(DocumentView view) : bytes_(to_bytes(view.bytes())) {}

  [[nodiscard]] DocumentView view() const { return DocumentView(bytes_); }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }
  [[nodiscard]] Bytes take() && { return std::move(bytes_); }

  friend bool operator==(const Document& a, const Document& b) { return a.bytes_ == b.bytes_; }

 private:
  Bytes bytes_;
};

/// A value that owns its bytes, e.g. a document key.
class Value {
 public:
  explicit Value(ValueView view) : type_(view.type()), bytes_(to_bytes(view.bytes())) {}
  Value(Type type, Bytes bytes) : type_(type), bytes_(std::move(bytes)) {}
  [[nodiscard]] ValueView view() const { return {type_, bytes_}; }

 private:
  Type type_;
  Bytes bytes_;
};

/// Checks the whole structure of untrusted bytes: lengths, terminators, types, nesting up to
/// `max_nesting`; every accessor above is safe afterwards. `bytes` must hold exactly one
/// document. Strings are not required to be UTF-8 (servers store what drivers sent).
/// Errors: corrupt. At 1 GB/s and more a core it is cheap enough to run on everything read.
[[nodiscard]] Status validate_document(ByteView bytes);

/// The length of the document that starts at the front of `bytes`, if its prefix is sane
/// (5 … max_document_bytes) and it fits; the content is not looked at.
[[nodiscard]] std::optional<std::size_t> front_document_size(ByteView bytes);

/// Encoded size of a value of `type` that starts at the front of `bytes`, or nothing if it does
/// not fit. Sub-documents are measured by their prefix only.
[[nodiscard]] std::optional<std::size_t> value_size(Type type, ByteView bytes);

}  // namespace holdfast::bson
