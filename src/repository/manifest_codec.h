#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "bson/builder.h"
#include "repository/manifest.h"

namespace holdfast::repository {

/// A manifest as the blocks of an object: the first is the summary, one BSON document; the others
/// are a sequence of BSON documents whose order is a grammar; see docs/format/repository.md,
/// "Manifest". Encoding the same manifest gives the same bytes.
[[nodiscard]] std::vector<Bytes> encode_manifest(const Manifest& manifest);

/// Errors: corrupt (also where a segment cannot lie in its file, or layers are not sorted).
[[nodiscard]] Result<Manifest> decode_manifest(const std::vector<Bytes>& blocks);
/// Errors: corrupt.
[[nodiscard]] Result<SnapshotSummary> decode_summary(ByteView block);
[[nodiscard]] Bytes encode_summary(const SnapshotSummary& summary);

/// `consistency` as a sub-document of that name.
void append_consistency(bson::Builder& to, const Consistency& consistency);
[[nodiscard]] Result<Consistency> read_consistency(bson::DocumentView from);

/// What a tombstone keeps of a removed snapshot: its place in the chain.
struct SnapshotTombstone {
  std::string id;
  std::string source;
  std::vector<std::string> predecessors;
  WallTime removed{};
};
[[nodiscard]] Bytes encode_tombstone(const SnapshotTombstone& tombstone);
/// Errors: corrupt.
[[nodiscard]] Result<SnapshotTombstone> decode_tombstone(const std::vector<Bytes>& blocks);

}  // namespace holdfast::repository
