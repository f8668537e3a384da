#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bson/document.h"

namespace holdfast::bson {

/// Writes one document, appending elements in order. Sub-documents nest:
/// `b.begin_document("a"); … b.end(); Document d = std::move(b).finish();`
/// Names must not contain NUL (asserted). Not thread-safe.
class Builder {
 public:
  Builder();

  Builder& append(std::string_view name, ValueView value);
  Builder& append_double(std::string_view name, double value);
  Builder& append_string(std::string_view name, std::string_view value);
  Builder& append_document(std::string_view name, DocumentView value);
  Builder& append_array(std::string_view name, DocumentView value);
  Builder& append_binary(std::string_view name, std::uint8_t subtype, ByteView value);
  Builder& append_object_id(std::string_view name, ByteView twelve_bytes);
  Builder& append_bool(std::string_view name, bool value);
  Builder& append_date(std::string_view name, std::int64_t milliseconds);
  Builder& append_null(std::string_view name);
  Builder& append_int32(std::string_view name, std::int32_t value);
  Builder& append_int64(std::string_view name, std::int64_t value);
  Builder& append_timestamp(std::string_view name, std::uint64_t seconds_and_increment);
  Builder& append_regex(std::string_view name, std::string_view pattern, std::string_view options);
  Builder& begin_document(std::string_view name);
  Builder& begin_array(std::string_view name);
  /// Closes the innermost open sub-document or array.
  Builder& end();

  /// Closes the document. Requires every begin to have its end.
  [[nodiscard]] Document finish() &&;

 private:
  void header(Type type, std::string_view name);
  void close_innermost();
  Bytes bytes_;
  std::vector<std::size_t> open_;
};

/// The name of an array's element: "0", "1", …
[[nodiscard]] std::string array_index_name(std::size_t index);

}  // namespace holdfast::bson
