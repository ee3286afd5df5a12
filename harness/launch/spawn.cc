#include "harness/launch/spawn.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/optional.hpp>  // with std::filesystem, v2 forgets these two
#include <boost/type_traits.hpp>
// Only now, since they use what those declare.
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/stdio.hpp>
#include <cerrno>
#include <string>
#include <vector>

#include "harness/base/environment.h"
#include "harness/base/error.h"

namespace tailmark {
namespace bp = boost::process::v2;
namespace {

/// In the child, between fork and exec.
struct EnterPlace {
  const ChildPlace& place;
  pid_t parent;
  bp::error_code on_exec_setup(bp::posix::default_launcher&,
                               const bp::filesystem::path&,
                               const char* const*) const {
    return place.Enter(parent)
               ? bp::error_code()
               : bp::error_code(ESRCH, boost::system::system_category());
  }
};

}  // namespace

pid_t Spawn(const std::filesystem::path& program, const ChildStart& start) {
  const std::vector<std::string> environment =
      MergedEnvironment(start.environment);
  std::vector<const char*> entries;
  for (const std::string& entry : environment) entries.push_back(entry.c_str());
  entries.push_back(nullptr);
  const ChildPlace place(start);

  boost::asio::io_context context;
  bp::posix::default_launcher launcher;
  launcher.env = entries.data();
  for (const int fd : start.keep_open) {
    launcher.fd_whitelist.push_back(fd);
    fcntl(fd, F_SETFD, 0);
  }
  pid_t pid = -1;
  const auto launch = [&](auto stdio) {
    auto process = launcher(context, program.string(), start.arguments, stdio,
                            EnterPlace{place, getpid()});
    pid = process.id();
    process.detach();  // Whoever asked waits for it.
  };
  try {
    if (start.output < 0) {
      launch(bp::process_stdio{nullptr, nullptr, nullptr});
    } else {
      launch(bp::process_stdio{nullptr, {start.output}, {start.output}});
    }
  } catch (const boost::system::system_error& error) {
    throw StoreError(StrCat(program.string(),
                            ": cannot be started: ", error.code().message()));
  }
  for (const int fd : start.keep_open) fcntl(fd, F_SETFD, FD_CLOEXEC);
  return pid;
}

}  // namespace tailmark
