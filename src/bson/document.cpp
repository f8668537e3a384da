#include "bson/document.h"

#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>

#include "bson/decimal128.h"

namespace holdfast::bson {

namespace {

constexpr std::array<std::uint8_t, 5> empty_document_bytes = {5, 0, 0, 0, 0};

/// What `size_rules` says of a type, where it is not simply a size.
enum SizeRule : std::uint8_t {
  unknown_rule = 0xf0,
  string_rule,
  document_rule,
  binary_rule,
  regex_rule,
  db_pointer_rule,
  code_with_scope_rule,
  /// One byte, 0 or 1.
  boolean_rule,
};

/// For each type byte: the size of its values if all have one size, else a SizeRule.
constexpr std::array<std::uint8_t, 256> make_size_rules() {
  std::array<std::uint8_t, 256> rules{};
  rules.fill(unknown_rule);
  const auto set = [&rules](Type type, std::uint8_t rule) {
    rules[static_cast<std::uint8_t>(type)] = rule;
  };
  set(Type::float64, 8);
  set(Type::string, string_rule);
  set(Type::document, document_rule);
  set(Type::array, document_rule);
  set(Type::binary, binary_rule);
  set(Type::undefined, 0);
  set(Type::object_id, 12);
  set(Type::boolean, boolean_rule);
  set(Type::date, 8);
  set(Type::null, 0);
  set(Type::regex, regex_rule);
  set(Type::db_pointer, db_pointer_rule);
  set(Type::code, string_rule);
  set(Type::symbol, string_rule);
  set(Type::code_with_scope, code_with_scope_rule);
  set(Type::int32, 4);
  set(Type::timestamp, 8);
  set(Type::int64, 8);
  set(Type::decimal128, 16);
  set(Type::min_key, 0);
  set(Type::max_key, 0);
  return rules;
}

constexpr auto size_rules = make_size_rules();

std::size_t load_length(const std::uint8_t* at) {
  // A negative length becomes a huge one, which fits nowhere.
  return static_cast<std::size_t>(
      static_cast<std::ptrdiff_t>(load_little_endian<std::int32_t>(at)));
}

std::size_t c_string_size(const std::uint8_t* at) {
  return std::strlen(reinterpret_cast<const char*>(at)) + 1;
}

/// Size of a value in bytes that are known to be valid.
std::size_t trusted_size(std::uint8_t type, const std::uint8_t* at) {
  const std::uint8_t rule = size_rules[type];
  if (rule < unknown_rule) return rule;
  switch (rule) {
    case string_rule: return 4 + load_length(at);
    case document_rule:
    case code_with_scope_rule: return load_length(at);
    case binary_rule: return 5 + load_length(at);
    case db_pointer_rule: return 16 + load_length(at);
    case boolean_rule: return 1;
    case regex_rule: {
      const std::size_t pattern = c_string_size(at);
      return pattern + c_string_size(at + pattern);
    }
    default: assert(false && "iterating over bytes that were not validated"); return 0;
  }
}

/// The first NUL in [at, end), or null. Names are short: a call of memchr would cost more than
/// they.
const std::uint8_t* find_nul(const std::uint8_t* at, const std::uint8_t* end) {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  for (; end - at >= 8; at += 8) {
    const auto word = load_little_endian<std::uint64_t>(at);
    // Borrows only reach bytes above the first zero one.
    const std::uint64_t zeros = (word - ones) & ~word & high_bits;
    if (zeros != 0) return at + std::countr_zero(zeros) / 8;
  }
  for (; at != end; ++at) {
    if (*at == 0) return at;
  }
  return nullptr;
}

/// Walks untrusted bytes without recursion. What it finds wrong stands in `reason()`.
class Validator {
 public:
  explicit Validator(ByteView bytes) : begin_(bytes.data()), at_(bytes.data()) {}

  bool run(std::size_t size) {
    if (size < 5) return fail("shorter than the shortest document");
    if (load_length(begin_) != size) return fail("length prefix differs from the size");
    if (begin_[size - 1] != 0) return fail("no NUL at the end of a document");
    limit_ = begin_ + size - 1;
    at_ = begin_ + 4;
    for (;;) {
      while (at_ < limit_) {
        if (!element()) return false;
      }
      if (depth_ == 0) return true;
      at_ = limit_ + 1;
      limit_ = outer_limits_[--depth_];
    }
  }

  [[nodiscard]] const char* reason() const { return reason_; }
  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  bool fail(const char* reason) {
    reason_ = reason;
    return false;
  }

  [[nodiscard]] std::size_t room() const { return static_cast<std::size_t>(limit_ - at_); }

  /// `at_` stands on a type byte below `limit_`, which is the NUL that ends the document.
  bool element() {
    const std::uint8_t rule = size_rules[*at_];
    const std::uint8_t* const name_end = find_nul(at_ + 1, limit_);
    if (name_end == nullptr) return fail("a field name does not end");
    if (rule == unknown_rule) return fail("unknown element type");
    at_ = name_end + 1;
    if (rule < unknown_rule) {
      if (room() < rule) return fail("a value is cut off");
      at_ += rule;
      return true;
    }
    switch (rule) {
      case string_rule: return string();
      case document_rule: return enter_document();
      case binary_rule: return binary();
      case boolean_rule: return boolean();
      case regex_rule: return c_string() && c_string();
      case db_pointer_rule: return db_pointer();
      default: return code_with_scope();
    }
  }

