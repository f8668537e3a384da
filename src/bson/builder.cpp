#include "bson/builder.h"

#include <cassert>
#include <limits>
#include <string>

namespace holdfast::bson {

namespace {

void append_sized_text(Bytes& out, std::string_view text) {
  append_little_endian(out, static_cast<std::int32_t>(text.size() + 1));
  append_bytes(out, as_bytes(text));
  out.push_back(0);
}

void append_c_string(Bytes& out, std::string_view text) {
  assert(text.find('\0') == std::string_view::npos);
  append_bytes(out, as_bytes(text));
  out.push_back(0);
}

}  // namespace

Builder::Builder() : bytes_(4, 0), open_{0} {}

void Builder::header(Type type, std::string_view name) {
  assert(!open_.empty() && "append after finish");
  bytes_.push_back(static_cast<std::uint8_t>(type));
  append_c_string(bytes_, name);
}

Builder& Builder::append(std::string_view name, ValueView value) {
  header(value.type(), name);
  append_bytes(bytes_, value.bytes());
  return *this;
}

Builder& Builder::append_double(std::string_view name, double value) {
  header(Type::float64, name);
  append_little_endian(bytes_, value);
  return *this;
}

Builder& Builder::append_string(std::string_view name, std::string_view value) {
  header(Type::string, name);
  append_sized_text(bytes_, value);
  return *this;
}

Builder& Builder::append_document(std::string_view name, DocumentView value) {
  return append(name, ValueView(Type::document, value.bytes()));
}

Builder& Builder::append_array(std::string_view name, DocumentView value) {
  return append(name, ValueView(Type::array, value.bytes()));
}

Builder& Builder::append_binary(std::string_view name, std::uint8_t subtype, ByteView value) {
  header(Type::binary, name);
  append_little_endian(bytes_, static_cast<std::int32_t>(value.size()));
  bytes_.push_back(subtype);
  append_bytes(bytes_, value);
  return *this;
}

Builder& Builder::append_object_id(std::string_view name, ByteView twelve_bytes) {
  assert(twelve_bytes.size() == 12);
  return append(name, ValueView(Type::object_id, twelve_bytes));
}

Builder& Builder::append_bool(std::string_view name, bool value) {
  header(Type::boolean, name);
  bytes_.push_back(value ? 1 : 0);
  return *this;
}

Builder& Builder::append_date(std::string_view name, std::int64_t milliseconds) {
  header(Type::date, name);
  append_little_endian(bytes_, milliseconds);
  return *this;
}

Builder& Builder::append_null(std::string_view name) {
  header(Type::null, name);
  return *this;
}

Builder& Builder::append_int32(std::string_view name, std::int32_t value) {
  header(Type::int32, name);
  append_little_endian(bytes_, value);
  return *this;
}

Builder& Builder::append_int64(std::string_view name, std::int64_t value) {
  header(Type::int64, name);
  append_little_endian(bytes_, value);
  return *this;
}

Builder& Builder::append_timestamp(std::string_view name, std::uint64_t seconds_and_increment) {
  header(Type::timestamp, name);
  append_little_endian(bytes_, seconds_and_increment);
  return *this;
}

Builder& Builder::append_regex(std::string_view name, std::string_view pattern,
                               std::string_view options) {
  header(Type::regex, name);
  append_c_string(bytes_, pattern);
  append_c_string(bytes_, options);
  return *this;
}

Builder& Builder::begin_document(std::string_view name) {
  header(Type::document, name);
  open_.push_back(bytes_.size());
  bytes_.resize(bytes_.size() + 4);
  return *this;
}

Builder& Builder::begin_array(std::string_view name) {
  header(Type::array, name);
  open_.push_back(bytes_.size());
  bytes_.resize(bytes_.size() + 4);
  return *this;
}

Builder& Builder::end() {
  assert(open_.size() > 1 && "end without begin");
  close_innermost();
  return *this;
}

Document Builder::finish() && {
  assert(open_.size() == 1 && "begin without end");
  close_innermost();
  return Document(std::move(bytes_));
}

void Builder::close_innermost() {
  bytes_.push_back(0);
  const std::size_t start = open_.back();
  const std::size_t size = bytes_.size() - start;
  assert(size <= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()));
  const auto prefix = static_cast<std::int32_t>(size);
  std::memcpy(bytes_.data() + start, &prefix, sizeof(prefix));
  open_.pop_back();
}

std::string array_index_name(std::size_t index) { return std::to_string(index); }

}  // namespace holdfast::bson
