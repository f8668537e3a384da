#include "cli/mask_arguments.h"

#include <cstring>
#include <string>

#include "base/log.h"
#include "base/secret.h"

namespace holdfast::cli {

void mask_arguments(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::size_t length = std::strlen(argv[i]);
    std::string masked = mask_uri({argv[i], length});
    if (masked == argv[i]) continue;
    // "***" may be longer than the secret it stands for; the room is what the argument had.
    masked.resize(length, '\0');
    wipe({reinterpret_cast<std::uint8_t*>(argv[i]), length});
    std::memcpy(argv[i], masked.data(), length);
  }
}

}  // namespace holdfast::cli
