#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Names of a repository's blobs; see docs/format/repository.md, "Layout".
namespace holdfast::repository {

inline constexpr std::string_view header_name = "holdfast.json";
inline constexpr std::string_view keys_prefix = "keys/";
/// What init's probe of the store leaves behind when it is interrupted.
inline constexpr std::string_view probe_prefix = "probe/";

[[nodiscard]] bool is_hex(std::string_view text, std::size_t digits);
/// Whether `id` may be a source's folder: [a-z0-9-]{1,64}, not one of the names above.
[[nodiscard]] bool is_source_id(std::string_view id);

[[nodiscard]] std::string key_name(std::string_view key_id);
[[nodiscard]] std::string key_tombstone_name(std::string_view key_id);
[[nodiscard]] std::string snapshots_prefix(std::string_view source);
[[nodiscard]] std::string segments_prefix(std::string_view source);
/// Generation 1 has the plain name: it is the one that commits and fences compete for.
[[nodiscard]] std::string manifest_name(std::string_view source, std::string_view id,
                                        std::uint32_t generation);
[[nodiscard]] std::string tombstone_name(std::string_view source, std::string_view id);
[[nodiscard]] std::string lease_name(std::string_view source, std::string_view random);
[[nodiscard]] std::string segment_name(std::string_view source, std::string_view file);
[[nodiscard]] std::string log_prefix(std::string_view source);

/// What the name of a blob below "<source>/snapshots/" says.
struct SnapshotBlobName {
  std::string source;
  std::string id;
  std::uint32_t generation = 0;  ///< 0 for a tombstone.
};
[[nodiscard]] std::optional<SnapshotBlobName> parse_snapshot_blob(std::string_view name);

/// "<source>/segments/<32 digits>" → its source and file name.
struct SegmentBlobName {
  std::string source;
  std::string file;
};
[[nodiscard]] std::optional<SegmentBlobName> parse_segment_blob(std::string_view name);

/// "<source>/log/<8 digits>-<16 digits>-<16 digits>": what a log segment covers and where it
/// starts.
struct LogBlobName {
  std::string source;
  std::string scope;         ///< Digest of the databases.
  std::uint64_t start = 0;   ///< Packed cluster time.
  std::string start_digest;  ///< Of the resume token.

  [[nodiscard]] std::string text() const;
};
[[nodiscard]] std::optional<LogBlobName> parse_log_blob(std::string_view name);

/// What the name of a blob below "keys/" says.
struct KeyBlobName {
  std::string id;
  bool removed = false;
};
[[nodiscard]] std::optional<KeyBlobName> parse_key_blob(std::string_view name);

}  // namespace holdfast::repository
