#pragma once

#include <sched.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tailmark {

/// How a child process is to start, apart from which program it is.
struct ChildStart {
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  ///< On top of its parent's.
  int output = -1;                 ///< Its stdout and stderr; -1: nowhere.
  std::vector<int> keep_open;      ///< Descriptors it has by the same numbers.
  std::vector<int> cores;          ///< It may use these alone; empty: any.
  std::int64_t address_bytes = 0;  ///< RLIMIT_AS; 0: no limit.
  /// Processes that lose their parent below it become its own until it ends.
  bool adopts_orphans = true;
};

/// The part of it that the child does itself.
class ChildPlace {
 public:
  explicit ChildPlace(const ChildStart& start);
  /// To be called in the child: a process group of its own, death with
  /// `parent`, which is its parent, and what `start` says of cores and
  /// addresses. False when that failed, or the parent died meanwhile. Allocates
  /// nothing.
  bool Enter(pid_t parent) const;

 private:
  std::int64_t address_bytes_;
  bool adopts_orphans_;
  bool any_core_;
  cpu_set_t cores_{};
};

/// What a launcher asks of a worker program that waits with all its libraries
/// loaded: a fork of it that does `start`.
struct ForkRequest {
  ChildStart start;  ///< Its descriptors are the receiver's, and its to close.
  pid_t launcher = -1;
  int answer = -1;  ///< The fork writes its process number there, a pid_t.
  /// The numbers that start.keep_open have with the receiver for now.
  std::vector<int> kept;
};

/// Sends one from this process by a SOCK_SEQPACKET socket. False when nobody
/// takes it, or a message does not hold it. REQUIRES: an output.
bool SendForkRequest(int socket, const ChildStart& start, int answer);

/// Waits for the next; nothing when the other side is gone. Throws DataError
/// when it is no request.
std::optional<ForkRequest> ReceiveForkRequest(int socket);

}  // namespace tailmark
