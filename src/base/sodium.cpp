#include "base/sodium.h"

#include <sodium.h>

#include <cstdio>
#include <cstdlib>

namespace holdfast {

void ensure_sodium() {
  static const bool ready = sodium_init() >= 0;
  if (!ready) {
    std::fputs("holdfast: libsodium cannot be initialised: no source of randomness\n", stderr);
    std::abort();
  }
}

}  // namespace holdfast
