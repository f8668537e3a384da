#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "repository/repository.h"

namespace holdfast::backup {

/// What a new snapshot is of, as far as a parent must agree with it.
struct Scope {
  std::string source;                  ///< SourceIdentity::id
  std::vector<std::string> databases;  ///< Sorted.
  bool whole = true;                   ///< Of those databases; else chosen collections.
};

/// The snapshot that a new one builds on.
struct Parent {
  repository::Manifest manifest;
  /// Events can be folded over it: it is the state at its time and tells where to resume.
  [[nodiscard]] bool foldable() const {
    return manifest.resume_token.has_value() && !manifest.summary.consistency.time.is_null();
  }
};

/// The newest snapshot of the same source and scope (a whole one serves for chosen collections),
/// preferably one over which events can be folded. Manifests that cannot be read are passed over
/// with a sentence in `notes`. Nothing if there is none. Errors: those of the repository.
[[nodiscard]] Result<std::optional<Parent>> choose_parent(repository::Repository& repository,
                                                          const Scope& scope,
                                                          std::vector<std::string>& notes);

}  // namespace holdfast::backup
