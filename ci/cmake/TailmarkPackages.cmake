# Every third-party package, with its minimum version. ci/packages names the
# Debian packages they come from.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(fmt 9.0 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)

if(TAILMARK_CLI)
  find_package(SQLite3 3.37 REQUIRED)
  find_package(SQLiteCpp 3.1 REQUIRED)
  find_package(Boost 1.81 REQUIRED)
endif()

if(TAILMARK_ENGINE)
  include(TailmarkTorch)
  tailmark_find_torch()
  # The tokenizer's. Neither PCRE2 nor utf8proc has a CMake package in Debian.
  find_package(ZLIB REQUIRED)
  foreach(package IN ITEMS pcre2-8:pcre2.h utf8proc:utf8proc.h)
    string(REPLACE ":" ";" parts "${package}")
    list(GET parts 0 library)
    list(GET parts 1 header)
    find_library(TAILMARK_LIB_${library} NAMES ${library} REQUIRED)
    find_path(TAILMARK_INCLUDE_${library} NAMES ${header} REQUIRED)
    add_library(tailmark::${library} UNKNOWN IMPORTED)
    set_target_properties(tailmark::${library} PROPERTIES
      IMPORTED_LOCATION "${TAILMARK_LIB_${library}}"
      INTERFACE_INCLUDE_DIRECTORIES "${TAILMARK_INCLUDE_${library}}")
  endforeach()
endif()

if(TAILMARK_BUILD_TESTS)
  find_package(GTest 1.12 REQUIRED)
  include(GoogleTest)
endif()
if(TAILMARK_BUILD_BENCH)
  find_package(benchmark 1.7 REQUIRED)
endif()
