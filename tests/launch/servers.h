#pragma once

#include <sys/types.h>

#include <fstream>
#include <set>
#include <string>

#include "harness/base/error.h"

namespace tailmark {

/// Those of `children` that workers are forked from.
inline std::set<pid_t> ServersOf(const std::set<pid_t>& children) {
  std::set<pid_t> found;
  for (const pid_t child : children) {
    std::ifstream in(StrCat("/proc/", child, "/cmdline"));
    std::string program, task;
    std::getline(in, program, '\0');
    std::getline(in, task, '\0');
    if (task == "serve") found.insert(child);
  }
  return found;
}

}  // namespace tailmark
