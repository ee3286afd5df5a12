#include "tests/datasets/fault_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <stdexcept>

#include "harness/base/error.h"

namespace tailmark {

void HttpReply::Raw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

void HttpReply::Send(int status, const std::string& headers,
                     std::string_view body) {
  Raw(StrCat("HTTP/1.1 ", status, " X\r\nConnection: close\r\n", headers,
             "\r\n"));
  Raw(body);
}

void HttpReply::Serve(const HttpRequest& request, std::string_view body) {
  const auto size = static_cast<std::int64_t>(body.size());
  if (!request.ranged) {
    Send(200, StrCat("Content-Length: ", size, "\r\n"), body);
  } else if (request.from >= size) {
    Send(416, "Content-Length: 0\r\n", "");
  } else {
    Send(206,
         StrCat("Content-Length: ", size - request.from,
                "\r\nContent-Range: bytes ", request.from, "-", size - 1, "/",
                size, "\r\n"),
         body.substr(static_cast<std::size_t>(request.from)));
  }
}

void HttpReply::Stall() {
  pollfd watch{.fd = fd_, .events = POLLRDHUP, .revents = 0};
  while (!stopping_ && poll(&watch, 1, 20) == 0) {
  }
}

FaultServer::FaultServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const where = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || bind(listener_, where, size) != 0 ||
      listen(listener_, 64) != 0 || getsockname(listener_, where, &size) != 0) {
    throw std::runtime_error("no server on the loopback");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Listen(); });
}

FaultServer::~FaultServer() {
  stopping_ = true;
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
}

std::string FaultServer::url() const {
  return StrCat("http://127.0.0.1:", port_, "/");
}

int FaultServer::RequestsOf(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto it = counts_.find(path);
  return it == counts_.end() ? 0 : it->second;
}

int FaultServer::requests() const {
  const std::lock_guard lock(mutex_);
  int all = 0;
  for (const auto& entry : counts_) all += entry.second;
  return all;
}

void FaultServer::Listen() {
  pollfd watch{.fd = listener_, .events = POLLIN, .revents = 0};
  while (!stopping_) {
    if (poll(&watch, 1, 20) <= 0) continue;
    const int fd = accept(listener_, nullptr, nullptr);
    if (fd >= 0) threads_.emplace_back([this, fd] { Answer(fd); });
  }
}

void FaultServer::Answer(int fd) {
  std::string text;
  char buffer[4096];
  while (text.find("\r\n\r\n") == text.npos) {
    const ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  HttpRequest request;
  const auto slash = text.find(' ');
  if (slash != text.npos) {
    request.path =
        text.substr(slash + 1, text.find(' ', slash + 1) - slash - 1);
    const auto range = text.find("Range: bytes=");
    if (range != text.npos) {
      request.ranged = true;
      const char* first = text.data() + range + 13;
      std::from_chars(first, text.data() + text.size(), request.from);
    }
    {
      const std::lock_guard lock(mutex_);
      request.count = ++counts_[request.path];
    }
    HttpReply reply(fd, stopping_);
    handler_(request, reply);
  }
  shutdown(fd, SHUT_RDWR);
  close(fd);
}

}  // namespace tailmark
