#pragma once

// What a plugin in C++ includes, and nothing else of ours: the method API, and
// TM_PLUGIN, which makes a shared object of methods a plugin.
//
//   #include "harness/plugin/cxx_plugin.h"
//   ... struct FancyOptions, class Fancy : tailmark::MethodWith<FancyOptions>
//   ... TM_PLUGIN(Fancy)
//
// Built with tailmark_plugin(fancy fancy.cc) of find_package(Tailmark), which
// writes <tailmark_stamp.h>: TM_STAMP_PARTS, what the compiler does not know.

#include <tailmark_stamp.h>

#include "harness/api/registry.h"

#ifdef NDEBUG
#define TM_STAMP_BUILD "release"
#else
#define TM_STAMP_BUILD "debug"
#endif
#if _GLIBCXX_USE_CXX11_ABI
#define TM_STAMP_STRINGS "1"
#else
#define TM_STAMP_STRINGS "0"
#endif
/// "TAILMARKSTAMP{...}": see harness/plugin/stamp.h.
#define TM_STAMP                                               \
  "TAILMARKSTAMP{\"kind\":\"cxx\",\"compiler\":\"" __VERSION__ \
  "\",\"libstdcxx_abi\":\"" TM_STAMP_STRINGS                   \
  "\",\"build_type\":\"" TM_STAMP_BUILD "\"," TM_STAMP_PARTS "}"

namespace tailmark::internal {

template <class... Methods>
void AddMethods(MethodRegistry& registry) {
  (registry.Add<Methods>(), ...);
}

}  // namespace tailmark::internal

/// One or more classes that satisfy MethodPlugin; at the end of a source file,
/// outside of any namespace, once in a shared object. The stamp is data, so
/// that it can be read out of the file without running it.
#define TM_PLUGIN(...)                                                  \
  extern "C" {                                                          \
  extern const char tailmark_plugin_stamp[];                            \
  __attribute__((used, visibility("default")))                          \
  const char tailmark_plugin_stamp[] = TM_STAMP;                        \
  __attribute__((visibility("default"))) void tailmark_plugin_register( \
      ::tailmark::MethodRegistry* registry) {                           \
    ::tailmark::internal::AddMethods<__VA_ARGS__>(*registry);           \
  }                                                                     \
  }
