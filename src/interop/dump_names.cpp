#include "interop/dump_names.h"

#include <fmt/format.h>

#include "bson/json_text.h"
#include "interop/sha1.h"

namespace holdfast::interop {

namespace {

constexpr std::size_t kept_bytes = 208;
constexpr std::string_view hash_mark = "%24";
/// Unpadded base64 of SHA-1's twenty bytes.
constexpr std::size_t hash_characters = 27;

bool stays(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '-' || letter == '_' || letter == '.' ||
         letter == '~';
}

std::string hash_text(std::string_view name) {
  std::string text = bson::encode_base64(sha1(as_bytes(name)));
  text.resize(hash_characters);
  for (char& letter : text) {
    if (letter == '+') letter = '-';
    if (letter == '/') letter = '_';
  }
  return text;
}

bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix) || text.size() == suffix.size()) return false;
  text.remove_suffix(suffix.size());
  return true;
}

}  // namespace

std::string escape_collection(std::string_view collection) {
  std::string escaped;
  for (const char letter : collection) {
    if (stays(letter)) {
      escaped += letter;
    } else if (letter == ' ') {
      escaped += '+';
    } else {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(letter));
    }
  }
  if (escaped.size() <= max_escaped_bytes) return escaped;
  return escaped.substr(0, kept_bytes) + std::string(hash_mark) + hash_text(collection);
}

std::optional<std::string> unescape_collection(std::string_view file_name) {
  if (file_name.size() == max_escaped_bytes &&
      file_name.substr(kept_bytes, hash_mark.size()) == hash_mark) {
    return std::nullopt;
  }
  std::string name;
  for (std::size_t i = 0; i < file_name.size(); ++i) {
    if (file_name[i] == '+') {
      name += ' ';
    } else if (file_name[i] != '%') {
      name += file_name[i];
    } else {
      const auto byte = from_hex(file_name.substr(i + 1, 2));
      if (!byte || byte->size() != 1 || byte->front() == 0) return std::nullopt;
      name += static_cast<char>(byte->front());
      i += 2;
    }
  }
  if (name.empty()) return std::nullopt;
  return name;
}

Status check_database_name(std::string_view database) {
  const bool bad = database.empty() || database == "." || database == ".." ||
                   database.find_first_of(std::string_view("/\\\0", 3)) != std::string_view::npos;
  if (!bad) return {};
  return Error(ErrorCode::usage, fmt::format("'{}' cannot name a database's folder", database));
}

std::optional<DumpFileName> parse_dump_file_name(std::string_view folder, std::string_view file) {
  DumpFileName name;
  name.database = folder;
  if (file == "oplog.bson" && folder.empty()) {
    name.kind = DumpFileName::Kind::oplog;
    return name;
  }
  name.gzip = take_suffix(file, ".gz");
  if (file == "oplog.bson" && folder.empty()) {
    name.kind = DumpFileName::Kind::oplog;
    return name;
  }
  if (file == "prelude.json") {
    name.kind = DumpFileName::Kind::prelude;
    return name;
  }
  if (take_suffix(file, ".metadata.json")) {
    name.kind = DumpFileName::Kind::metadata;
  } else if (!take_suffix(file, ".bson")) {
    return std::nullopt;
  }
  name.escaped = file;
  return name;
}

}  // namespace holdfast::interop
