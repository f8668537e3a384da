#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "cli/run_cli.h"

// What exit handlers would have done, in builds that measure or check.
extern "C" {
[[gnu::weak]] void __gcov_dump();           // NOLINT: its name
[[gnu::weak]] void __lsan_do_leak_check();  // NOLINT: its name
}

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
  const int exit_code = holdfast::cli::run_cli(argc, argv);
  std::cout.flush();
  std::fflush(nullptr);
  // Not through exit handlers: the driver may still be ending connections in the background, and
  // the libraries that it uses must not be taken down under it.
  if (__lsan_do_leak_check != nullptr) __lsan_do_leak_check();
  if (__gcov_dump != nullptr) __gcov_dump();
  std::_Exit(exit_code);
}