  bool string() {
    if (room() < 5) return fail("a string is cut off");
    const std::size_t length = load_length(at_);
    if (length == 0 || length > room() - 4) return fail("a string's length is wrong");
    if (at_[4 + length - 1] != 0) return fail("no NUL at the end of a string");
    at_ += 4 + length;
    return true;
  }

  bool enter_document() {
    if (room() < 5) return fail("a sub-document is cut off");
    const std::size_t length = load_length(at_);
    if (length < 5 || length > room()) return fail("a sub-document's length is wrong");
    const std::uint8_t* inner_limit = at_ + length - 1;
    if (*inner_limit != 0) return fail("no NUL at the end of a sub-document");
    // The outermost document is the first level.
    if (depth_ + 1 >= outer_limits_.size()) return fail("nested too deeply");
    outer_limits_[depth_++] = limit_;
    limit_ = inner_limit;
    at_ += 4;
    return true;
  }

  bool binary() {
    if (room() < 5) return fail("binary data is cut off");
    const std::size_t length = load_length(at_);
    if (length > room() - 5) return fail("the length of binary data is wrong");
    at_ += 5 + length;
    return true;
  }

  bool boolean() {
    if (room() < 1) return fail("a boolean is cut off");
    if (*at_ > 1) return fail("a boolean is neither 0 nor 1");
    ++at_;
    return true;
  }

  bool c_string() {
    const void* end = room() == 0 ? nullptr : std::memchr(at_, 0, room());
    if (end == nullptr) return fail("a regular expression does not end");
    at_ = static_cast<const std::uint8_t*>(end) + 1;
    return true;
  }

  bool db_pointer() {
    if (!string()) return false;
    if (room() < 12) return fail("a DBPointer is cut off");
    at_ += 12;
    return true;
  }

  bool code_with_scope() {
    // Total length, an empty string, an empty scope.
    if (room() < 4 + 5 + 5) return fail("code with scope is cut off");
    const std::size_t total = load_length(at_);
    if (total < 4 + 5 + 5 || total > room()) return fail("the length of code with scope is wrong");
    const std::uint8_t* value_end = at_ + total;
    at_ += 4;
    const std::size_t code_length = load_length(at_);
    if (code_length == 0 || code_length > total - 4 - 4 - 5) {
      return fail("the code's length in code with scope is wrong");
    }
    if (!string()) return false;
    if (load_length(at_) != static_cast<std::size_t>(value_end - at_)) {
      return fail("the scope's length in code with scope is wrong");
    }
    return enter_document();
  }

