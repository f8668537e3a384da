#include <cstddef>
#include <cstdint>
#include <string_view>

#include "profile/profile.h"

/// The input is a profile in YAML.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)holdfast::profile::parse_profile(text, "fuzz.yaml");
  return 0;
}
