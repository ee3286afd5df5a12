#include "methods/clip/vision_tower.h"

#include "harness/base/error.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr std::int64_t kChannels = 3;

void CheckPrompts(const VisualPrompts& prompts, std::size_t layers,
                  std::int64_t width) {
  const auto& tokens = prompts.tokens;
  if (!tokens.defined()) return;
  const auto deep = static_cast<std::int64_t>(layers);
  if (tokens.dim() != 3 || tokens.size(2) != width ||
      (tokens.size(0) != 1 && tokens.size(0) != deep)) {
    throw ConfigError(StrCat("visual prompts have shape ", tokens.sizes(),
                             ", expected [1 or ", deep, ", prompts, ", width,
                             "]"));
  }
}

// The tokens with `prompts` [P, W] between class token and patches, in place of
// the first `old` tokens there.
at::Tensor WithPrompts(const at::Tensor& x, const at::Tensor& prompts,
                       std::int64_t old) {
  return at::cat(
      {x.narrow(1, 0, 1),
       prompts.to(x.scalar_type()).unsqueeze(0).expand({x.size(0), -1, -1}),
       x.narrow(1, 1 + old, x.size(1) - 1 - old)},
      1);
}

}  // namespace

at::Tensor PromptsApart(std::int64_t prompts, std::int64_t patches,
                        c10::Device device) {
  const std::int64_t tokens = 1 + prompts + patches;
  const auto mask =
      at::ones({tokens, tokens}, at::TensorOptions(at::kBool).device(device));
  mask.narrow(0, 1, prompts)
      .narrow(1, 1, prompts)
      .copy_(at::eye(prompts, at::TensorOptions(at::kBool).device(device)));
  return mask;
}

VisionTower::VisionTower(const ClipConfig& config,
                         const at::TensorOptions& like)
    : class_token(at::zeros({config.vision.width}, like)),
      patch_weight(at::zeros({config.vision.width, kChannels, config.patch_size,
                              config.patch_size},
                             like)),
      position_weight(at::zeros(
          {1 + config.grid() * config.grid(), config.vision.width}, like)),
      norm_pre(config.vision.width, config.vision.eps, like),
      blocks(MakeBlocks(config.vision, like)),
      norm_post(config.vision.width, config.vision.eps, like),
      projection(at::zeros({config.joint_width, config.vision.width}, like)),
      patch_(config.patch_size),
      grid_(config.grid()) {}

at::Tensor VisionTower::Positions(std::int64_t rows,
                                  std::int64_t columns) const {
  if (rows == grid_ && columns == grid_) return position_weight;
  const std::int64_t width = position_weight.size(1);
  const auto map = position_weight.narrow(0, 1, grid_ * grid_)
                       .view({1, grid_, grid_, width})
                       .permute({0, 3, 1, 2});
  const auto resized = at::upsample_bicubic2d(map, {rows, columns},
                                              /*align_corners=*/false);
  return at::cat({position_weight.narrow(0, 0, 1),
                  resized.permute({0, 2, 3, 1}).reshape({-1, width})});
}

at::Tensor VisionTower::Embed(const at::Tensor& pixels) const {
  const std::int64_t rows = pixels.dim() == 4 ? pixels.size(2) / patch_ : 0;
  const std::int64_t columns = pixels.dim() == 4 ? pixels.size(3) / patch_ : 0;
  if (rows * columns == 0 || pixels.size(1) != kChannels ||
      pixels.size(2) != rows * patch_ || pixels.size(3) != columns * patch_) {
    throw ConfigError(StrCat("pixels have shape ", pixels.sizes(),
                             ", expected [images, 3, height, width] with sides "
                             "that are multiples of the patch, ",
                             patch_));
  }
  const std::int64_t images = pixels.size(0);
  // A convolution whose stride is its size is a product with unfolded patches.
  const auto patches =
      pixels.to(patch_weight.scalar_type())
          .reshape({images, kChannels, rows, patch_, columns, patch_})
          .permute({0, 2, 4, 1, 3, 5})
          .reshape({images, rows * columns, kChannels * patch_ * patch_});
  const auto embedded = at::linear(patches, patch_weight.flatten(1));
  const auto tokens = at::cat(
      {class_token.view({1, 1, -1}).expand({images, 1, -1}), embedded}, 1);
  return norm_pre(tokens + Positions(rows, columns));
}

at::Tensor VisionTower::Run(const at::Tensor& pixels,
                            const VisualPrompts& prompts, bool class_only,
                            std::vector<at::Tensor>* states) const {
  CheckPrompts(prompts, blocks.size(), class_token.size(0));
  const std::int64_t sets =
      prompts.tokens.defined() ? prompts.tokens.size(0) : 0;
  auto x = Embed(pixels);
  if (sets > 0) x = WithPrompts(x, prompts.tokens[0], 0);
  if (states != nullptr) states->push_back(x);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i > 0 && sets > 1) {
      const auto mine = prompts.tokens[static_cast<std::int64_t>(i)];
      x = WithPrompts(x, mine, mine.size(0));
    }
    if (class_only && i + 1 == blocks.size()) {
      AttentionRule first;
      if (prompts.mask.defined()) first.mask = prompts.mask.narrow(0, 0, 1);
      x = blocks[i].OneToken(x, {}, first);
    } else {
      const AttentionRule rule{.mask = prompts.mask};
      x = recompute ? Recomputed(blocks[i], x, rule) : blocks[i](x, rule);
    }
    if (states != nullptr) states->push_back(x);
  }
  return x;
}

at::Tensor VisionTower::Tokens(const at::Tensor& pixels,
                               const VisualPrompts& prompts,
                               std::vector<at::Tensor>* states) const {
  return Run(pixels, prompts, /*class_only=*/false, states);
}

at::Tensor VisionTower::Feature(const at::Tensor& pixels,
                                const VisualPrompts& prompts) const {
  return Project(
      Run(pixels, prompts, /*class_only=*/true, nullptr).select(1, 0));
}

at::Tensor VisionTower::Project(const at::Tensor& tokens) const {
  return at::linear(norm_post(tokens), projection);
}

void VisionTower::Collect(NamedTensors& out) const {
  out.push_back({"vision_model.embeddings.class_embedding", class_token});
  out.push_back(
      {"vision_model.embeddings.patch_embedding.weight", patch_weight});
  out.push_back(
      {"vision_model.embeddings.position_embedding.weight", position_weight});
  norm_pre.Collect("vision_model.pre_layrnorm", out);  // their spelling
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    blocks[i].Collect(StrCat("vision_model.encoder.layers.", i), out);
  }
  norm_post.Collect("vision_model.post_layernorm", out);
  out.push_back({"visual_projection.weight", projection});
}

}  // namespace tailmark
