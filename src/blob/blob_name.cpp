#include "blob/blob_name.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace holdfast::blob {

bool is_name_component(std::string_view text) {
  const auto allowed = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' || letter == '-';
  };
  return !text.empty() && text.size() <= max_component_bytes && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), allowed);
}

Status check_blob_name(std::string_view name) {
  bool good = name.size() <= max_name_bytes;
  for (std::string_view rest = name; good;) {
    const auto end = std::min(rest.find('/'), rest.size());
    good = is_name_component(rest.substr(0, end));
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
  }
  if (good) return {};
  return Error(ErrorCode::usage, fmt::format("\"{}\" cannot be the name of a blob",
                                             sanitize_for_terminal(name.substr(0, 100))));
}

Status check_blob_prefix(std::string_view prefix) {
  if (prefix.empty()) return {};
  if (prefix.ends_with('/') && check_blob_name(prefix.substr(0, prefix.size() - 1)).ok()) return {};
  return Error(ErrorCode::usage, fmt::format("\"{}\" cannot be the prefix of blob names",
                                             sanitize_for_terminal(prefix.substr(0, 100))));
}

std::string_view folder_of(std::string_view name) {
  const auto slash = name.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
}

}  // namespace holdfast::blob
