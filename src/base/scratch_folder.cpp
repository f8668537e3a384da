#include "base/scratch_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "base/file.h"

namespace holdfast {

Result<ScratchFolder> ScratchFolder::create(const std::filesystem::path& parent) {
  std::string name = (parent / "holdfast-XXXXXX").native();
  if (::mkdtemp(name.data()) == nullptr) {
    return error_from_errno(errno, "make a temporary folder in", parent);
  }
  return ScratchFolder(std::move(name));
}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

ScratchFolder::~ScratchFolder() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace holdfast
