#pragma once

#include <functional>
#include <string>
#include <vector>

namespace tailmark {

/// `tailmark-worker serve`: stays as it is after loading, and forks itself for
/// each request that comes by `socket` (harness/base/child_start.h). In a fork
/// this returns what `work(arguments)` does; there the launcher is the parent,
/// and descriptors, group, limits and additions to the environment are as if it
/// had been started by itself; what else it inherits is as it was when the
/// server started. In the server it returns 0 when the launcher has gone, and
/// at once when something has started a thread. `argc` and `argv` are main()'s.
int ServeForks(int socket, int argc, char** argv,
               const std::function<int(const std::vector<std::string>&)>& work);

}  // namespace tailmark
