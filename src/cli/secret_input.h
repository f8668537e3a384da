#pragma once

#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace holdfast::cli {

/// A secret file is at most this long: a password line or a key file, never data.
inline constexpr std::size_t max_secret_file_bytes = 64U * 1024;

/// The whole content of a file (or pipe: `<(pass show backup)`), in locked memory.
/// Errors: usage (empty), precondition (too long), and those of opening.
[[nodiscard]] Result<SecretBytes> read_secret_file(const std::string& path);

/// The first line, without its line break: how a password or recovery key lies in a file.
[[nodiscard]] Result<SecretBytes> read_secret_line(const std::string& path);

/// The first line as a string, for secrets that the driver wants as one (a URI).
[[nodiscard]] Result<std::string> read_text_secret(const std::string& path);

/// Creates a file of mode 0600, whatever the umask, that must not exist, durably empty.
/// Errors: exists, denied, …
[[nodiscard]] Status reserve_secret_file(const std::string& path);
/// Fills a reserved file with one line, durably.
[[nodiscard]] Status fill_secret_file(const std::string& path, ByteView line);
/// Takes a reserved file away again.
void discard_secret_file(const std::string& path);

}  // namespace holdfast::cli
