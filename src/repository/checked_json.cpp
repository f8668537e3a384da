#include "repository/checked_json.h"

#include <sodium.h>

#include <array>
#include <cassert>
#include <limits>

#include "base/sodium.h"

namespace holdfast::repository {
namespace {

constexpr std::string_view checksum_opening = ",\"checksum\":\"";
constexpr std::string_view closing = "\"}\n";
constexpr std::size_t checksum_digits = 64;
constexpr std::size_t suffix_bytes = checksum_opening.size() + checksum_digits + closing.size();

std::string checksum_suffix(std::string_view covered) {
  ensure_sodium();
  std::array<std::uint8_t, checksum_digits / 2> digest{};
  crypto_generichash(digest.data(), digest.size(), as_bytes(covered).data(), covered.size(),
                     nullptr, 0);
  return std::string(checksum_opening) + to_hex(digest) + std::string(closing);
}

Error damaged(std::string_view name) {
  return {ErrorCode::corrupt, std::string(name) + " is damaged: its checksum does not fit"};
}

Error bad_member(std::string_view name, const char* member) {
  return {ErrorCode::corrupt, std::string(name) + ": \"" + member + "\" is missing or wrong"};
}

}  // namespace

std::string encode_checked_json(const Json& members) {
  assert(members.is_object() && !members.empty());
  std::string text = members.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.pop_back();  // the closing brace
  return text + checksum_suffix(text);
}

Result<Json> decode_checked_json(std::string_view name, ByteView bytes) {
  const std::string_view text = as_text(bytes);
  if (text.size() <= suffix_bytes || text.size() > max_checked_json_bytes) return damaged(name);
  const std::string_view covered = text.substr(0, text.size() - suffix_bytes);
  if (text.substr(covered.size()) != checksum_suffix(covered)) return damaged(name);
  Json json = Json::parse(std::string(covered) + "}", nullptr, false);
  if (!json.is_object()) return damaged(name);
  return json;
}

Result<std::string> json_text(std::string_view name, const Json& json, const char* member) {
  const auto found = json.find(member);
  if (found == json.end() || !found->is_string()) return bad_member(name, member);
  return found->get<std::string>();
}

Result<std::int64_t> json_integer(std::string_view name, const Json& json, const char* member,
                                  std::int64_t least, std::int64_t most) {
  const auto found = json.find(member);
  if (found == json.end() || !found->is_number_integer()) return bad_member(name, member);
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (found->is_number_unsigned() && found->get<std::uint64_t>() > largest) {
    return bad_member(name, member);
  }
  const auto number = found->get<std::int64_t>();
  if (number < least || number > most) return bad_member(name, member);
  return number;
}

}  // namespace holdfast::repository
