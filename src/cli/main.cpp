#include <malloc.h>

#include "cli/run_cli.h"

namespace {

/// Buffers of this size and more are given back to the system when they are freed. By itself the
/// C library raises the bound as it sees large ones come and go, to 32 MiB, and then keeps them in
/// pools by thread: with documents of 16 MiB that more than doubles the memory of a backup. The
/// batches read from a server (2 MiB) stay below, so that their memory is used again.
constexpr int returned_buffer_bytes = 4 * 1024 * 1024;

}  // namespace

int main(int argc, char** argv) {
  (void)::mallopt(M_MMAP_THRESHOLD, returned_buffer_bytes);
  (void)::mallopt(M_TRIM_THRESHOLD, 8 * returned_buffer_bytes);
  return holdfast::cli::run_cli(argc, argv);
}
