#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "blob/blob_store.h"
#include "repository/block_index.h"
#include "repository/object_envelope.h"
#include "repository/sealing.h"

namespace holdfast::repository {

/// What all parts of one open repository share. Owned by the repository, which outlives its
/// readers and writers. Thread-safe.
struct Context {
  blob::BlobStore& store;
  RandomSource& random;
  const Clock& clock;
  RepositoryId id;
  std::string id_text;
  bool encrypted;
  RepositoryKeys keys;
  BlockIndexCache indexes;

  [[nodiscard]] ObjectSealer objects() const { return {id, keys.objects}; }
};

/// Seals and puts an object. Errors: exists, io, …
[[nodiscard]] Status put_object(Context& context, SealKind kind, std::string_view name,
                                const std::vector<Bytes>& blocks);
/// Gets and opens an object. Errors: not_found, corrupt, io, …
[[nodiscard]] Result<std::vector<Bytes>> get_object(const Context& context, SealKind kind,
                                                    std::string_view name);

}  // namespace holdfast::repository
