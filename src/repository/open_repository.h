#pragma once

#include <memory>

#include "repository/key_file.h"
#include "repository/repository.h"

namespace holdfast::repository {

/// Repository::init and open, with what a password costs: tests pass something cheap.
[[nodiscard]] Result<InitOutcome> init_repository(blob::BlobStore& store,
                                                  const InitOptions& options, RandomSource& random,
                                                  const Clock& clock, const PasswordCost& cost);
[[nodiscard]] Result<std::unique_ptr<Repository>> open_repository(
    std::unique_ptr<blob::BlobStore> store, const Unlock& unlock, RandomSource& random,
    const Clock& clock, const PasswordCost& cost);

}  // namespace holdfast::repository
