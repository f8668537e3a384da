#include "bson/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>

#include "base/unicode.h"

namespace holdfast::bson {

namespace {

constexpr std::string_view replacement_character = "\xEF\xBF\xBD";
constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 0xff;

constexpr std::array<std::uint8_t, 256> make_base64_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_digit);
  for (std::size_t at = 0; at < base64_digits.size(); ++at) {
    values[static_cast<std::uint8_t>(base64_digits[at])] = static_cast<std::uint8_t>(at);
  }
  return values;
}

constexpr auto base64_values = make_base64_values();

void append_escape(std::string& out, char letter) {
  switch (letter) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  constexpr std::string_view hex = "0123456789abcdef";
  const auto byte = static_cast<std::uint8_t>(letter);
  out += "\\u00";
  out += hex[byte >> 4U];
  out += hex[byte & 15U];
}

bool stands_for_itself(char letter) {
  const auto byte = static_cast<std::uint8_t>(letter);
  return byte >= 0x20 && byte < 0x80 && letter != '"' && letter != '\\';
}

/// For a number that std::from_chars finds out of range: is it too small rather than too large?
/// The place of its first digit that is not 0 decides, with the exponent.
bool is_too_small(std::string_view text) {
  const std::size_t mark = text.find_first_of("eE");
  const std::string_view digits = text.substr(0, mark);
  long exponent = 0;
  if (mark != std::string_view::npos) {
    std::string_view tail = text.substr(mark + 1);
    const bool negative = tail.starts_with('-');
    if (negative || tail.starts_with('+')) tail.remove_prefix(1);
    const auto read = std::from_chars(tail.data(), tail.data() + tail.size(), exponent);
    if (read.ec != std::errc()) return negative;
    if (negative) exponent = -exponent;
  }
  const std::size_t point = std::min(digits.find('.'), digits.size());
  const std::size_t first = std::min(digits.find_first_of("123456789"), digits.size());
  const auto place = static_cast<long>(point) - static_cast<long>(first);
  return exponent < -place;
}

/// Takes fixed-width numbers off the front.
class DateScanner {
 public:
  explicit DateScanner(std::string_view rest) : rest_(rest) {}

  [[nodiscard]] bool done() const { return rest_.empty(); }
  [[nodiscard]] char peek() const { return rest_.empty() ? '\0' : rest_[0]; }
  bool take(char letter) {
    if (peek() != letter) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<int> digits(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (std::size_t at = 0; at < count; ++at) {
      if (rest_[at] < '0' || rest_[at] > '9') return std::nullopt;
      value = value * 10 + (rest_[at] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  std::optional<int> two_digits_up_to(int most) {
    const auto value = digits(2);
    return value && *value <= most ? value : std::nullopt;
  }
  /// After the point: at least one digit, of which three count.
  std::optional<int> milliseconds() {
    int value = 0;
    int count = 0;
    for (auto digit = digits(1); digit; digit = digits(1), ++count) {
      if (count < 3) value = value * 10 + *digit;
    }
    if (count == 0) return std::nullopt;
    for (; count < 3; ++count) value *= 10;
    return value;
  }
  /// Minutes east of UTC.
  std::optional<int> zone() {
    if (take('Z')) return 0;
    const int sign = peek() == '-' ? -1 : 1;
    if (!take('+') && !take('-')) return std::nullopt;
    const auto hours = two_digits_up_to(23);
    if (!hours) return std::nullopt;
    if (done()) return sign * *hours * 60;
    take(':');
    const auto minutes = two_digits_up_to(59);
    if (!minutes) return std::nullopt;
    return sign * (*hours * 60 + *minutes);
  }

 private:
  std::string_view rest_;
};

std::optional<std::chrono::sys_days> scan_day(DateScanner& scanner) {
  const auto year = scanner.digits(4);
  if (!year || !scanner.take('-')) return std::nullopt;
  const auto month = scanner.digits(2);
  if (!month || !scanner.take('-')) return std::nullopt;
  const auto day = scanner.digits(2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date};
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && stands_for_itself(text[plain])) ++plain;
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    if (static_cast<std::uint8_t>(text[0]) < 0x80) {
      append_escape(out, text[0]);
      text.remove_prefix(1);
      continue;
    }
    const std::string_view before = text;
    const bool valid = unicode::take(text) != unicode::invalid;
    out += valid ? before.substr(0, before.size() - text.size()) : replacement_character;
  }
  out += '"';
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    if (static_cast<std::uint8_t>(text[0]) < 0x80) {
      text.remove_prefix(1);
    } else if (unicode::take(text) == unicode::invalid) {
      return false;
    }
  }
  return true;
}

std::string sort_options(std::string_view options) {
  std::string sorted(options);
  const auto is_ascii = [](char letter) { return static_cast<std::uint8_t>(letter) < 0x80; };
  if (std::all_of(sorted.begin(), sorted.end(), is_ascii)) {
    std::sort(sorted.begin(), sorted.end());
  }
  return sorted;
}

std::string encode_base64(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = static_cast<std::uint32_t>(bytes[at]) << 16U;
    if (count > 1) group |= static_cast<std::uint32_t>(bytes[at + 1]) << 8U;
    if (count > 2) group |= bytes[at + 2];
    for (std::size_t digit = 0; digit < 4; ++digit) {
      text += digit <= count ? base64_digits[(group >> (18U - 6U * digit)) & 63U] : '=';
    }
  }
  return text;
}

