#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/base/json.h"
#include "harness/plugin/sandbox.h"

namespace tailmark {

/// How an external program is started.
struct ChildOptions {
  std::string name;                                ///< What messages call it.
  std::vector<std::string> command;                ///< Found by PATH.
  std::filesystem::path folder;                    ///< Its working directory.
  std::map<std::string, std::string> environment;  ///< On top of ours.
  double silence_s = 60;  ///< It must say something at least so often.
  double grace_s = 2;     ///< For going after "bye".
  /// Beside what programs need (SystemFolders).
  Allowed allowed;
};

/// An external program that talks in JSON lines: it reads descriptor 3 and
/// writes descriptor 4. Its stdout and stderr are our stderr, its stdin is
/// empty, it inherits nothing else and dies with us. It stays in our process
/// group, so that whoever ends that ends it too. Use it on the main thread.
class Child {
 public:
  /// Throws ConfigError when the program cannot be started.
  explicit Child(ChildOptions options);
  /// Says bye; kills what has not gone after the grace time.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Throws std::runtime_error when it is gone, with how it ended.
  void Say(const Json& message);
  /// The next message but heartbeats and "log", whose text is logged. Throws
  /// std::runtime_error when it ended, said what is no message, said "error",
  /// or nothing for too long; Interrupted.
  Json Hear();

 private:
  void Start();
  bool ReadMore(double seconds);
  std::string HowItEnded();
  [[noreturn]] void Fail(const std::string& what);

  ChildOptions options_;
  pid_t pid_ = -1;  ///< -1 once it has been waited for.
  int to_ = -1, from_ = -1;
  std::string buffer_;
};

}  // namespace tailmark
