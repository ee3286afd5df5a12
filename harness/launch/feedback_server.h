#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace tailmark {

/// Answers a worker that asks how good test scores are: the other end of
/// harness/run/feedback.h. Each question is noted in feedback.jsonl of the
/// bundle before it is answered, also when the worker dies of the answer, so
/// that every look at the test labels is counted.
class FeedbackServer {
 public:
  using Judge = std::function<double(const std::filesystem::path& scores)>;
  /// Throws StoreError.
  FeedbackServer(std::filesystem::path bundle, Judge judge);
  ~FeedbackServer();
  FeedbackServer(const FeedbackServer&) = delete;
  FeedbackServer& operator=(const FeedbackServer&) = delete;

  /// The worker's end: it inherits it.
  int worker_descriptor() const { return theirs_; }
  /// To be called once the worker has it: who holds it then, is the worker
  /// alone.
  void CloseWorkerEnd();
  /// Answers what was asked; never blocks. Throws StoreError.
  void Serve();

 private:
  void Answer(const std::string& line);

  std::filesystem::path bundle_;
  Judge judge_;
  int ours_ = -1;
  int theirs_ = -1;
  std::string rest_;
};

}  // namespace tailmark
