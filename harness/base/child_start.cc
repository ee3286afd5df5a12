#include "harness/base/child_start.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "harness/base/error.h"
#include "harness/base/json.h"

namespace tailmark {
namespace {

constexpr std::size_t kMostBytes = 64 << 10;
constexpr std::size_t kMostDescriptors = 16;
constexpr std::size_t kControlBytes =
    CMSG_SPACE(kMostDescriptors * sizeof(int));

/// A message of sendmsg() and recvmsg(), with room for descriptors.
struct Packet {
  explicit Packet(std::string& text) : bytes{text.data(), text.size()} {
    header.msg_iov = &bytes;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
  iovec bytes;
  alignas(cmsghdr) std::array<char, kControlBytes> control{};
  msghdr header{};
};

std::vector<int> DescriptorsIn(msghdr& header) {
  std::vector<int> found;
  for (cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr;
       each = CMSG_NXTHDR(&header, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    found.resize((each->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(found.data(), CMSG_DATA(each), found.size() * sizeof(int));
  }
  return found;
}

}  // namespace

ChildPlace::ChildPlace(const ChildStart& start)
    : address_bytes_(start.address_bytes),
      adopts_orphans_(start.adopts_orphans),
      any_core_(start.cores.empty()) {
  CPU_ZERO(&cores_);
  for (const int core : start.cores) CPU_SET(core, &cores_);
}

bool ChildPlace::Enter(pid_t parent) const {
  if (address_bytes_ > 0) {
    const auto bytes = static_cast<rlim_t>(address_bytes_);
    const rlimit address{bytes, bytes};
    setrlimit(RLIMIT_AS, &address);
  }
  // Slower on the wrong core, but right.
  if (!any_core_) (void)sched_setaffinity(0, sizeof cores_, &cores_);
  // In this order: a fork's first parent ends meanwhile, and the kernel looks
  // whom that concerns under a lock that setpgid() takes, too.
  return setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
         prctl(PR_SET_CHILD_SUBREAPER, adopts_orphans_ ? 1 : 0, 0, 0, 0) == 0 &&
         getppid() == parent;  // it may have died already
}

bool SendForkRequest(int socket, const ChildStart& start, int answer) try {
  std::string text = Json{
      {"arguments", start.arguments},
      {"environment", start.environment},
      {"keep_open", start.keep_open},
      {"cores", start.cores},
      {"address_bytes", start.address_bytes},
      {"adopts_orphans", start.adopts_orphans},
      {"launcher",
       getpid()}}.dump();
  std::vector<int> descriptors = {start.output, answer};
  descriptors.insert(descriptors.end(), start.keep_open.begin(),
                     start.keep_open.end());
  if (text.size() > kMostBytes || descriptors.size() > kMostDescriptors) {
    return false;
  }
  Packet packet(text);
  const std::size_t bytes = descriptors.size() * sizeof(int);
  packet.header.msg_controllen = CMSG_SPACE(bytes);
  cmsghdr* control = CMSG_FIRSTHDR(&packet.header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(bytes);
  std::memcpy(CMSG_DATA(control), descriptors.data(), bytes);
  ssize_t sent = 0;
  do {
    sent = sendmsg(socket, &packet.header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(text.size());
} catch (const Json::exception&) {
  return false;  // A path that is no UTF-8.
}

std::optional<ForkRequest> ReceiveForkRequest(int socket) try {
  std::string text(kMostBytes, '\0');
  Packet packet(text);
  ssize_t got = 0;
  do {
    got = recvmsg(socket, &packet.header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(got));
  const std::vector<int> descriptors = DescriptorsIn(packet.header);
  const Json json = ParseJson(text, "a request for a fork");
  ForkRequest request{.start = {.arguments = json.at("arguments"),
                                .environment = json.at("environment"),
                                .keep_open = json.at("keep_open"),
                                .cores = json.at("cores"),
                                .address_bytes = json.at("address_bytes"),
                                .adopts_orphans = json.at("adopts_orphans")},
                      .launcher = json.at("launcher"),
                      .kept = {}};
  const std::size_t wanted = 2 + request.start.keep_open.size();
  if (descriptors.size() != wanted) {
    throw DataError(StrCat("a request for a fork has ", descriptors.size(),
                           " descriptors, expected ", wanted));
  }
  request.start.output = descriptors[0];
  request.answer = descriptors[1];
  request.kept.assign(descriptors.begin() + 2, descriptors.end());
  return request;
} catch (const Json::exception& error) {
  throw DataError(StrCat("a request for a fork: ", error.what()));
}

}  // namespace tailmark
