#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/api/method.h"
#include "harness/record/bundle.h"

namespace tailmark {

/// Collects what Predict() gives, batch by batch, and refuses what is no
/// result.
class ScoreCollector {
 public:
  /// `ids` [N] and `classes` [C] are for messages and shapes.
  ScoreCollector(std::string method, std::vector<std::string> ids,
                 std::vector<std::string> classes);

  /// Scores [B, C] of `batch`. Throws RunFailed naming the first row and class
  /// that is not finite, or the shape or type that is wrong.
  void Add(const Batch& batch, const at::Tensor& scores);

  /// Writes scores/<split>.npy of `bundle` in the scores' own type (bfloat16,
  /// which .npy has not, as float32; the record keeps the true name). Throws
  /// RunFailed when rows are missing.
  ScoreFile Write(const std::filesystem::path& bundle, const std::string& split,
                  ScoreScale scale) const;

 private:
  void RequireFinite(const at::Tensor& scores, const at::Tensor& rows) const;

  std::string method_;
  std::vector<std::string> ids_;
  std::vector<std::string> classes_;
  std::vector<at::Tensor> parts_;
  std::int64_t rows_ = 0;
};

}  // namespace tailmark