  const std::uint8_t* begin_;
  const std::uint8_t* at_;
  const std::uint8_t* limit_ = nullptr;
  const char* reason_ = nullptr;
  std::size_t depth_ = 0;
  std::array<const std::uint8_t*, static_cast<std::size_t>(max_nesting)> outer_limits_;
};

std::optional<std::size_t> regex_size(ByteView bytes) {
  std::size_t size = 0;
  for (int part = 0; part < 2; ++part) {
    if (size == bytes.size()) return std::nullopt;
    const void* end = std::memchr(bytes.data() + size, 0, bytes.size() - size);
    if (end == nullptr) return std::nullopt;
    size = static_cast<std::size_t>(static_cast<const std::uint8_t*>(end) - bytes.data()) + 1;
  }
  return size;
}

}  // namespace

// --- ValueView

bool ValueView::is_number() const {
  return type_ == Type::int32 || type_ == Type::int64 || type_ == Type::float64 ||
         type_ == Type::decimal128;
}

double ValueView::as_double() const {
  assert(type_ == Type::float64);
  return load_little_endian<double>(bytes_.data());
}

std::int32_t ValueView::as_int32() const {
  assert(type_ == Type::int32);
  return load_little_endian<std::int32_t>(bytes_.data());
}

std::int64_t ValueView::as_int64() const {
  assert(type_ == Type::int64);
  return load_little_endian<std::int64_t>(bytes_.data());
}

bool ValueView::as_bool() const {
  assert(type_ == Type::boolean);
  return bytes_[0] != 0;
}

std::string_view ValueView::as_string() const {
  assert(type_ == Type::string || type_ == Type::symbol || type_ == Type::code);
  return as_text(bytes_.subspan(4, bytes_.size() - 5));
}

DocumentView ValueView::as_document() const {
  assert(type_ == Type::document || type_ == Type::array);
  return DocumentView(bytes_);
}

ByteView ValueView::as_object_id() const {
  assert(type_ == Type::object_id);
  return bytes_;
}

std::int64_t ValueView::as_date() const {
  assert(type_ == Type::date);
  return load_little_endian<std::int64_t>(bytes_.data());
}

std::uint64_t ValueView::as_timestamp() const {
  assert(type_ == Type::timestamp);
  return load_little_endian<std::uint64_t>(bytes_.data());
}

std::uint8_t ValueView::binary_subtype() const {
  assert(type_ == Type::binary);
  return bytes_[4];
}

ByteView ValueView::binary_data() const {
  assert(type_ == Type::binary);
  return bytes_.subspan(5);
}

std::optional<std::int64_t> ValueView::integral() const {
  switch (type_) {
    case Type::int32: return as_int32();
    case Type::int64: return as_int64();
    case Type::float64: {
      const double value = as_double();
      // 2^63 itself does not fit; NaN fails both comparisons.
      if (!(value >= -0x1p63 && value < 0x1p63) || std::trunc(value) != value) {
        return std::nullopt;
      }
      return static_cast<std::int64_t>(value);
    }
    case Type::decimal128: return decode_decimal128(bytes_).integral();
    default: return std::nullopt;
  }
}

// --- DocumentView

DocumentView::DocumentView() : bytes_(empty_document_bytes) {}

DocumentView::Iterator::Iterator(const std::uint8_t* at) : at_(at) { load(); }

DocumentView::Iterator& DocumentView::Iterator::operator++() {
  at_ = next_;
  load();
  return *this;
}

void DocumentView::Iterator::load() {
  const std::uint8_t type = *at_;
  if (type == 0) {
    element_.reset();
    return;
  }
  const auto* name = reinterpret_cast<const char*>(at_ + 1);
  const std::size_t name_size = std::strlen(name);
  const std::uint8_t* value = at_ + 1 + name_size + 1;
  const std::size_t size = trusted_size(type, value);
  next_ = value + size;
  element_.emplace(Element{std::string_view(name, name_size),
                           ValueView(static_cast<Type>(type), {value, size})});
}

std::optional<ValueView> DocumentView::find(std::string_view name) const {
  const std::uint8_t* at = bytes_.data() + 4;
  while (*at != 0) {
    const std::uint8_t type = *at;
    const auto* found = reinterpret_cast<const char*>(at + 1);
    const std::size_t found_size = std::strlen(found);
    const std::uint8_t* value = at + 1 + found_size + 1;
    const std::size_t size = trusted_size(type, value);
    if (std::string_view(found, found_size) == name) {
      return ValueView(static_cast<Type>(type), {value, size});
    }
    at = value + size;
  }
  return std::nullopt;
}

std::optional<std::string_view> DocumentView::find_string(std::string_view name) const {
  const auto value = find(name);
  if (!value || value->type() != Type::string) return std::nullopt;
  return value->as_string();
}

std::optional<DocumentView> DocumentView::find_document(std::string_view name) const {
  const auto value = find(name);
  if (!value || (value->type() != Type::document && value->type() != Type::array)) {
    return std::nullopt;
  }
  return value->as_document();
}

std::optional<std::int64_t> DocumentView::find_integral(std::string_view name) const {
  const auto value = find(name);
  if (!value) return std::nullopt;
  return value->integral();
}

bool DocumentView::find_truthy(std::string_view name) const {
  const auto value = find(name);
  if (!value) return false;
  switch (value->type()) {
    case Type::boolean: return value->as_bool();
    case Type::int32: return value->as_int32() != 0;
    case Type::int64: return value->as_int64() != 0;
    case Type::float64: return value->as_double() != 0;
    case Type::decimal128: return !decode_decimal128(value->bytes()).is_zero();
    default: return false;
  }
}

Document::Document() : bytes_(empty_document_bytes.begin(), empty_document_bytes.end()) {}

// --- Untrusted bytes

Status validate_document(ByteView bytes) {
  Validator validator(bytes);
  if (validator.run(bytes.size())) return {};
  return Error(ErrorCode::corrupt, "not a BSON document: " + std::string(validator.reason()) +
                                       " (at byte " + std::to_string(validator.offset()) + " of " +
                                       std::to_string(bytes.size()) + ")");
}

std::optional<std::size_t> front_document_size(ByteView bytes) {
  if (bytes.size() < 5) return std::nullopt;
  const std::size_t size = load_length(bytes.data());
  if (size < 5 || size > max_document_bytes || size > bytes.size()) return std::nullopt;
  return size;
}

std::optional<std::size_t> value_size(Type type, ByteView bytes) {
  const std::uint8_t rule = size_rules[static_cast<std::uint8_t>(type)];
  std::size_t extra = 0;
  std::size_t least = 0;
  switch (rule) {
    case unknown_rule: return std::nullopt;
    case boolean_rule: least = 1; break;
    case regex_rule: return regex_size(bytes);
    case string_rule: extra = 4, least = 5; break;
    case document_rule: least = 5; break;
    case binary_rule: extra = 5, least = 5; break;
    case db_pointer_rule: extra = 16, least = 17; break;
    case code_with_scope_rule: least = 14; break;
    default: least = rule; break;
  }
  if (bytes.size() < least) return std::nullopt;
  if (rule < unknown_rule || rule == boolean_rule) return least;
  const std::size_t length = load_length(bytes.data());
  if (length > bytes.size() || length + extra < least || length + extra > bytes.size()) {
    return std::nullopt;
  }
  return length + extra;
}

}  // namespace holdfast::bson