std::optional<Bytes> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t at = 0; at < text.size(); at += 4) {
    std::string_view group = text.substr(at, 4);
    if (at + 4 == text.size()) {
      if (group.ends_with('=')) group.remove_suffix(1);
      if (group.ends_with('=')) group.remove_suffix(1);
    }
    std::uint32_t bits = 0;
    for (const char letter : group) {
      const std::uint8_t value = base64_values[static_cast<std::uint8_t>(letter)];
      if (value == no_digit) return std::nullopt;
      bits = (bits << 6U) | value;
    }
    bits <<= 6U * static_cast<unsigned>(4 - group.size());
    const std::size_t count = group.size() - 1;
    if (count == 0 || (count < 3 && (bits & (0xffffffU >> (8U * count))) != 0)) return std::nullopt;
    for (std::size_t byte = 0; byte < count; ++byte) {
      bytes.push_back(static_cast<std::uint8_t>(bits >> (16U - 8U * byte)));
    }
  }
  return bytes;
}

std::string format_double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  // Both notations give as few digits as bring the value back.
  const double size = std::fabs(value);
  const bool plain = size == 0 || (size >= 1e-5 && size < 1e17);
  std::array<char, 32> buffer{};
  const auto written =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                    plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer.data(), written.ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::optional<double> parse_double(std::string_view text) {
  if (text == "NaN") return std::nan("");
  if (text == "Infinity") return HUGE_VAL;
  if (text == "-Infinity") return -HUGE_VAL;
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative ? 1 : 0);
  // std::from_chars would also take "inf" and "nan".
  if (digits.empty() || digits[0] < '0' || digits[0] > '9') return std::nullopt;
  double value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ptr != digits.data() + digits.size()) return std::nullopt;
  if (read.ec == std::errc::result_out_of_range) {
    if (!is_too_small(digits)) return std::nullopt;
    value = 0;
  } else if (read.ec != std::errc()) {
    return std::nullopt;
  }
  return negative ? -value : value;
}

std::optional<std::string> format_date(std::int64_t milliseconds) {
  constexpr std::int64_t day_milliseconds = 86'400'000;
  constexpr std::int64_t year_10000 = 253'402'300'800'000;
  if (milliseconds < 0 || milliseconds >= year_10000) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{milliseconds / day_milliseconds}}};
  const std::int64_t rest = milliseconds % day_milliseconds;
  std::string text;
  const auto number = [&text](std::int64_t value, std::size_t width, char before) {
    if (before != '\0') text += before;
    const std::string digits = std::to_string(value);
    text.append(width - digits.size(), '0').append(digits);
  };
  number(int{date.year()}, 4, '\0');
  number(unsigned{date.month()}, 2, '-');
  number(unsigned{date.day()}, 2, '-');
  number(rest / 3'600'000, 2, 'T');
  number(rest / 60'000 % 60, 2, ':');
  number(rest / 1000 % 60, 2, ':');
  if (rest % 1000 != 0) number(rest % 1000, 3, '.');
  return text + 'Z';
}

std::optional<std::int64_t> parse_date(std::string_view text) {
  DateScanner scanner(text);
  const auto day = scan_day(scanner);
  if (!day || !scanner.take('T')) return std::nullopt;
  const auto hour = scanner.two_digits_up_to(23);
  if (!hour || !scanner.take(':')) return std::nullopt;
  const auto minute = scanner.two_digits_up_to(59);
  if (!minute) return std::nullopt;
  std::optional<int> second = 0;
  std::optional<int> milliseconds = 0;
  if (scanner.take(':')) {
    second = scanner.two_digits_up_to(59);
    if (second && scanner.take('.')) milliseconds = scanner.milliseconds();
  }
  const auto zone = second && milliseconds ? scanner.zone() : std::nullopt;
  if (!zone || !scanner.done()) return std::nullopt;
  const std::int64_t days = day->time_since_epoch().count();
  const std::int64_t minutes = (days * 24 + *hour) * 60 + *minute - *zone;
  return (minutes * 60 + *second) * 1000 + *milliseconds;
}

}  // namespace holdfast::bson
