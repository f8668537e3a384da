#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dataset/types.h"

namespace holdfast {

/// Whether `text` matches a glob: `*` any run of bytes, `?` one byte, everything else itself.
[[nodiscard]] bool matches_glob(std::string_view glob, std::string_view text);

/// Which namespaces an operator chose. Globs match "collection" or "database.collection".
/// Immutable; thread-safe.
class Selection {
 public:
  /// No include glob means everything.
  Selection(std::vector<std::string> include, std::vector<std::string> exclude)
      : include_(std::move(include)), exclude_(std::move(exclude)) {}

  [[nodiscard]] bool contains(const Namespace& ns) const;
  /// Whether it leaves nothing out.
  [[nodiscard]] bool everything() const { return include_.empty() && exclude_.empty(); }
  /// Include globs that match none of `catalog`: most likely a typing error.
  [[nodiscard]] std::vector<std::string> unmatched(
      const std::vector<CollectionInfo>& catalog) const;

 private:
  std::vector<std::string> include_;
  std::vector<std::string> exclude_;
};

}  // namespace holdfast
