# Where ci/setup unpacks packages when it may not install them: looked at before
# the system, and found by the linker and at run time too.
set(TAILMARK_SYSROOT "${PROJECT_SOURCE_DIR}/.cache/sysroot" CACHE PATH
  "Folder with unpacked packages (made by ci/setup without root)")
if(IS_DIRECTORY "${TAILMARK_SYSROOT}/usr")
  message(STATUS "Packages unpacked in ${TAILMARK_SYSROOT} are used")
  list(PREPEND CMAKE_PREFIX_PATH "${TAILMARK_SYSROOT}/usr")
endif()
