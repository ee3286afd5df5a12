#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "harness/base/child_start.h"

namespace tailmark {

/// The variables by which a program that is started uses so many threads: what
/// libraries look at while they are loaded, and not again.
std::map<std::string, std::string> ThreadVariables(std::int64_t threads);

/// How long to wait for an answer, in seconds.
struct ForkPatience {
  double load_s = 60;  ///< Of one that loads, perhaps from a cold disk.
  double fork_s = 10;  ///< Of one that is loaded.
};

/// Starts a child as Spawn() does, but as a fork of one `program` that stays
/// loaded for it (`program serve`): a worker needs 0.3 s of a processor for the
/// start of LibTorch alone. The child is this process's own in all that counts:
/// it waits for it, kills it, and reads what it used. The first call starts the
/// server; it goes with this process. Nothing when the program does not serve,
/// or does not answer: then Spawn() it.
///
/// REQUIRES: an output; Kin::Prepare() came before, since a fork becomes ours
/// by adoption.
std::optional<pid_t> ForkLoaded(const std::filesystem::path& program,
                                const ChildStart& start,
                                const ForkPatience& patience = {});

}  // namespace tailmark
