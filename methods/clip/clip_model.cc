#include "methods/clip/clip_model.h"

#include <cmath>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/safetensors.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr double kInitialTemperature = 0.07;

void InitialiseBlocks(const std::vector<TransformerBlock>& blocks,
                      const TowerConfig& tower, at::Generator& chance) {
  const double width = std::pow(static_cast<double>(tower.width), -0.5);
  const double added =
      width * std::pow(2.0 * static_cast<double>(tower.layers), -0.5);
  for (const TransformerBlock& block : blocks) {
    block.qkv.weight.normal_(0.0, width, chance);
    block.out.weight.normal_(0.0, added, chance);
    block.up.weight.normal_(0.0, width * std::sqrt(0.5), chance);
    block.down.weight.normal_(0.0, added, chance);
  }
}

}  // namespace

ClipModel::ClipModel(const ClipConfig& clip_config,
                     const at::TensorOptions& like)
    : config(clip_config),
      vision(clip_config, like),
      text(clip_config, like),
      logit_scale(at::zeros({}, like)) {
  if (config.has_resnet()) resnet.emplace(config, like);
}

NamedTensors ClipModel::Parameters() const {
  NamedTensors all;
  if (resnet) {
    resnet->Collect(all);
  } else {
    vision.Collect(all);
  }
  text.Collect(all);
  all.push_back({"logit_scale", logit_scale});
  return all;
}

void ClipModel::SetRequiresGrad(bool on) const {
  for (const NamedTensor& parameter : Parameters()) {
    parameter.tensor.set_requires_grad(on);
  }
}

ClipModel ClipModel::Clone(const at::TensorOptions& like) const {
  const at::NoGradGuard no_grad;
  ClipModel copy(config, like);
  const NamedTensors from = Parameters();
  const NamedTensors to = copy.Parameters();
  for (std::size_t i = 0; i < from.size(); ++i) {
    to[i].tensor.copy_(from[i].tensor);
  }
  return copy;
}

at::Tensor ClipModel::ImageFeature(const at::Tensor& pixels) const {
  return resnet ? resnet->Feature(pixels) : vision.Feature(pixels);
}

double ClipModel::Scale() const {
  return std::exp(logit_scale.detach().to(at::kDouble).item<double>());
}

void InitialiseLikeOpenAi(ClipModel& model, std::uint64_t seed) {
  TM_CHECK(!model.resnet, "is for vision transformers");
  const at::NoGradGuard no_grad;
  at::Generator chance = at::detail::createCPUGenerator(seed);
  const double vision_std =
      std::pow(static_cast<double>(model.config.vision.width), -0.5);
  const double text_std =
      std::pow(static_cast<double>(model.config.text.width), -0.5);
  const double patch_inputs =
      static_cast<double>(model.vision.patch_weight[0].numel());

  model.vision.class_token.normal_(0.0, vision_std, chance);
  model.vision.patch_weight.uniform_(-1.0 / std::sqrt(patch_inputs),
                                     1.0 / std::sqrt(patch_inputs), chance);
  model.vision.position_weight.normal_(0.0, vision_std, chance);
  InitialiseBlocks(model.vision.blocks, model.config.vision, chance);
  model.vision.projection.normal_(0.0, vision_std, chance);

  model.text.token_weight.normal_(0.0, 0.02, chance);
  model.text.position_weight.normal_(0.0, 0.01, chance);
  InitialiseBlocks(model.text.blocks, model.config.text, chance);
  model.text.projection.normal_(0.0, text_std, chance);
  model.logit_scale.fill_(std::log(1.0 / kInitialTemperature));
}

std::string HashParameters(const ClipModel& model) {
  Sha256 hash;
  for (const NamedTensor& parameter : model.Parameters()) {
    const auto tensor = parameter.tensor.detach().cpu().contiguous();
    hash.Update(StrCat(parameter.name, " ", tensor.scalar_type(), " ",
                       ShapeText(tensor.sizes()), "\n"));
    hash.Update({static_cast<const char*>(tensor.const_data_ptr()),
                 static_cast<std::size_t>(tensor.nbytes())});
  }
  return hash.Hex();
}

}  // namespace tailmark
