#include "transfer/find_dumps.h"

#include <algorithm>
#include <cctype>
#include <ctime>

#include "base/file.h"

namespace holdfast::transfer {

namespace fs = std::filesystem;

namespace {

/// Deepest place of a BSON file below a dump's folder: "TIMESTAMP/shop/users.bson".
constexpr int max_depth = 3;

bool holds_documents(const fs::path& folder) {
  std::error_code failed;
  fs::recursive_directory_iterator entry(folder, failed);
  for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
    if (entry.depth() >= max_depth) entry.disable_recursion_pending();
    const std::string name = entry->path().filename().string();
    if (name.ends_with(".bson") || name.ends_with(".bson.gz")) return true;
  }
  return false;
}

WallTime last_change(const fs::path& path) {
  std::error_code failed;
  const auto time = fs::last_write_time(path, failed);
  if (failed) return {};
  return std::chrono::time_point_cast<WallTime::duration>(std::chrono::file_clock::to_sys(time));
}

/// Reads `count` digits at `at`; false if they are not all there.
bool take_digits(std::string_view text, std::size_t& at, std::size_t count, int& value) {
  if (at + count > text.size()) return false;
  value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (std::isdigit(static_cast<unsigned char>(text[at + i])) == 0) return false;
    value = value * 10 + (text[at + i] - '0');
  }
  at += count;
  return true;
}

void skip_separator(std::string_view text, std::size_t& at) {
  if (at < text.size() && std::string_view("-_.T:").find(text[at]) != std::string_view::npos) ++at;
}

bool take_pair(std::string_view text, std::size_t& at, int& value) {
  std::size_t behind = at;
  skip_separator(text, behind);
  if (!take_digits(text, behind, 2, value)) return false;
  at = behind;
  return true;
}

}  // namespace

std::optional<WallTime> date_in_name(std::string_view name) {
  for (std::size_t begin = 0; begin < name.size(); ++begin) {
    const bool inside_digits =
        begin > 0 && std::isdigit(static_cast<unsigned char>(name[begin - 1])) != 0;
    std::size_t at = begin;
    std::tm parts{};
    if (inside_digits || !take_digits(name, at, 4, parts.tm_year)) continue;
    if (!take_pair(name, at, parts.tm_mon) || !take_pair(name, at, parts.tm_mday)) continue;
    const bool date = parts.tm_year >= 1990 && parts.tm_year < 2200 && parts.tm_mon >= 1 &&
                      parts.tm_mon <= 12 && parts.tm_mday >= 1 && parts.tm_mday <= 31;
    if (!date) continue;
    std::tm time = parts;
    const bool timed = take_pair(name, at, time.tm_hour) && take_pair(name, at, time.tm_min) &&
                       take_pair(name, at, time.tm_sec) && time.tm_hour < 24 && time.tm_min < 60 &&
                       time.tm_sec < 61;
    if (timed) parts = time;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    parts.tm_isdst = -1;
    const std::time_t seconds = std::mktime(&parts);
    if (seconds == -1) continue;
    return std::chrono::system_clock::from_time_t(seconds);
  }
  return std::nullopt;
}

Result<std::vector<FoundDump>> find_dumps(const fs::path& folder) {
  std::vector<FoundDump> found;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed)) {
    const fs::path path = entry->path();
    if (path.filename().string().starts_with('.')) continue;
    std::error_code ignored;
    const bool candidate =
        entry->is_regular_file(ignored) || (entry->is_directory(ignored) && holds_documents(path));
    if (!candidate) continue;
    const auto named = date_in_name(path.filename().string());
    found.push_back({path, named ? *named : last_change(path)});
  }
  if (failed) return error_from_errno(failed.value(), "list", folder);
  if (found.empty()) {
    return Error(ErrorCode::not_found, folder.string() + " holds no dumps");
  }
  std::sort(found.begin(), found.end(), [](const FoundDump& a, const FoundDump& b) {
    return a.taken != b.taken ? a.taken < b.taken : a.path < b.path;
  });
  return found;
}

}  // namespace holdfast::transfer
