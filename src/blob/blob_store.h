#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::blob {

/// A blob that is listed: its whole name and its length in bytes.
struct BlobInfo {
  std::string name;
  std::uint64_t size = 0;
};

/// Reading half of a store. Names are relative, '/'-separated, of [A-Za-z0-9._-] components
/// that don't start with a dot. Thread-safe.
class BlobReader {
 public:
  virtual ~BlobReader() = default;
  /// The whole blob. Errors: not_found, precondition (longer than `limit`), retry, io, denied.
  [[nodiscard]] virtual Result<Bytes> get(std::string_view name, std::uint64_t limit) const = 0;
  /// Exactly `length` bytes from `offset`. Errors: not_found, corrupt (shorter than that), …
  [[nodiscard]] virtual Result<Bytes> get_range(std::string_view name, std::uint64_t offset,
                                                std::uint64_t length) const = 0;
  [[nodiscard]] virtual Result<BlobInfo> stat(std::string_view name) const = 0;
  /// All blobs whose name begins with `prefix` (which ends in '/' or is empty), recursively,
  /// sorted by name. An absent prefix lists nothing. Unfinished writes are never listed.
  [[nodiscard]] virtual Result<std::vector<BlobInfo>> list(std::string_view prefix) const = 0;
  /// Where it is, for messages: a path or URL without secrets.
  [[nodiscard]] virtual std::string location() const = 0;
};

/// One blob being written; nothing of it is visible before `commit` returned ok. Destroying it
/// uncommitted discards it. Not thread-safe.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  [[nodiscard]] virtual Status append(ByteView bytes) = 0;
  /// Makes it durable and visible under its name, all or nothing, never over an existing one.
  /// Errors: exists (then nothing changed), no_space, io, …
  [[nodiscard]] virtual Status commit() = 0;
};

/// Storage of immutable blobs. Nothing is ever overwritten. Thread-safe. A crash at any moment
/// leaves each blob either absent or whole, and perhaps unfinished writes, which `list` does
/// not show and `remove_unfinished` clears.
class BlobStore : public BlobReader {
 public:
  /// Begins a blob. Errors of the name itself show at commit at the latest.
  [[nodiscard]] virtual Result<std::unique_ptr<BlobWriter>> create(std::string_view name) = 0;
  /// create + append + commit.
  [[nodiscard]] Status put(std::string_view name, ByteView bytes);
  /// Removes a blob, durably. Errors: not_found, …
  [[nodiscard]] virtual Status remove(std::string_view name) = 0;
  /// Free space in bytes for this user, where the store can tell; else not_found.
  [[nodiscard]] virtual Result<std::uint64_t> free_space() const = 0;
  /// Removes what writers that died left behind, if untouched for `older_than_seconds`;
  /// returns how many bytes that freed.
  [[nodiscard]] virtual Result<std::uint64_t> remove_unfinished(
      std::uint64_t older_than_seconds) = 0;
};

}  // namespace holdfast::blob
