#pragma once

#include <sys/types.h>

#include <filesystem>

#include "harness/base/child_start.h"

namespace tailmark {

/// Starts `program` in a process group of its own, tied to the life of this
/// thread; stdin is empty. The only user of Boost.Process. Throws StoreError
/// when it cannot be started.
pid_t Spawn(const std::filesystem::path& program, const ChildStart& start);

}  // namespace tailmark
