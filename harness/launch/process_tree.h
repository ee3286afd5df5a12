#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>

namespace tailmark {

/// A process and all that descend from it, as /proc shows them now.
struct ProcessTree {
  std::int64_t resident = 0;  ///< Bytes; shared pages count in each.
  double cpu_s = 0;           ///< Of all that live, and what they waited for.
};
ProcessTree LookAtTree(pid_t root);

/// From now on, what descends from this process and has lost its parent becomes
/// its child, wherever it has fled to.
void AdoptOrphans();
/// The numbers of this process's children.
std::set<pid_t> OwnChildren();
/// Kills children that are not in `spared`, until there are none.
void EndOrphans(const std::set<pid_t>& spared);

}  // namespace tailmark
