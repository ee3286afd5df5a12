#include "harness/launch/feedback_server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "harness/base/clock.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/json.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

/// Appends a line and waits until the disk has it.
void Note(const fs::path& path, const std::string& line) {
  const int fd =
      open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const bool good = fd >= 0 &&
                    write(fd, line.data(), line.size()) ==
                        static_cast<ssize_t>(line.size()) &&
                    fsync(fd) == 0;
  if (fd >= 0) close(fd);
  if (!good) throw StoreError(path.string() + ": cannot be written");
}

}  // namespace

FeedbackServer::FeedbackServer(fs::path bundle, Judge judge)
    : bundle_(std::move(bundle)), judge_(std::move(judge)) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw StoreError("no pair of sockets to answer a worker through");
  }
  ours_ = ends[0];
  theirs_ = ends[1];
  fcntl(ours_, F_SETFL, O_NONBLOCK);
}

FeedbackServer::~FeedbackServer() {
  CloseWorkerEnd();
  close(ours_);
}

void FeedbackServer::CloseWorkerEnd() {
  if (theirs_ >= 0) close(theirs_);
  theirs_ = -1;
}

void FeedbackServer::Serve() {
  std::array<char, 4096> buffer{};
  while (true) {
    const auto n = read(ours_, buffer.data(), buffer.size());
    if (n <= 0) return;
    rest_.append(buffer.data(), static_cast<std::size_t>(n));
    for (auto end = rest_.find('\n'); end != rest_.npos;
         end = rest_.find('\n')) {
      Answer(rest_.substr(0, end));
      rest_.erase(0, end + 1);
    }
  }
}

void FeedbackServer::Answer(const std::string& line) {
  Json note = {{"utc", UtcNow()}};
  Json answer;
  try {
    const Json asked = ParseJson(line, "question of a worker");
    note["epoch"] = asked.at("epoch");
    note["sha256"] = asked.at("sha256");
    const fs::path scores =
        bundle_ / "scores" /
        fs::path(asked.at("scores").get<std::string>()).filename();
    if (Sha256File(scores) != asked.at("sha256").get<std::string>()) {
      throw DataError(scores.string() + ": is not what the worker wrote");
    }
    const double value = judge_(scores);
    answer = {{"value", value}};
    note["value"] = value;
  } catch (const std::exception& error) {
    answer = {{"error", error.what()}};
    note["error"] = error.what();
  }
  Note(bundle_ / "feedback.jsonl", note.dump() + "\n");
  const std::string out = answer.dump() + "\n";
  // A worker that died meanwhile needs no answer.
  (void)!send(ours_, out.data(), out.size(), MSG_NOSIGNAL);
}

}  // namespace tailmark
