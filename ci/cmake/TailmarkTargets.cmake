# Presets ci and release compile several files of a target as one (half the work),
# the others each alone: a file includes what it uses, and names in anonymous
# namespaces differ within a target.
# tailmark_library(NAME SOURCES ... [DEPS ...] [TORCH_PCH])
# Static, ALIAS tailmark::NAME. DEPS are PUBLIC: they say which folders this one
# may include from; tests/tree/layers_test.cc checks that the includes agree.
# With TAILMARK_O1 it is -O1 in Debug, too.
function(tailmark_library name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "TORCH_PCH" "" "SOURCES;DEPS")
  add_library(tailmark_${name} STATIC ${ARG_SOURCES})
  add_library(tailmark::${name} ALIAS tailmark_${name})
  target_link_libraries(tailmark_${name} PUBLIC ${ARG_DEPS} PRIVATE tailmark_flags)
  tailmark_optimise(tailmark_${name})
endfunction()

# tailmark_always_fast(TARGET FILE...): inner loops, optimised in Debug, too.
# Unoptimised they were a fifth of what the longest tests compute.
function(tailmark_always_fast target)
  set_property(SOURCE ${ARGN} TARGET_DIRECTORY ${target} APPEND PROPERTY
    COMPILE_OPTIONS "${TAILMARK_FLAGS_O2}")
  # A PCH belongs to one level of optimisation.
  set_property(SOURCE ${ARGN} TARGET_DIRECTORY ${target} PROPERTY
    SKIP_PRECOMPILE_HEADERS ON)
endfunction()

# Each PCH is built once and reused by every target of its kind: `plain` or `torch`
# (with LibTorch), and `..._o1` for what is optimised. They are
# half of a build's time. The others have GoogleMock's headers in them, too: 1.2 s
# for each test. In <>, CMake writes no absolute path into it, so that ccache
# knows it again in another clone.
function(tailmark_use_pch target kind)
  if(NOT TAILMARK_PCH)
    return()
  endif()
  set(pch tailmark_${kind}_pch)
  if(NOT TARGET ${pch})
    file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/${kind}_pch.cc" CONTENT "\n")
    add_library(${pch} OBJECT "${PROJECT_BINARY_DIR}/${kind}_pch.cc")
    target_link_libraries(${pch} PRIVATE tailmark_flags)
    if(kind MATCHES "_o1$")
      target_compile_options(${pch} PRIVATE ${TAILMARK_FLAGS_O1})
    elseif(TAILMARK_BUILD_TESTS)
      target_link_libraries(${pch} PRIVATE GTest::gmock)
      target_precompile_headers(${pch} PRIVATE <gmock/gmock.h>)
    endif()
    if(kind MATCHES "^torch")
      target_link_libraries(${pch} PRIVATE tailmark::torch)
      target_precompile_headers(${pch} PRIVATE <methods/torch_pch.h>)
    else()
      target_link_libraries(${pch} PRIVATE nlohmann_json::nlohmann_json)
      target_precompile_headers(${pch} PRIVATE <harness/base/plain_pch.h>)
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM ${pch})
endfunction()

# What ARG_TORCH_PCH of the caller says.
macro(tailmark_use_its_pch target)
  if(ARG_TORCH_PCH OR ARG_TORCH)
    tailmark_use_pch(${target} torch${ARGN})
  else()
    tailmark_use_pch(${target} plain${ARGN})
  endif()
endmacro()

# The whole target with TAILMARK_O1, and its PCH. A program, too: the linker takes
# the first of many equal inline functions, and that is the program's.
macro(tailmark_optimise target)
  if(TAILMARK_O1)
    target_compile_options(${target} PRIVATE ${TAILMARK_FLAGS_O1})
    tailmark_use_its_pch(${target} _o1)
  else()
    tailmark_use_its_pch(${target})
  endif()
endmacro()

# tailmark_executable(NAME SOURCES ... [DEPS ...] [TORCH_PCH]), in <build>/bin.
function(tailmark_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "TORCH_PCH" "" "SOURCES;DEPS")
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} tailmark_flags)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  tailmark_optimise(${name})
endfunction()

# What takes a second takes several under a sanitizer.
macro(tailmark_time_limit seconds)
  if(TAILMARK_SANITIZE)
    math(EXPR ${seconds} "${${seconds}} * 4")
  endif()
endmacro()

