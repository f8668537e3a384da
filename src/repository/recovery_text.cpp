#include "repository/recovery_text.h"

#include <sodium.h>

#include <array>
#include <cassert>
#include <cstring>
#include <optional>

#include "base/sodium.h"

namespace holdfast::repository {
namespace {

constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t check_bytes = 3;
constexpr std::size_t all_bytes = recovery_key_bytes + check_bytes;
constexpr std::size_t bits_a_digit = 5;
constexpr std::size_t digits = all_bytes * 8 / bits_a_digit;
constexpr std::size_t group = 4;
constexpr std::size_t text_bytes = digits + digits / group - 1;

void write_check(std::span<std::uint8_t> all) {
  ensure_sodium();
  std::array<std::uint8_t, crypto_generichash_BYTES> digest{};
  crypto_generichash(digest.data(), digest.size(), all.data(), recovery_key_bytes, nullptr, 0);
  std::memcpy(all.data() + recovery_key_bytes, digest.data(), check_bytes);
}

std::optional<std::uint8_t> digit_of(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c == 'O') c = '0';
  if (c == 'I' || c == 'L') c = '1';
  const auto at = alphabet.find(c);
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<std::uint8_t>(at);
}

bool is_filler(char c) { return c == '-' || c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

Error mistyped(std::string_view why) {
  return {ErrorCode::wrong_key, "this is not a recovery key: " + std::string(why),
          "compare it with what init or `key add` printed: 14 groups of 4 characters"};
}

}  // namespace

SecretBytes recovery_text(ByteView key) {
  assert(key.size() == recovery_key_bytes);
  SecretBytes all(all_bytes);
  std::memcpy(all.span().data(), key.data(), key.size());
  write_check(all.span());

  SecretBytes text(text_bytes);
  std::size_t at = 0;
  for (std::size_t digit = 0; digit < digits; ++digit) {
    if (digit > 0 && digit % group == 0) text.span()[at++] = '-';
    unsigned value = 0;
    for (std::size_t bit = digit * bits_a_digit; bit < (digit + 1) * bits_a_digit; ++bit) {
      value = (value << 1U) | ((all.view()[bit / 8] >> (7U - bit % 8)) & 1U);
    }
    text.span()[at++] = static_cast<std::uint8_t>(alphabet[value]);
  }
  return text;
}

Result<SecretBytes> parse_recovery_text(ByteView text) {
  SecretBytes all(all_bytes);
  std::size_t digit = 0;
  for (const char c : as_text(text)) {
    if (is_filler(c)) continue;
    const auto value = digit_of(c);
    if (!value) return mistyped("it holds a character that no recovery key has");
    if (digit == digits) return mistyped("it is too long");
    for (std::size_t bit = 0; bit < bits_a_digit; ++bit) {
      const std::size_t to = digit * bits_a_digit + bit;
      const unsigned set = (*value >> (bits_a_digit - 1 - bit)) & 1U;
      all.span()[to / 8] = static_cast<std::uint8_t>(all.span()[to / 8] | (set << (7U - to % 8)));
    }
    ++digit;
  }
  if (digit != digits) return mistyped("it is too short");

  SecretBytes checked = all.clone();
  write_check(checked.span());
  if (!same_secret(checked.view(), all.view())) {
    return mistyped("its check characters do not fit, so it has a typo");
  }
  return SecretBytes(all.view().first(recovery_key_bytes));
}

}  // namespace holdfast::repository
