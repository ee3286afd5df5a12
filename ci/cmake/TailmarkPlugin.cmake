# Methods in shared objects of their own. Used by this tree for the worker and
# the example plugins, and installed, so that find_package(Tailmark) gives it.

# The interface between the worker and plugins in C++ is the headers that these
# see: their digest is the number of the ABI.
set(TM_ABI_HEADERS harness/api/*.h harness/base/*.h harness/plugin/cxx_plugin.h)
function(tailmark_abi root out)
  set(lines)
  foreach(pattern IN LISTS TM_ABI_HEADERS)
    file(GLOB found RELATIVE "${root}" "${root}/${pattern}")
    list(SORT found COMPARE STRING)
    foreach(file IN LISTS found)
      file(SHA256 "${root}/${file}" hash)
      string(APPEND lines "${hash}  ${file}\n")
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${root}/${file}")
    endforeach()
  endforeach()
  string(SHA256 digest "${lines}")
  string(SUBSTRING "${digest}" 0 16 digest)
  set(${out} "${digest}" PARENT_SCOPE)
endfunction()

# tailmark_stamp(TARGET ROOT): lets TARGET include <tailmark_stamp.h>. ROOT holds
# our headers: the tree, or <prefix>/include/tailmark.
function(tailmark_stamp target root)
  tailmark_abi("${root}" TM_ABI)
  set(TM_SOURCE "")
  execute_process(COMMAND git -C "${CMAKE_CURRENT_SOURCE_DIR}" rev-parse HEAD
    OUTPUT_VARIABLE TM_SOURCE OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(root STREQUAL PROJECT_SOURCE_DIR)
    set(TM_SOURCE "")  # our own commit is in the build info, and moves too often
  endif()
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${target}-stamp")
  configure_file("${TAILMARK_STAMP_TEMPLATE}" "${folder}/tailmark_stamp.h" @ONLY)
  target_include_directories(${target} PRIVATE "${folder}")
endfunction()
set(TAILMARK_STAMP_TEMPLATE "${CMAKE_CURRENT_LIST_DIR}/tailmark_stamp.h.in")

# tailmark_plugin(NAME SOURCES...): lib<NAME>.so, for use: plugin:PATH#METHOD. What
# it needs of ours beside headers it finds in the program that loads it. With a header
# for each operator it compiles in 8 s instead of 13; who includes <ATen/ATen.h> has
# all of them as ever.
function(tailmark_plugin name)
  add_library(${name} MODULE ${ARGN})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_link_libraries(${name} PRIVATE tailmark::plugin_headers)
  target_compile_definitions(${name} PRIVATE AT_PER_OPERATOR_HEADERS)
  set_target_properties(${name} PROPERTIES CXX_VISIBILITY_PRESET default)
  tailmark_stamp(${name} "${TAILMARK_PLUGIN_ROOT}")
endfunction()
