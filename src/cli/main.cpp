#include <malloc.h>

#include "cli/run_cli.h"

namespace {

/// Replies of a server and blocks are buffers of some megabytes that come and go all the time. By
/// default each is mapped and cleared anew; kept in the heap it costs a tenth less of a backup.
void keep_large_buffers() {
#ifdef __GLIBC__
  constexpr int largest_kept = 32 * 1024 * 1024;
  constexpr int slack = 64 * 1024 * 1024;
  mallopt(M_MMAP_THRESHOLD, largest_kept);
  mallopt(M_TRIM_THRESHOLD, slack);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  keep_large_buffers();
  return holdfast::cli::run_cli(argc, argv);
}
