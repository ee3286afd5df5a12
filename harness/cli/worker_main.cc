// The executable `tailmark-worker`: links LibTorch and every method, and does
// one task per process. It needs nothing of `tailmark`.

#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "harness/cli/worker_program.h"

int main(int argc, char** argv) {
  const int code = tailmark::WorkerMain(argc, argv);
  // Everything that counts is synced. Taking LibTorch apart costs 40 ms and
  // moves nothing.
  std::fflush(nullptr);
  std::cout.flush();
  std::_Exit(code);
}
