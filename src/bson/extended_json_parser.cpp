#include <charconv>
#include <cstddef>
#include <string>

#include "base/unicode.h"
#include "bson/builder.h"
#include "bson/extended_json.h"
#include "bson/extended_json_wrapper.h"
#include "bson/json_text.h"

namespace holdfast::bson {

namespace {

/// Wrappers nest objects that the document does not have: {"$dbPointer": {"$id": {"$oid": …}}}.
constexpr int max_json_nesting = max_nesting + 3;
/// Base64 and wrappers are longer than what they stand for, so a document may pass its limit while
/// it is read; it is checked again when it is complete.
constexpr std::size_t max_working_bytes = 2 * max_document_bytes;

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

/// Recursive descent that writes BSON as it reads. An object in the place of a value is first
/// written as a document, then replaced if it turns out to be a wrapper.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Document> run() {
    skip_space();
    if (peek() != '{') return error_at(at_, "expected {");
    const std::size_t begin = at_;
    if (!container(1)) return error_at(error_at_, reason_);
    skip_space();
    if (at_ != text_.size()) return error_at(at_, "expected nothing after the object");
    if (out_.size() > max_document_bytes) return error_at(begin, "the document is too large");
    if (!validate_document(out_)) return error_at(begin, "nested too deeply");
    return Document(std::move(out_));
  }

 private:
  [[nodiscard]] Error error_at(std::size_t position, const std::string& reason) const {
    std::size_t line = 1;
    std::size_t column = 1;
    for (const char letter : text_.substr(0, position)) {
      if (letter == '\n') {
        ++line;
        column = 1;
      } else if ((static_cast<unsigned char>(letter) & 0xc0U) != 0x80U) {
        ++column;
      }
    }
    return Error(ErrorCode::usage, "line " + std::to_string(line) + ", column " +
                                       std::to_string(column) + ": " + reason);
  }