# tailmark_test(NAME SOURCES ... DEPS ... [LABELS unit|contract|e2e|...]
#               [TORCH] [TOGETHER] [SERIAL] [FAST] [TIMEOUT SECONDS]
#               [COST SECONDS] [SHARDS N])
# Tests know TM_SOURCE_DIR (the tree) and TM_BIN_DIR (<build>/bin).
# TORCH: uses the PCH, gets the label torch, and is one CTest entry: loading
# LibTorch costs 0.15 s, so a process per TEST() would spend more on loading than
# on testing. TOGETHER: one entry, too, of tests that look at the same long run.
# Others are one entry per TEST(). SHARDS: as many entries, which run
# beside each other, for the binaries that train. FAST: optimised as libraries are,
# for those that compute for many seconds themselves.
# COST: about how long the longest entry takes on two cores. The long ones start
# first, so that none is left over at the end; without it CTest goes by what it
# saw the last time.
# One OpenMP thread: on busy cores two of them spin, 31 s for what one does in
# 0.4 s; and some bits depend on their number.
function(tailmark_test name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "TORCH;TOGETHER;SERIAL;FAST" "TIMEOUT;COST;SHARDS" "SOURCES;DEPS;LABELS")
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gtest_main tailmark_flags)
  target_compile_definitions(${name} PRIVATE
    TM_SOURCE_DIR="${PROJECT_SOURCE_DIR}" TM_BIN_DIR="${PROJECT_BINARY_DIR}/bin")
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  tailmark_time_limit(ARG_TIMEOUT)
  set(more TIMEOUT ${ARG_TIMEOUT})
  if(ARG_COST)
    list(APPEND more COST ${ARG_COST})
  endif()
  if(ARG_SERIAL)
    list(APPEND more RUN_SERIAL ON)
  endif()
  if(ARG_FAST)
    tailmark_optimise(${name})
  else()
    tailmark_use_its_pch(${name})
  endif()
  if(ARG_TORCH)
    list(APPEND ARG_LABELS torch)
  endif()
  if(ARG_TORCH OR ARG_TOGETHER)
    if(NOT ARG_SHARDS)
      set(ARG_SHARDS 1)
    endif()
    foreach(shard RANGE 1 ${ARG_SHARDS})
      set(entry ${name})
      if(ARG_SHARDS GREATER 1)
        set(entry ${name}-${shard})
      endif()
      math(EXPR index "${shard} - 1")
      add_test(NAME ${entry} COMMAND ${name} --gtest_brief=0)
      # Of a binary all of whose tests were skipped CTest says so, too; a failure
      # is listed behind and is one.
      set_tests_properties(${entry} PROPERTIES LABELS "${ARG_LABELS}"
        SKIP_REGULAR_EXPRESSION "PASSED  . 0 tests[.]\n(.  SKIPPED . [^\n]*\n)+$"
        ENVIRONMENT "OMP_NUM_THREADS=1;GTEST_TOTAL_SHARDS=${ARG_SHARDS};GTEST_SHARD_INDEX=${index}"
        ${more})
    endforeach()
  else()
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
      PROPERTIES LABELS "${ARG_LABELS}" ENVIRONMENT OMP_NUM_THREADS=1 ${more})
  endif()
endfunction()

# tailmark_bench(NAME SOURCES ... DEPS ... [TORCH_PCH]), only with
# TAILMARK_BUILD_BENCH. CTest runs each once, briefly: a bench that no longer
# runs is found the same day. Numbers come from running it by hand in release.
function(tailmark_bench name)
  if(NOT TAILMARK_BUILD_BENCH)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 ARG "TORCH_PCH" "" "SOURCES;DEPS")
  set(pch)
  if(ARG_TORCH_PCH)
    set(pch TORCH_PCH)
  endif()
  tailmark_executable(${name} SOURCES ${ARG_SOURCES}
    DEPS ${ARG_DEPS} benchmark::benchmark_main ${pch})
  target_compile_definitions(${name} PRIVATE TM_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(TAILMARK_BUILD_TESTS)
    # 1.7 takes plain seconds; the suffix "0.01s" came with 1.8.
    add_test(NAME ${name} COMMAND ${name} --benchmark_min_time=0.01)
    set_tests_properties(${name} PROPERTIES LABELS bench TIMEOUT 300
      ENVIRONMENT OMP_NUM_THREADS=1)
  endif()
endfunction()

# tailmark_fuzz(NAME SOURCES ... DEPS ...): a libFuzzer target, only with
# TAILMARK_BUILD_FUZZ (clang). CTest gives each a minute.
function(tailmark_fuzz name)
  if(NOT TAILMARK_BUILD_FUZZ)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;DEPS")
  tailmark_executable(${name} SOURCES ${ARG_SOURCES} DEPS ${ARG_DEPS})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_test(NAME ${name} COMMAND ${name} -max_total_time=60 -rss_limit_mb=2048
    -timeout=10 -print_final_stats=1)
  set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 180)
endfunction()
