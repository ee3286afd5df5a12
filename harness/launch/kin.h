#pragma once

#include <sys/types.h>

#include <set>

namespace tailmark {

/// Which children of this process are no orphans: those that somebody waits
/// for, and those that were there when none was, which somebody else made.
class Kin {
 public:
  /// Of this process.
  static Kin& Ours();

  /// Before the start of one: from the first one on orphans are adopted.
  void Prepare();
  void Add(pid_t child);
  /// After its end: whatever it left behind goes as well.
  void Remove(pid_t child);
  /// Ends what is nobody's.
  void EndStrays() const;
  /// One that serves the others, until it is dismissed.
  void Keep(pid_t child) { servants_.insert(child); }
  void Dismiss(pid_t child) { servants_.erase(child); }

 private:
  std::set<pid_t> Spared() const;

  int ours_ = 0;
  std::set<pid_t> spared_;
  std::set<pid_t> servants_;
};

}  // namespace tailmark
