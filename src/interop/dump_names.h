#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::interop {

// How mongodump turns names of collections into names of files (mongo-tools,
// common/util/escape.go). Pure functions.

/// Longer escaped names are shortened, so that ".metadata.json.gz" still fits 255 bytes.
inline constexpr std::size_t max_escaped_bytes = 238;

/// `A-Za-z0-9-_.~` stay, a space becomes "+", every other byte "%XX". What is longer than
/// max_escaped_bytes is cut to 208 bytes, "%24" and the name's SHA-1 in base64url.
[[nodiscard]] std::string escape_collection(std::string_view collection);

/// The name that an escaped one stands for; nothing if it was shortened (the metadata has the
/// name) or is no escaped name.
[[nodiscard]] std::optional<std::string> unescape_collection(std::string_view file_name);

/// Whether a database's name can be a folder's: databases are not escaped, and one that is made
/// to climb out of the target must not. Errors: usage.
[[nodiscard]] Status check_database_name(std::string_view database);

/// The parts of a dump's path: "shop/users.bson.gz".
struct DumpFileName {
  enum class Kind { documents, metadata, prelude, oplog };
  Kind kind = Kind::documents;
  std::string database;  ///< Empty for the root's prelude and oplog.
  std::string escaped;   ///< Of the collection; empty for prelude and oplog.
  bool gzip = false;     ///< Named ".gz". An oplog.bson may hold gzip without saying so.
};

/// What a file is, by its name and the folder that it lies in ("" at the root of the dump).
/// Nothing for what is no part of a dump.
[[nodiscard]] std::optional<DumpFileName> parse_dump_file_name(std::string_view folder,
                                                               std::string_view file);

}  // namespace holdfast::interop
