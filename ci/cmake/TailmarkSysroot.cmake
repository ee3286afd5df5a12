# Where ci/setup unpacks packages when it may not install them: looked at before
# the system, and found by the linker and at run time too.
set(TAILMARK_SYSROOT "${PROJECT_SOURCE_DIR}/.cache/sysroot" CACHE PATH
  "Folder with unpacked packages (made by ci/setup without root)")
if(IS_DIRECTORY "${TAILMARK_SYSROOT}/usr")
  message(STATUS "Packages unpacked in ${TAILMARK_SYSROOT} are used")
  list(PREPEND CMAKE_PREFIX_PATH "${TAILMARK_SYSROOT}/usr")
  # Debian keeps a few headers by architecture; packages expect them to be found
  # without being asked for, as in /usr/include. After all other folders.
  file(GLOB tailmark_by_architecture "${TAILMARK_SYSROOT}/usr/include/*-linux-gnu*")
  foreach(folder IN ITEMS "${TAILMARK_SYSROOT}/usr/include" ${tailmark_by_architecture})
    add_compile_options("SHELL:-idirafter ${folder}")
  endforeach()
  # Libraries of libraries, which only the linker looks for.
  file(GLOB tailmark_by_architecture "${TAILMARK_SYSROOT}/usr/lib/*-linux-gnu*")
  foreach(folder IN ITEMS ${tailmark_by_architecture})
    add_link_options("LINKER:-rpath-link,${folder}" "LINKER:-rpath,${folder}")
  endforeach()
endif()
