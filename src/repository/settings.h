#pragma once

#include <cstdint>

namespace holdfast::repository {

enum class Compression {
  fast,      ///< zstd 1
  standard,  ///< zstd 3, the default
  max,       ///< the strongest that still keeps up with a server
};

/// How files are laid out when they are written. Reading does not depend on it.
struct LayoutSettings {
  Compression compression = Compression::standard;
  /// Documents are gathered into blocks of about this many bytes before compression.
  std::uint32_t block_bytes = 256U * 1024;
  /// A file is closed once it holds this many stored bytes.
  std::uint64_t file_bytes = 64ULL * 1024 * 1024;
};

}  // namespace holdfast::repository
