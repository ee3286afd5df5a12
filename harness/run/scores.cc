#include "harness/run/scores.h"

#include <ATen/ATen.h>

#include <utility>

#include "harness/base/digest.h"
#include "harness/base/files.h"
#include "harness/base/npy.h"
#include "harness/run/run_errors.h"
#include "harness/run/tensors.h"

namespace tailmark {
namespace fs = std::filesystem;

ScoreCollector::ScoreCollector(std::string method, std::vector<std::string> ids,
                               std::vector<std::string> classes)
    : method_(std::move(method)),
      ids_(std::move(ids)),
      classes_(std::move(classes)) {}

void ScoreCollector::Add(const Batch& batch, const at::Tensor& scores) {
  const std::int64_t rows = batch.rows.size(0);
  const auto classes = static_cast<std::int64_t>(classes_.size());
  if (!scores.defined() || scores.dim() != 2 || scores.size(0) != rows ||
      scores.size(1) != classes) {
    throw RunFailed(StrCat("method '", method_, "' gave scores of shape ",
                           scores.defined() ? StrCat(scores.sizes()) : "none",
                           ", expected [", rows, ", ", classes,
                           "] (rows of the batch, classes)"));
  }
  if (!at::isFloatingType(scores.scalar_type())) {
    throw RunFailed(StrCat("method '", method_, "' gave scores of type ",
                           c10::toString(scores.scalar_type()),
                           ", expected a floating type"));
  }
  if (!parts_.empty() && parts_.front().scalar_type() != scores.scalar_type()) {
    throw RunFailed(StrCat("method '", method_,
                           "' changed the type of its scores between batches"));
  }
  // clone: a method may hand out the same memory again.
  at::Tensor part = OnHost(scores).clone();
  RequireFinite(part, batch.rows);
  parts_.push_back(std::move(part));
  rows_ += rows;
}

void ScoreCollector::RequireFinite(const at::Tensor& scores,
                                   const at::Tensor& rows) const {
  const at::Tensor bad = scores.isfinite().logical_not().nonzero();
  if (bad.size(0) == 0) return;
  const auto row = rows[bad[0][0]].item<std::int64_t>();
  const auto c = bad[0][1].item<std::int64_t>();
  const double value = scores[bad[0][0]][bad[0][1]].item<double>();
  throw RunFailed(StrCat(
      "method '", method_, "' gave ", value, " for row ", row, " ('",
      ids_[static_cast<std::size_t>(row)], "'), class ", c, " ('",
      classes_[static_cast<std::size_t>(c)], "'): scores must be finite"));
}

ScoreFile ScoreCollector::Write(const fs::path& bundle,
                                const std::string& split,
                                ScoreScale scale) const {
  if (rows_ != static_cast<std::int64_t>(ids_.size())) {
    throw RunFailed(StrCat("method '", method_, "' scored ", rows_, " of ",
                           ids_.size(), " images"));
  }
  at::Tensor all = at::cat(parts_).contiguous();
  // .npy knows no bfloat16.
  if (all.scalar_type() == at::kBFloat16) all = all.to(at::kFloat);
  const DType dtype = FileTypeOf(all);
  const std::string path = "scores/" + split + ".npy";
  MakeFolders(bundle / "scores");
  WriteNpy(bundle / path, dtype, all.sizes().vec(), BytesOf(all));
  return {.split = split,
          .path = path,
          .sha256 = Sha256File(bundle / path),
          .dtype = std::string(NameOf(dtype)),
          .rows = all.size(0),
          .cols = all.size(1),
          .scale = std::string(NameOf(scale))};
}

}  // namespace tailmark
