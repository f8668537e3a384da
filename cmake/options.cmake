# Compiler settings that every target shares.
add_library(holdfast_options INTERFACE)
target_compile_options(holdfast_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
target_include_directories(holdfast_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(holdfast_options INTERFACE
  HOLDFAST_VERSION="${PROJECT_VERSION}"
  $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives of these in libstdc++'s own variant and vector.
  target_compile_options(holdfast_options INTERFACE
    -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds -Wno-restrict
    $<$<NOT:$<CONFIG:Debug>>:-Wno-stringop-overread>)
endif()
if(HOLDFAST_SANITIZE)
  target_compile_options(holdfast_options INTERFACE
    -fsanitize=${HOLDFAST_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(holdfast_options INTERFACE -fsanitize=${HOLDFAST_SANITIZE})
endif()
if(HOLDFAST_FUZZ)
  # Coverage feedback from every module; the main program comes with the fuzz targets alone.
  target_compile_options(holdfast_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(HOLDFAST_COVERAGE)
  target_compile_options(holdfast_options INTERFACE --coverage)
  target_link_options(holdfast_options INTERFACE --coverage)
endif()

find_program(HOLDFAST_MOLD mold)
if(HOLDFAST_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
find_program(HOLDFAST_CCACHE ccache)
if(HOLDFAST_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${HOLDFAST_CCACHE})
endif()
