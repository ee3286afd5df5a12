#include "harness/base/error.h"

#include <cstdio>
#include <cstdlib>

namespace tailmark::internal {

void CheckFailed(const char* file, int line, const char* what,
                 std::string_view message) {
  std::fprintf(stderr, "%s:%d: check failed: %s %.*s\n", file, line, what,
               static_cast<int>(message.size()), message.data());
  std::abort();
}

}  // namespace tailmark::internal
