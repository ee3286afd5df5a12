#include "harness/base/allocation.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstddef>
#include <memory>

namespace tailmark {
namespace {

// Pages that the kernel hands out while `bytes` are allocated, written, freed.
long Faults(std::size_t bytes) {
  rusage before{};
  rusage after{};
  getrusage(RUSAGE_SELF, &before);
  const auto memory = std::make_unique_for_overwrite<char[]>(bytes);
  for (std::size_t i = 0; i < bytes; i += 512) {
    static_cast<volatile char*>(memory.get())[i] = 1;
  }
  getrusage(RUSAGE_SELF, &after);
  return after.ru_minflt - before.ru_minflt;
}

TEST(Allocation, WhatIsFreedIsNotFaultedInAgain) {
  constexpr std::size_t kBytes = std::size_t{24} << 20;
  KeepFreedMemory();
  EXPECT_GT(Faults(kBytes), 1000);
  EXPECT_LT(Faults(kBytes), 100);
}

}  // namespace
}  // namespace tailmark
