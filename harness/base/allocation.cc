#include "harness/base/allocation.h"

#include <limits>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace tailmark {

void KeepFreedMemory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most it takes
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

}  // namespace tailmark
