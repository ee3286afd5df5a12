# What a program was built from, baked in at build time. Two halves: included, it
# defines tailmark_build_info(); as a script (cmake -P) it looks at the tree and
# writes the source file when something in it changed.
#
# The digest is over the sources that can move a score. It needs no .git; the
# rest is asked of git when there is one.

set(TM_SCORE_FOLDERS harness/base harness/api harness/run datasets methods)

# tailmark_build_info(TEMPLATE): tailmark::build_info, which defines ThisBuild().
function(tailmark_build_info template)
  set(out "${PROJECT_BINARY_DIR}/generated/this_build.cc")
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  string(STRIP "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}" flags)
  string(STRIP "${TAILMARK_TORCH_VERSION} ${TAILMARK_TORCH_FLAVOUR}" torch)
  # Looked at in every build: git's state has no file one could depend on. The
  # file is only touched when it changes, so that nothing is linked for nothing.
  add_custom_target(tailmark_look_at_build
    COMMAND "${CMAKE_COMMAND}"
      "-DTM_SOURCE=${PROJECT_SOURCE_DIR}"
      "-DTM_TEMPLATE=${CMAKE_CURRENT_SOURCE_DIR}/${template}"
      "-DTM_OUT=${out}"
      "-DTM_DIFF=${PROJECT_BINARY_DIR}/share/tailmark/build.diff"
      "-DTM_VERSION=${PROJECT_VERSION}"
      "-DTM_COMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
      "-DTM_FLAGS=${flags}"
      "-DTM_BUILD_TYPE=${CMAKE_BUILD_TYPE}"
      "-DTM_TORCH_VERSION=${torch}"
      -P "${PROJECT_SOURCE_DIR}/ci/cmake/BuildInfo.cmake"
    BYPRODUCTS "${out}"
    VERBATIM)
  add_library(tailmark_build_info STATIC "${out}")
  add_library(tailmark::build_info ALIAS tailmark_build_info)
  add_dependencies(tailmark_build_info tailmark_look_at_build)
  target_link_libraries(tailmark_build_info PUBLIC tailmark::base PRIVATE tailmark_flags)
endfunction()

# SHA-256 over "hash  path" of each source, sorted by path.
function(tailmark_source_digest root out)
  set(files)
  foreach(folder IN LISTS TM_SCORE_FOLDERS)
    file(GLOB_RECURSE found RELATIVE "${root}"
      "${root}/${folder}/*.cc" "${root}/${folder}/*.h")
    list(APPEND files ${found})
  endforeach()
  list(SORT files COMPARE STRING)
  set(lines)
  foreach(file IN LISTS files)
    file(SHA256 "${root}/${file}" hash)
    string(APPEND lines "${hash}  ${file}\n")
  endforeach()
  string(SHA256 digest "${lines}")
  set(${out} "${digest}" PARENT_SCOPE)
endfunction()

macro(tailmark_git out)
  execute_process(COMMAND git -C "${TM_SOURCE}" ${ARGN}
    OUTPUT_VARIABLE ${out} OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE tm_failed ERROR_QUIET)
  if(tm_failed)
    set(${out} "")
  endif()
endmacro()

if(CMAKE_SCRIPT_MODE_FILE)
  cmake_policy(VERSION 3.25)
  tailmark_source_digest("${TM_SOURCE}" TM_DIGEST)
  set(TM_GIT_SHA "")
  set(TM_BRANCH "")
  set(TM_DIRTY false)
  set(TM_DIFF_SHA256 "")
  set(diff "")
  # A tree unpacked inside somebody else's repository is not that repository.
  tailmark_git(top rev-parse --show-toplevel)
  file(REAL_PATH "${TM_SOURCE}" source)
  if(top STREQUAL source)
    tailmark_git(TM_GIT_SHA rev-parse HEAD)
    tailmark_git(TM_BRANCH rev-parse --abbrev-ref HEAD)
    tailmark_git(changed status --porcelain --untracked-files=normal -- ${TM_SCORE_FOLDERS})
    if(changed)
      set(TM_DIRTY true)
      tailmark_git(diff diff HEAD -- ${TM_SCORE_FOLDERS})
      string(SHA256 TM_DIFF_SHA256 "${diff}")
      # Enough to see what was tried; a bigger change wants a commit.
      string(SUBSTRING "${diff}" 0 1000000 diff)
    endif()
  endif()
  file(WRITE "${TM_DIFF}" "${diff}")
  configure_file("${TM_TEMPLATE}" "${TM_OUT}" @ONLY)
endif()
