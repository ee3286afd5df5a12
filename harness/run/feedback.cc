#include "harness/run/feedback.h"

#include <unistd.h>

#include <cerrno>
#include <string>

#include "harness/base/json.h"
#include "harness/run/run_errors.h"

namespace tailmark {
namespace {

[[noreturn]] void Gone() {
  throw StoreError(
      "tailmark, which knows the test labels and is asked after each epoch, is "
      "gone; run it again to go on from the checkpoint");
}

void Send(int fd, const std::string& line) {
  std::size_t sent = 0;
  while (sent < line.size()) {
    const auto n = write(fd, line.data() + sent, line.size() - sent);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) Gone();
    sent += static_cast<std::size_t>(n);
  }
}

std::string Receive(int fd) {
  std::string line;
  for (char c = 0;;) {
    const auto n = read(fd, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) Gone();
    if (c == '\n') return line;
    line += c;
  }
}

}  // namespace

double FeedbackChannel::Ask(const ScoreFile& scores, std::int64_t epoch) {
  Send(fd_, Json({{"epoch", epoch},
                  {"scores", scores.path},
                  {"sha256", scores.sha256}})
                    .dump() +
                "\n");
  const Json answer = ParseJson(Receive(fd_), "answer of tailmark");
  if (answer.contains("value")) return answer.at("value").get<double>();
  throw RunFailed(StrCat(
      "the test scores of epoch ", epoch,
      " could not be judged: ", answer.value("error", "no reason was given")));
}

}  // namespace tailmark
