#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "harness/api/encoder.h"
#include "harness/api/method.h"
#include "harness/run/sources.h"

/// Small stand-ins for what methods meet: enough to hold every method to its
/// contract in milliseconds.
namespace tailmark::toys {

inline constexpr int kSide = 8;            ///< Pixels [B, 3, 8, 8].
inline constexpr std::int64_t kWidth = 8;  ///< D.

/// A random linear map as image tower, a random bag of characters as text
/// tower; differentiable in what the caller gives.
class ToyEncoder final : public Encoder {
 public:
  explicit ToyEncoder(c10::Device device = c10::Device(c10::kCPU),
                      std::uint64_t seed = 5);

  std::int64_t feature_width() const override { return kWidth; }
  std::int64_t context_length() const override { return 24; }
  double logit_scale() const override { return 20.0; }
  c10::Device device() const override { return device_; }
  bool batch_dependent() const override { return batch_dependent_; }
  std::string settings() const override { return "toy-1"; }

  at::Tensor EncodeImages(const at::Tensor& pixels) override;
  at::Tensor EncodeImageTokens(const at::Tensor& pixels) override;
  at::Tensor EncodeImageStates(const at::Tensor& pixels) override {
    return EncodeImageTokens(pixels);
  }
  VisualSlots visual_slots() const override { return {2, kWidth, 4}; }
  /// The image's feature with each soft token added; `apart` or not.
  PromptedFeatures EncodePrompted(const at::Tensor& pixels,
                                  const at::Tensor& prompts,
                                  bool apart) override;
  at::Tensor Tokenize(std::span<const std::string> texts,
                      bool truncate) const override;
  at::Tensor EncodeText(const at::Tensor& tokens) override;
  at::Tensor EmbedTokens(const at::Tensor& tokens) override;
  at::Tensor EncodeEmbeddings(const at::Tensor& embeddings,
                              const at::Tensor& tokens) override;

  std::unique_ptr<Encoder> Copy(Towers own) const override;
  std::vector<EncoderParameter> Parameters(Towers of) const override;

  void PretendBatchNorm() { batch_dependent_ = true; }
  /// Every parameter in one row of numbers, to see whether a byte moved.
  at::Tensor Bytes() const;

 private:
  c10::Device device_;
  bool batch_dependent_ = false;
  at::Tensor image_, words_, text_;
};

/// N random pictures and labels that can be read from their features: class c
/// is there where feature c is positive.
struct ToyData {
  at::Tensor pixels;    ///< [N, 3, 8, 8] on the CPU.
  at::Tensor features;  ///< [N, D] of ToyEncoder.
  TrainRows rows;       ///< Labels [N, C].

  /// Others in place of the pixels ([N, 3, size, size]) or of the features
  /// ([N, size]), which say nothing of the labels.
  void Resize(bool of_pixels, std::int64_t size);
};
ToyData MakeToyData(std::int64_t images = 96, std::int64_t classes = 3,
                    std::uint64_t seed = 1);

/// Classes named as in life, counts as `data` has them.
Problem MakeToyProblem(const ToyData& data, Encoder* encoder,
                       c10::Device device = c10::Device(c10::kCPU));

/// Lets a fit run, or stops it after some epochs.
class StopAfter final : public FitObserver {
 public:
  explicit StopAfter(std::int64_t epochs = 1'000'000) : left_(epochs) {}
  FitSignal OnEpochEnd(const Method&, const EpochReport& report) override {
    reports.push_back(report);
    return --left_ > 0 ? FitSignal::kContinue : FitSignal::kStop;
  }
  std::vector<EpochReport> reports;

 private:
  std::int64_t left_;
};

/// Share of (present, absent) pairs of a class that are in the right order,
/// mean over classes that have both: 0.5 by chance, 1 at best.
double RightlyOrdered(const at::Tensor& scores, const at::Tensor& labels);

}  // namespace tailmark::toys
