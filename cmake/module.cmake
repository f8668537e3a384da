# holdfast_module(NAME
#   DEPENDS other modules that its files may include
#   LIBRARIES external libraries, used in sources and headers alike)
#
# Makes holdfast_NAME from the folder's *.cpp, NAME_test from its *_test.cpp, and a fuzzer from
# each *_fuzz.cpp; every other build replays the folder fuzz_corpus/ beside it as a normal test.
# Files named *_testing.h/.cpp are helpers that only tests may include; they are compiled into
# holdfast_NAME_testing.
function(holdfast_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPENDS;LIBRARIES")
  foreach(dependency IN LISTS arg_DEPENDS)
    if(NOT TARGET holdfast_${dependency})
      message(FATAL_ERROR "module ${name} depends on ${dependency}, which is not below it")
    endif()
  endforeach()

  file(GLOB_RECURSE all_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${all_files})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(fuzzers ${all_files})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  set(testing ${all_files})
  list(FILTER testing INCLUDE REGEX "_testing\\.cpp$")
  set(sources ${all_files})
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|_testing|/main)\\.cpp$")

  set(depends ${arg_DEPENDS})
  list(TRANSFORM depends PREPEND holdfast_)
  if(sources)
    add_library(holdfast_${name} STATIC ${sources})
    target_link_libraries(holdfast_${name} PUBLIC holdfast_options ${depends} ${arg_LIBRARIES})
  else()
    add_library(holdfast_${name} INTERFACE)
    target_link_libraries(holdfast_${name} INTERFACE holdfast_options ${depends} ${arg_LIBRARIES})
  endif()

  set(testing_depends "")
  foreach(dependency IN LISTS arg_DEPENDS)
    if(TARGET holdfast_${dependency}_testing)
      list(APPEND testing_depends holdfast_${dependency}_testing)
    endif()
  endforeach()
  if(testing)
    add_library(holdfast_${name}_testing STATIC ${testing})
    target_link_libraries(holdfast_${name}_testing PUBLIC holdfast_${name} ${testing_depends}
      GTest::gtest)
    set_property(GLOBAL APPEND PROPERTY HOLDFAST_TESTING_LIBRARIES holdfast_${name}_testing)
    list(APPEND testing_depends holdfast_${name}_testing)
  endif()
  if(tests)
    holdfast_test_program(${name}_test SOURCES ${tests}
      LIBRARIES holdfast_${name} ${testing_depends})
    holdfast_add_test(${name} ${name}_test)
  endif()
  foreach(fuzzer IN LISTS fuzzers)
    holdfast_fuzzer(${name} ${fuzzer} "${testing_depends}")
  endforeach()
endfunction()

# holdfast_test_program(TARGET SOURCES … LIBRARIES …): a GoogleTest program.
function(holdfast_test_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ${arg_LIBRARIES} GTest::gmock_main
    ${HOLDFAST_RAPIDCHECK} holdfast_source_dir)
endfunction()

# holdfast_add_test(NAME TARGET [ARGUMENTS …] [ENVIRONMENT …]): runs a GoogleTest program under
# ctest; its single tests' results go to test-results/NAME.xml, where ./dev test counts them.
function(holdfast_add_test name target)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "ARGUMENTS;ENVIRONMENT")
  add_test(NAME ${name} COMMAND ${target} ${arg_ARGUMENTS})
  set(results ${PROJECT_BINARY_DIR}/test-results/${name}.xml)
  set_tests_properties(${name} PROPERTIES
    TIMEOUT 1800 LABELS module
    ENVIRONMENT "GTEST_BRIEF=1;GTEST_OUTPUT=xml:${results};${arg_ENVIRONMENT}")
endfunction()

# With HOLDFAST_FUZZ a libFuzzer target in fuzzers/; else a test that replays its corpus.
function(holdfast_fuzzer module source libraries)
  get_filename_component(fuzzer ${source} NAME_WE)
  add_executable(${fuzzer} ${source})
  target_link_libraries(${fuzzer} PRIVATE holdfast_${module} ${libraries})
  if(HOLDFAST_FUZZ)
    set_target_properties(${fuzzer} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzzers)
    target_link_options(${fuzzer} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers ${fuzzer})
  else()
    target_sources(${fuzzer} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/replay_corpus.cpp)
    get_filename_component(folder ${source} DIRECTORY)
    add_test(NAME ${fuzzer} COMMAND ${fuzzer} ${folder}/fuzz_corpus)
    set_tests_properties(${fuzzer} PROPERTIES TIMEOUT 300 LABELS corpus)
  endif()
endfunction()

if(HOLDFAST_FUZZ)
  add_custom_target(fuzzers)
endif()

# HOLDFAST_SOURCE_DIR for tests: the root of the source tree, as a const char*.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/source_dir.cpp CONTENT
  "const char* holdfast_source_dir() { return \"${PROJECT_SOURCE_DIR}\"; }\n")
add_library(holdfast_source_dir STATIC ${PROJECT_BINARY_DIR}/source_dir.cpp)
target_compile_options(holdfast_source_dir INTERFACE
  -include ${PROJECT_SOURCE_DIR}/cmake/source_dir.h)
