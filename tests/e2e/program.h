#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/base/json.h"

namespace tailmark {

/// What a program said and how it ended.
struct Said {
  std::string out;
  std::string err;
  int code = -1;  ///< Exit code, or minus the signal that ended it.

  /// stdout as JSON; fails the test when it is none.
  Json json() const;
};

/// A `tailmark` process with a store, a folder and an environment of its own.
class Program {
 public:
  /// Runs in `folder`, on the store `folder`/store.
  explicit Program(std::filesystem::path folder);

  /// Runs it to its end.
  Said operator()(const std::vector<std::string>& arguments) const;
  /// Starts it and returns its number; its output goes to files in folder().
  pid_t Start(const std::vector<std::string>& arguments) const;
  /// Waits for one that Start() began.
  static int Wait(pid_t pid);
  /// Numbers of the processes that `pid` started and that still run.
  static std::vector<pid_t> Children(pid_t pid);
  /// Those of them that do a task.
  static std::vector<pid_t> Workers(pid_t pid);
  /// Those of them that workers are forked from.
  static std::vector<pid_t> Servers(pid_t pid);

  /// Takes encoder features, and what workers said of plugins, that another
  /// test of this build has made, and leaves its own: for tests that are about
  /// something else.
  void ShareFeatures();

  std::filesystem::path folder() const { return folder_; }
  std::filesystem::path store() const { return folder_ / "store"; }
  std::map<std::string, std::string> environment;  ///< On top of ours.
  /// Writing a file beyond this fails as on a full disk; 0: no limit.
  std::int64_t largest_file = 0;

 private:
  pid_t Launch(const std::vector<std::string>& arguments,
               const std::string& out, const std::string& err) const;
  std::filesystem::path folder_;
};

}  // namespace tailmark
