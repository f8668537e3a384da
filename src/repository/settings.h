#pragma once

#include <cstdint>

namespace holdfast::repository {

enum class Compression {
  fast,      ///< the least time
  standard,  ///< the default
  max,       ///< about 6 % less, for half as much time again; its blocks are 1 MiB by default
};

/// Limits of block_bytes: below, the index outgrows the data; above, memory.
inline constexpr std::uint32_t min_block_bytes_setting = 256;
inline constexpr std::uint32_t max_block_bytes_setting = 4U * 1024 * 1024;
inline constexpr std::uint32_t default_block_bytes = 256U * 1024;
inline constexpr std::uint32_t default_max_block_bytes = 1024U * 1024;  ///< Compression::max

/// How files are laid out when they are written. Reading does not depend on it.
struct LayoutSettings {
  Compression compression = Compression::standard;
  /// Documents are gathered into blocks of about this many bytes before compression.
  std::uint32_t block_bytes = default_block_bytes;
  /// A file is closed once it holds this many stored bytes.
  std::uint64_t file_bytes = 64ULL * 1024 * 1024;
};

}  // namespace holdfast::repository
