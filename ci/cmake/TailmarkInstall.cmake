# What an installation has for plugins: our headers that they see, and
# find_package(Tailmark). Programs and their files are installed where they are
# made, harness/cli.
include(CMakePackageConfigHelpers)
foreach(folder IN ITEMS harness/api harness/base)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}/"
    DESTINATION "include/tailmark/${folder}" FILES_MATCHING PATTERN "*.h")
endforeach()
install(FILES
  "${PROJECT_SOURCE_DIR}/harness/plugin/cxx_plugin.h"
  "${PROJECT_SOURCE_DIR}/harness/plugin/tailmark_plugin_c.h"
  DESTINATION include/tailmark/harness/plugin)

set(TM_CONFIG "${PROJECT_BINARY_DIR}/TailmarkConfig.cmake")
configure_file("${PROJECT_SOURCE_DIR}/ci/cmake/TailmarkConfig.cmake.in" "${TM_CONFIG}" @ONLY)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/TailmarkConfigVersion.cmake"
  VERSION "${PROJECT_VERSION}" COMPATIBILITY SameMinorVersion)
install(FILES "${TM_CONFIG}" "${PROJECT_BINARY_DIR}/TailmarkConfigVersion.cmake"
  ci/cmake/TailmarkPlugin.cmake ci/cmake/TailmarkTorch.cmake
  ci/cmake/tailmark_stamp.h.in
  DESTINATION lib/cmake/Tailmark)
