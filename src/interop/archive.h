#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataset/types.h"
#include "interop/byte_stream.h"
#include "interop/dump_writer.h"
#include "interop/shelf.h"

namespace holdfast::interop {

// mongodump's archive (mongo-tools, common/archive/archive.go and multiplexer.go): a magic number,
// a header document, a document for each namespace, then segments of documents of one namespace
// each, interleaved; each part ends with ff ff ff ff, each namespace with a sum.

inline constexpr std::uint32_t archive_magic = 0x8199e26d;
inline constexpr std::uint32_t archive_terminator = 0xffffffff;
/// Far above any server's; each costs some hundred bytes of memory.
inline constexpr std::size_t max_archive_namespaces = 1'000'000;
/// Of all metadata of an archive together.
inline constexpr std::uint64_t max_archive_header_bytes = 512ULL * 1024 * 1024;

struct ArchiveReadOptions {
  /// Read past damage: everything whole is read, what is not is named in `notes`.
  bool salvage = false;
};

/// Reads an archive, not packed, from its first byte to its end into `shelf` and checks it all:
/// order of parts, every document, every sum. Errors: corrupt with the offset (a document without
/// a header, a namespace reopened after its end or never closed, a wrong sum, bad lengths).
[[nodiscard]] Status read_archive(std::unique_ptr<ByteSource> source, Shelf& shelf,
                                  const ArchiveReadOptions& options);

/// Writes an archive; all of `catalog` must be created, in any order, since the header lists it.
/// The writer's calls interleave its collections freely, also from several threads.
[[nodiscard]] Result<std::unique_ptr<DumpWriter>> make_archive_writer(
    std::unique_ptr<ByteSink> sink, const std::vector<CollectionInfo>& catalog,
    const std::string& server_version);

}  // namespace holdfast::interop
