#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "bson/document.h"

namespace holdfast {

/// A database and a collection name. Both are bytes as the server has them (UTF-8).
struct Namespace {
  std::string database;
  std::string collection;

  /// "database.collection".
  [[nodiscard]] std::string text() const { return database + "." + collection; }
  friend auto operator<=>(const Namespace&, const Namespace&) = default;
};

/// A server's cluster time (BSON timestamp): seconds since 1970 and an ordinal within the second.
struct ClusterTime {
  std::uint32_t seconds = 0;
  std::uint32_t increment = 0;

  [[nodiscard]] bool is_null() const { return seconds == 0 && increment == 0; }
  [[nodiscard]] std::uint64_t packed() const {
    return (static_cast<std::uint64_t>(seconds) << 32U) | increment;
  }
  [[nodiscard]] static ClusterTime from_packed(std::uint64_t packed) {
    return {static_cast<std::uint32_t>(packed >> 32U), static_cast<std::uint32_t>(packed)};
  }
  /// "T:I", as commands take it.
  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const ClusterTime&, const ClusterTime&) = default;
};

/// A collection's identity on its server; survives renames.
using Uuid = std::array<std::uint8_t, 16>;
[[nodiscard]] std::string to_text(const Uuid& uuid);

enum class CollectionType { collection, view, timeseries };
[[nodiscard]] std::string_view name_of(CollectionType type);

/// One entry of a catalog: what is needed to create the collection again.
struct CollectionInfo {
  Namespace ns;
  CollectionType type = CollectionType::collection;
  /// None for views and on servers that tell none.
  std::optional<Uuid> uuid;
  /// listCollections' `options`, byte for byte (validator, capped, collation, viewOn, …).
  bson::Document options;
  /// listIndexes' output, byte for byte, the `_id` index included; empty for views.
  std::vector<bson::Document> indexes;

  [[nodiscard]] bool capped() const { return options.view().find_truthy("capped"); }
  [[nodiscard]] bool clustered() const { return options.view().find("clusteredIndex").has_value(); }
  /// The default collation, unless it is the simple one.
  [[nodiscard]] std::optional<bson::DocumentView> collation() const;
};

/// What a snapshot promises about one namespace.
struct Consistency {
  enum class Kind {
    exact,        ///< The state at `time`, to the byte.
    best_effort,  ///< Read while writes went on; `reason` says why no more can be said.
  };
  Kind kind = Kind::best_effort;
  ClusterTime time;
  std::string reason;
};

/// Content fingerprint of a collection: how many documents, and the sum modulo 2^128 of a keyed
/// hash of each document's bytes. Independent of order; changes are added and subtracted.
struct Fingerprint {
  std::uint64_t documents = 0;
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  void add(const Fingerprint& other);
  void subtract(const Fingerprint& other);
  /// Thirty-two hexadecimal digits of the sum.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

/// Hashes documents for fingerprints: XXH3-128 (https://xxhash.com) with a secret that is derived
/// from the repository's key, so that fingerprints of two repositories can't be compared or
/// guessed. Immutable after construction; thread-safe.
class DocumentHasher {
 public:
  /// `secret`: 192 bytes.
  explicit DocumentHasher(std::array<std::uint8_t, 192> secret) : secret_(secret) {}
  /// The fingerprint of a set of this one document.
  [[nodiscard]] Fingerprint hash(ByteView document) const;

 private:
  std::array<std::uint8_t, 192> secret_;
};

}  // namespace holdfast
