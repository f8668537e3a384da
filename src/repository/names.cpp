#include "repository/names.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/bytes.h"

namespace holdfast::repository {
namespace {

constexpr std::string_view snapshots_folder = "/snapshots/";
constexpr std::string_view segments_folder = "/segments/";
constexpr std::string_view log_folder = "/log/";
constexpr std::string_view removed_suffix = ".removed";
constexpr std::string_view json_suffix = ".json";
constexpr std::size_t short_id_digits = 16;
constexpr std::size_t file_digits = 32;
constexpr std::size_t scope_digits = 8;
constexpr std::size_t time_digits = 16;

std::string joined(std::string_view a, std::string_view b, std::string_view c) {
  std::string name;
  name.reserve(a.size() + b.size() + c.size());
  name.append(a).append(b).append(c);
  return name;
}

std::optional<std::uint32_t> parse_generation(std::string_view digits) {
  constexpr std::size_t most_digits = 9;
  if (digits.empty() || digits.size() > most_digits || digits.front() == '0') return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number < 2) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_source_id(std::string_view id) {
  constexpr std::size_t longest = 64;
  if (id.empty() || id.size() > longest || id == "keys" || id == "probe") return false;
  return std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
  });
}

std::string key_name(std::string_view key_id) { return joined(keys_prefix, key_id, json_suffix); }

std::string key_tombstone_name(std::string_view key_id) {
  return joined(keys_prefix, key_id, removed_suffix);
}

std::string snapshots_prefix(std::string_view source) {
  return joined(source, snapshots_folder, {});
}

std::string segments_prefix(std::string_view source) { return joined(source, segments_folder, {}); }

std::string manifest_name(std::string_view source, std::string_view id, std::uint32_t generation) {
  std::string name = joined(source, snapshots_folder, id);
  if (generation > 1) name += ".g" + std::to_string(generation);
  return name;
}

std::string tombstone_name(std::string_view source, std::string_view id) {
  return joined(source, snapshots_folder, id).append(removed_suffix);
}

std::string lease_name(std::string_view source, std::string_view random) {
  return joined(source, "/leases/", random);
}

std::string segment_name(std::string_view source, std::string_view file) {
  return joined(source, segments_folder, file);
}

std::string log_prefix(std::string_view source) { return joined(source, log_folder, {}); }

std::string LogBlobName::text() const {
  std::array<std::uint8_t, sizeof(start)> big_endian{};  // so that names sort by time
  for (std::size_t at = 0; at < big_endian.size(); ++at) {
    big_endian[at] = static_cast<std::uint8_t>(start >> (8 * (big_endian.size() - 1 - at)));
  }
  return joined(source, log_folder, scope) + "-" + to_hex(big_endian) + "-" + start_digest;
}

std::optional<SnapshotBlobName> parse_snapshot_blob(std::string_view name) {
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view source = name.substr(0, slash);
  std::string_view rest = name.substr(slash);
  if (!is_source_id(source) || !rest.starts_with(snapshots_folder)) return std::nullopt;
  rest.remove_prefix(snapshots_folder.size());
  if (rest.size() < short_id_digits) return std::nullopt;
  const std::string_view id = rest.substr(0, short_id_digits);
  const std::string_view suffix = rest.substr(short_id_digits);
  if (!is_hex(id, short_id_digits)) return std::nullopt;

  SnapshotBlobName parsed{std::string(source), std::string(id), 1};
  if (suffix.empty()) return parsed;
  parsed.generation = 0;
  if (suffix == removed_suffix) return parsed;
  if (!suffix.starts_with(".g")) return std::nullopt;
  const auto generation = parse_generation(suffix.substr(2));
  if (!generation) return std::nullopt;
  parsed.generation = *generation;
  return parsed;
}

std::optional<SegmentBlobName> parse_segment_blob(std::string_view name) {
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view source = name.substr(0, slash);
  std::string_view rest = name.substr(slash);
  if (!is_source_id(source) || !rest.starts_with(segments_folder)) return std::nullopt;
  rest.remove_prefix(segments_folder.size());
  if (!is_hex(rest, file_digits)) return std::nullopt;
  return SegmentBlobName{std::string(source), std::string(rest)};
}

std::optional<LogBlobName> parse_log_blob(std::string_view name) {
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view source = name.substr(0, slash);
  std::string_view rest = name.substr(slash);
  if (!is_source_id(source) || !rest.starts_with(log_folder)) return std::nullopt;
  rest.remove_prefix(log_folder.size());
  constexpr std::size_t length = scope_digits + 1 + time_digits + 1 + short_id_digits;
  if (rest.size() != length) return std::nullopt;
  const std::string_view scope = rest.substr(0, scope_digits);
  const std::string_view time = rest.substr(scope_digits + 1, time_digits);
  const std::string_view token = rest.substr(length - short_id_digits);
  if (!is_hex(scope, scope_digits) || !is_hex(time, time_digits) ||
      !is_hex(token, short_id_digits) || rest[scope_digits] != '-' ||
      rest[length - short_id_digits - 1] != '-') {
    return std::nullopt;
  }
  LogBlobName parsed{std::string(source), std::string(scope), 0, std::string(token)};
  constexpr int hexadecimal = 16;
  std::from_chars(time.data(), time.data() + time.size(), parsed.start, hexadecimal);
  return parsed;
}

std::optional<KeyBlobName> parse_key_blob(std::string_view name) {
  if (!name.starts_with(keys_prefix)) return std::nullopt;
  name.remove_prefix(keys_prefix.size());
  if (name.size() < short_id_digits) return std::nullopt;
  const std::string_view id = name.substr(0, short_id_digits);
  const std::string_view suffix = name.substr(short_id_digits);
  if (!is_hex(id, short_id_digits)) return std::nullopt;
  if (suffix != json_suffix && suffix != removed_suffix) return std::nullopt;
  return KeyBlobName{std::string(id), suffix == removed_suffix};
}

}  // namespace holdfast::repository
