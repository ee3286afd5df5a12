#include "harness/launch/kin.h"

#include <unistd.h>

#include "harness/launch/process_tree.h"

namespace tailmark {

Kin& Kin::Ours() {
  static Kin kin;
  return kin;
}

void Kin::Prepare() {
  if (ours_ > 0) return;
  AdoptOrphans();
  // A worker has a group of its own, and so has what it left.
  std::erase_if(spared_ = OwnChildren(),
                [](pid_t child) { return getpgid(child) != getpgrp(); });
}

void Kin::Add(pid_t child) {
  ++ours_;
  spared_.insert(child);
}

void Kin::Remove(pid_t child) {
  --ours_;
  spared_.erase(child);
  EndStrays();
}

void Kin::EndStrays() const { EndOrphans(Spared()); }

std::set<pid_t> Kin::Spared() const {
  std::set<pid_t> spared = spared_;
  spared.insert(servants_.begin(), servants_.end());
  return spared;
}

}  // namespace tailmark
