#pragma once

// Included into every test by its compiler flags. The path itself is in one generated file, so
// that the compiler cache serves tests of another clone too.
const char* holdfast_source_dir();
#define HOLDFAST_SOURCE_DIR holdfast_source_dir()