  bool fail(std::string reason) { return fail_at(at_, std::move(reason)); }
  bool fail_at(std::size_t position, std::string reason) {
    error_at_ = position;
    reason_ = std::move(reason);
    return false;
  }

  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char letter) {
    if (peek() != letter) return false;
    ++at_;
    return true;
  }
  void skip_space() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }

  /// An object or array, from its bracket on, written as a document.
  bool container(int depth) {
    if (depth > max_json_nesting) return fail("nested too deeply");
    const bool array = text_[at_++] == '[';
    const char close = array ? ']' : '}';
    const std::size_t start = out_.size();
    out_.resize(start + 4);
    skip_space();
    bool more = !take(close);
    for (std::size_t index = 0; more; ++index) {
      const std::size_t type_at = out_.size();
      out_.push_back(0);
      if (!(array ? index_name(index) : name()) || !value(type_at, depth)) return false;
      if (out_.size() > max_working_bytes) return fail("the document is too large");
      skip_space();
      more = take(',');
      if (more) skip_space();
      if (!more && !take(close)) return fail(array ? "expected , or ]" : "expected , or }");
    }
    out_.push_back(0);
    patch_length(start, out_.size() - start);
    return true;
  }

  void patch_length(std::size_t at, std::size_t length) {
    const auto number = static_cast<std::int32_t>(length);
    std::memcpy(out_.data() + at, &number, sizeof(number));
  }

  bool index_name(std::size_t index) {
    append_bytes(out_, as_bytes(array_index_name(index)));
    out_.push_back(0);
    return true;
  }

  bool name() {
    if (peek() != '"') return fail("expected a name in quotes");
    const std::size_t begin = at_;
    const std::size_t start = out_.size();
    if (!string()) return false;
    if (as_text(ByteView(out_).subspan(start)).find('\0') != std::string_view::npos) {
      return fail_at(begin, "a name cannot hold NUL");
    }
    out_.push_back(0);
    skip_space();
    if (!take(':')) return fail("expected :");
    return true;
  }

  bool value(std::size_t type_at, int depth) {
    skip_space();
    switch (peek()) {
      case '{': return object(type_at, depth);
      case '[': set_type(type_at, Type::array); return container(depth + 1);
      case '"': return text_value(type_at);
      case 't': return word("true", type_at, Type::boolean, 1);
      case 'f': return word("false", type_at, Type::boolean, 0);
      case 'n': return word("null", type_at, Type::null, std::nullopt);
      default: break;
    }
    if (peek() == '-' || is_digit(peek())) return number(type_at);
    return fail("expected a value");
  }

  void set_type(std::size_t type_at, Type type) { out_[type_at] = static_cast<std::uint8_t>(type); }

  bool object(std::size_t type_at, int depth) {
    const std::size_t begin = at_;
    const std::size_t start = out_.size();
    set_type(type_at, Type::document);
    if (!container(depth + 1)) return false;
    const auto unwrapped = unwrap(DocumentView(ByteView(out_).subspan(start)));
    if (!unwrapped) return fail_at(begin, unwrapped.error().message());
    if (!*unwrapped) return true;
    const ValueView real = (*unwrapped)->view();
    set_type(type_at, real.type());
    out_.resize(start);
    append_bytes(out_, real.bytes());
    return true;
  }

  bool word(std::string_view text, std::size_t type_at, Type type,
            std::optional<std::uint8_t> byte) {
    if (text_.substr(at_, text.size()) != text) return fail("expected a value");
    at_ += text.size();
    set_type(type_at, type);
    if (byte) out_.push_back(*byte);
    return true;
  }

  bool text_value(std::size_t type_at) {
    set_type(type_at, Type::string);
    const std::size_t start = out_.size();
    out_.resize(start + 4);
    if (!string()) return false;
    out_.push_back(0);
    patch_length(start, out_.size() - start - 4);
    return true;
  }

  /// Appends the text of a string, decoded, without a NUL.
  bool string() {
    const std::size_t begin = at_++;
    for (;;) {
      const std::size_t plain = at_;
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
             static_cast<unsigned char>(text_[at_]) >= 0x20) {
        ++at_;
      }
      const std::string_view piece = text_.substr(plain, at_ - plain);
      if (!is_utf8(piece)) return fail_at(plain, "not UTF-8");
      append_bytes(out_, as_bytes(piece));
      if (at_ == text_.size()) return fail_at(begin, "a string does not end");
      if (take('"')) return true;
      if (peek() != '\\') return fail("a control character in a string");
      if (!escape()) return false;
    }
  }

  bool escape() {
    const std::size_t begin = at_++;
    const char letter = peek();
    constexpr std::string_view from = "\"\\/bfnrt";
    constexpr std::string_view to = "\"\\/\b\f\n\r\t";
    if (letter == 'u') return unicode_escape(begin);
    const std::size_t which = letter == '\0' ? std::string_view::npos : from.find(letter);
    if (which == std::string_view::npos) return fail_at(begin, "unknown escape");
    ++at_;
    out_.push_back(static_cast<std::uint8_t>(to[which]));
    return true;
  }

  /// The four digits after "\u"; `at_` stands on the u.
  std::optional<char32_t> four_digits() {
    const auto bytes = text_.size() - at_ > 4 ? from_hex(text_.substr(at_ + 1, 4)) : std::nullopt;
    if (!bytes) return std::nullopt;
    at_ += 5;
    return static_cast<char32_t>((*bytes)[0] * 256 + (*bytes)[1]);
  }

  bool unicode_escape(std::size_t begin) {
    auto letter = four_digits();
    if (!letter) return fail_at(begin, "\\u needs four hexadecimal digits");
    if (*letter >= 0xd800 && *letter < 0xdc00 && take('\\')) {
      const auto low = peek() == 'u' ? four_digits() : std::nullopt;
      if (low && *low >= 0xdc00 && *low < 0xe000) {
        letter = 0x10000 + ((*letter - 0xd800) << 10U) + (*low - 0xdc00);
      }
    }
    if (*letter >= 0xd800 && *letter < 0xe000) {
      return fail_at(begin, "half of a surrogate pair");
    }
    append_utf8(*letter);
    return true;
  }

  void append_utf8(char32_t letter) {
    const auto put = [this](char32_t byte) { out_.push_back(static_cast<std::uint8_t>(byte)); };
    if (letter < 0x80) return put(letter);
    if (letter < 0x800) {
      put(0xc0U | (letter >> 6U));
    } else if (letter < 0x10000) {
      put(0xe0U | (letter >> 12U));
      put(0x80U | ((letter >> 6U) & 63U));
    } else {
      put(0xf0U | (letter >> 18U));
      put(0x80U | ((letter >> 12U) & 63U));
      put(0x80U | ((letter >> 6U) & 63U));
    }
    put(0x80U | (letter & 63U));
  }

  bool digits() {
    if (!is_digit(peek())) return fail("expected a digit");
    while (is_digit(peek())) ++at_;
    return true;
  }

  bool number(std::size_t type_at) {
    const std::size_t begin = at_;
    take('-');
    if (peek() == '0' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1])) {
      return fail("a number with a leading 0");
    }
    if (!digits()) return false;
    bool integer = true;
    if (take('.')) {
      integer = false;
      if (!digits()) return false;
    }
    if (peek() == 'e' || peek() == 'E') {
      integer = false;
      ++at_;
      if (!take('+')) take('-');
      if (!digits()) return false;
    }
    const std::string_view text = text_.substr(begin, at_ - begin);
    if (integer && write_integer(type_at, text)) return true;
    const auto real = parse_double(text);
    if (!real) return fail_at(begin, "the number is too large");
    set_type(type_at, Type::float64);
    append_little_endian(out_, *real);
    return true;
  }

  bool write_integer(std::size_t type_at, std::string_view text) {
    std::int64_t number = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) {
      return false;
    }
    if (static_cast<std::int32_t>(number) == number) {
      set_type(type_at, Type::int32);
      append_little_endian(out_, static_cast<std::int32_t>(number));
    } else {
      set_type(type_at, Type::int64);
      append_little_endian(out_, number);
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Bytes out_;
  std::size_t error_at_ = 0;
  std::string reason_;
};

}  // namespace

Result<Document> from_json(std::string_view text) { return Parser(text).run(); }

}  // namespace holdfast::bson
