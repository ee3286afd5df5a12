#pragma once

#include <cstdint>
#include <filesystem>

#include "harness/record/bundle.h"

namespace tailmark {

/// Asks `tailmark`, which has the test labels, how good test scores are: a line
/// of JSON each way over an inherited descriptor. harness/record/README.md has
/// the form.
class FeedbackChannel {
 public:
  /// `descriptor` is not owned; below 0: there is nobody.
  explicit FeedbackChannel(int descriptor) : fd_(descriptor) {}
  bool open() const { return fd_ >= 0; }
  /// mAP in percent of the matrix `scores` of the bundle. Throws RunFailed when
  /// the other side says that it cannot be had, StoreError when it is gone.
  double Ask(const ScoreFile& scores, std::int64_t epoch);

 private:
  int fd_;
};

}  // namespace tailmark
