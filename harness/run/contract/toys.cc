#include "harness/run/contract/toys.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

namespace tailmark::toys {
namespace {

constexpr std::int64_t kTextWidth = 12;
constexpr std::int64_t kLetters = 128;
constexpr std::int64_t kLength = 24;
// Words as small as CLIP's, so that learning rates mean the same; some twenty
// of them do not saturate the text tower.
constexpr double kWordScale = 0.05;
constexpr double kTextGain = 4.0;

at::Tensor Random(at::IntArrayRef shape, std::uint64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed));
}

}  // namespace

ToyEncoder::ToyEncoder(c10::Device device, std::uint64_t seed)
    : device_(device) {
  // Nearly symmetric, so that a mirrored picture shows nearly the same.
  const auto pixels = Random({3, kSide, kSide, kWidth}, seed);
  image_ = (pixels + 0.8 * pixels.flip(2)).view({-1, kWidth}).to(device);
  words_ = (Random({kLetters, kTextWidth}, seed + 1) * kWordScale).to(device);
  text_ = Random({kTextWidth, kWidth}, seed + 2).to(device);
}

at::Tensor ToyEncoder::EncodeImages(const at::Tensor& pixels) {
  return pixels.flatten(1).matmul(image_);
}

at::Tensor ToyEncoder::EncodeImageTokens(const at::Tensor& pixels) {
  return EncodeImages(pixels).unsqueeze(1).expand({-1, 5, -1});
}

PromptedFeatures ToyEncoder::EncodePrompted(const at::Tensor& pixels,
                                            const at::Tensor& prompts,
                                            bool /*apart*/) {
  const auto image = EncodeImages(pixels);
  const auto soft = prompts.sum(0);
  return {.image = image + soft.sum(0),
          .prompts = (image.unsqueeze(1) + soft.unsqueeze(0)) / 7.0};
}

at::Tensor ToyEncoder::Tokenize(std::span<const std::string> texts,
                                bool truncate) const {
  auto out =
      at::zeros({static_cast<std::int64_t>(texts.size()), kLength}, at::kLong);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string text = texts[i];
    if (text.size() > kLength && !truncate) text.resize(kLength);
    for (std::size_t j = 0; j < std::min<std::size_t>(text.size(), kLength);
         ++j) {
      out[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(j)] =
          static_cast<std::int64_t>(text[text.size() - 1 - j]) % kLetters;
    }
  }
  return out.to(device_);
}

at::Tensor ToyEncoder::EncodeText(const at::Tensor& tokens) {
  return EncodeEmbeddings(EmbedTokens(tokens), tokens);
}

at::Tensor ToyEncoder::EmbedTokens(const at::Tensor& tokens) {
  return words_.index_select(0, tokens.flatten())
      .view({tokens.size(0), tokens.size(1), kTextWidth});
}

at::Tensor ToyEncoder::EncodeEmbeddings(const at::Tensor& embeddings,
                                        const at::Tensor& tokens) {
  const auto there = tokens.ne(0).unsqueeze(2).to(at::kFloat);
  return (embeddings * there).sum(1).mul(kTextGain).tanh().matmul(text_);
}

std::unique_ptr<Encoder> ToyEncoder::Copy(Towers own) const {
  const auto mine = [](const at::Tensor& tensor, bool fresh) {
    return fresh ? tensor.clone() : tensor;
  };
  auto copy = std::make_unique<ToyEncoder>(device_);
  copy->image_ = mine(image_, own != Towers::kText);
  copy->words_ = mine(words_, own != Towers::kImage);
  copy->text_ = mine(text_, own != Towers::kImage);
  return copy;
}

std::vector<EncoderParameter> ToyEncoder::Parameters(Towers of) const {
  std::vector<EncoderParameter> all;
  if (of != Towers::kText) all.push_back({"image", image_});
  if (of != Towers::kImage) {
    all.push_back({"words", words_});
    all.push_back({"text", text_});
  }
  return all;
}

at::Tensor ToyEncoder::Bytes() const {
  return at::cat({image_.flatten(), words_.flatten(), text_.flatten()}).clone();
}

ToyData MakeToyData(std::int64_t images, std::int64_t classes,
                    std::uint64_t seed) {
  const at::NoGradGuard no_grad;
  ToyData data;
  data.pixels = Random({images, 3, kSide, kSide}, seed);
  data.features = ToyEncoder().EncodeImages(data.pixels);
  data.rows.labels = (data.features.narrow(1, 0, classes) > 0).to(at::kByte);
  for (std::int64_t i = 0; i < images; ++i) {
    data.rows.ids.push_back("image-" + std::to_string(i));
    data.rows.captions.push_back("a photo of thing " + std::to_string(i));
  }
  return data;
}

void ToyData::Resize(bool of_pixels, std::int64_t size) {
  const auto images = static_cast<std::int64_t>(rows.ids.size());
  if (of_pixels) {
    pixels = Random({images, 3, size, size}, /*seed=*/2);
  } else {
    features = Random({images, size}, /*seed=*/2);
  }
}

Problem MakeToyProblem(const ToyData& data, Encoder* encoder,
                       c10::Device device) {
  Problem problem;
  const auto counts = data.rows.labels.ne(0).sum(0);
  for (std::int64_t c = 0; c < counts.size(0); ++c) {
    problem.class_names.push_back(c == 0 ? "street_lamp"
                                         : "thing" + std::to_string(c));
    problem.train_counts.push_back(counts[c].item<std::int64_t>());
    problem.groups["head"].push_back(c);
  }
  problem.train_images = data.rows.labels.size(0);
  problem.encoder = encoder;
  problem.device = device;
  return problem;
}

double RightlyOrdered(const at::Tensor& scores, const at::Tensor& labels) {
  double sum = 0;
  int classes = 0;
  for (std::int64_t c = 0; c < labels.size(1); ++c) {
    const auto there = labels.select(1, c).ne(0);
    const auto positive = scores.select(1, c).masked_select(there);
    const auto negative =
        scores.select(1, c).masked_select(there.logical_not());
    if (positive.numel() == 0 || negative.numel() == 0) continue;
    const auto right = positive.unsqueeze(1) > negative.unsqueeze(0);
    sum += right.to(at::kDouble).mean().item<double>();
    ++classes;
  }
  return classes == 0 ? 0 : sum / classes;
}

}  // namespace tailmark::toys
