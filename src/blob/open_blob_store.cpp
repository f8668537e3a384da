#include "blob/open_blob_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

#include "base/log.h"
#include "blob/local_store.h"
#include "blob/read_only_store.h"

namespace holdfast::blob {

namespace {

/// The scheme of "scheme:rest" in small letters (RFC 3986), or empty if there is none.
std::string scheme_of(std::string_view location) {
  const auto letter = [](char at) { return (at >= 'a' && at <= 'z') || (at >= 'A' && at <= 'Z'); };
  const auto more = [&](char at) {
    return letter(at) || (at >= '0' && at <= '9') || at == '+' || at == '-' || at == '.';
  };
  const auto colon = location.find(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  std::string scheme(location.substr(0, colon));
  if (!letter(scheme.front()) || !std::all_of(scheme.begin(), scheme.end(), more)) return {};
  for (char& at : scheme) at = at >= 'A' && at <= 'Z' ? static_cast<char>(at - 'A' + 'a') : at;
  return scheme;
}

Result<std::string> decode_percent(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded.push_back(text[at]);
      continue;
    }
    const auto byte = at + 2 < text.size() ? from_hex(text.substr(at + 1, 2)) : std::nullopt;
    if (!byte || byte->front() == 0) {
      return Error(ErrorCode::usage, fmt::format("'%' in {} is not followed by two hexadecimal "
                                                 "digits of a character",
                                                 text));
    }
    decoded.push_back(static_cast<char>(byte->front()));
    at += 2;
  }
  return decoded;
}

Result<std::string> path_of_file_url(std::string_view location) {
  std::string_view rest = location.substr(std::string_view("file:").size());
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    if (rest.starts_with("localhost/")) rest.remove_prefix(std::string_view("localhost").size());
  }
  if (!rest.starts_with('/') || rest.starts_with("//")) {
    return Error(ErrorCode::usage, fmt::format("{} names no folder of this machine", location),
                 "write file:///absolute/path");
  }
  return decode_percent(rest);
}

}  // namespace

Result<std::unique_ptr<BlobStore>> open_blob_store(std::string_view location, OpenMode mode) {
  if (location.empty() || location.find('\0') != std::string_view::npos) {
    return Error(ErrorCode::usage, "the location of the repository is empty or malformed");
  }
  std::string path(location);
  const std::string scheme = scheme_of(location);
  if (scheme == "file") {
    HOLDFAST_TRY(path, path_of_file_url(location));
  } else if (!scheme.empty()) {
    return Error(ErrorCode::unsupported,
                 fmt::format("no repository can be kept at {}: this version supports a folder's "
                             "path and file:///path",
                             mask_uri(location)),
                 fmt::format("if a folder of that name is meant, write ./{}", mask_uri(location)));
  }
  HOLDFAST_TRY(auto store, open_local_store(path, mode == OpenMode::create));
  if (mode == OpenMode::read_only) return make_read_only_store(std::move(store));
  return store;
}

}  // namespace holdfast::blob
