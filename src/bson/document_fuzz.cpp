#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "bson/fuzz_testing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const holdfast::ByteView input(data, size);
  const std::string wrong = holdfast::bson::check_document(input);
  if (!wrong.empty()) {
    std::fprintf(stderr, "%s\n", wrong.c_str());
    std::abort();
  }
  return 0;
}
