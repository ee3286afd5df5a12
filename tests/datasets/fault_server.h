#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tailmark {

/// What a client asked for.
struct HttpRequest {
  std::string path;       ///< "/train2017/1.jpg"
  std::int64_t from = 0;  ///< Of "Range: bytes=N-".
  bool ranged = false;
  int count = 0;  ///< Requests of this path so far, this one included.
};

/// One connection, closed after the answer.
class HttpReply {
 public:
  HttpReply(int fd, const std::atomic<bool>& stopping)
      : fd_(fd), stopping_(stopping) {}
  /// Status line, headers ("Name: value\r\n" each), blank line, body.
  void Send(int status, const std::string& headers, std::string_view body);
  /// A whole body; of it what `request` asked for, with 206.
  void Serve(const HttpRequest& request, std::string_view body);
  void Raw(std::string_view bytes);
  /// Says nothing, until the client leaves or the server ends.
  void Stall();

 private:
  int fd_;
  const std::atomic<bool>& stopping_;
};

/// An HTTP server on the loopback that does what a test tells it, right or
/// wrong. Handlers run on a thread for each connection.
class FaultServer {
 public:
  using Handler = std::function<void(const HttpRequest&, HttpReply&)>;
  explicit FaultServer(Handler handler);
  ~FaultServer();
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;

  std::string url() const;  ///< "http://127.0.0.1:PORT/"
  int RequestsOf(const std::string& path) const;
  int requests() const;

 private:
  void Listen();
  void Answer(int fd);

  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::map<std::string, int> counts_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace tailmark
