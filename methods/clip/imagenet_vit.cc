#include "methods/clip/imagenet_vit.h"

#include <utility>

#include "harness/base/error.h"
#include "methods/clip/clip_encoder.h"
#include "methods/clip/weight_files.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr double kImageNetEps = 1e-6;

/// Copies tensors of the file into those of a tower.
class Filler {
 public:
  explicit Filler(const std::filesystem::path& path) : file_(path) {}

  void operator()(const at::Tensor& into, const std::string& name) {
    into.copy_(file_.Take(name, into.sizes()));
  }
  void Norm(const LayerNorm& norm, const std::string& name) {
    (*this)(norm.weight, name + ".weight");
    (*this)(norm.bias, name + ".bias");
  }
  void Layer(const Linear& layer, const std::string& name) {
    (*this)(layer.weight, name + ".weight");
    (*this)(layer.bias, name + ".bias");
  }
  at::Tensor Take(const std::string& name, at::IntArrayRef shape) {
    return file_.Take(name, shape);
  }

 private:
  WeightFiles file_;
};

void Fill(const VisionTower& tower, Filler& file) {
  const std::int64_t width = tower.class_token.size(0);
  tower.class_token.copy_(file.Take("cls_token", {1, 1, width}).flatten());
  file(tower.patch_weight, "patch_embed.proj.weight");
  auto positions = tower.position_weight;
  positions.copy_(
      file.Take("pos_embed", {1, positions.size(0), width}).squeeze(0));
  positions.narrow(0, 1, positions.size(0) - 1)
      .add_(file.Take("patch_embed.proj.bias", {width}).to(positions));
  for (std::size_t i = 0; i < tower.blocks.size(); ++i) {
    const TransformerBlock& block = tower.blocks[i];
    const std::string prefix = StrCat("blocks.", i, ".");
    file.Norm(block.norm1, prefix + "norm1");
    file.Layer(block.qkv, prefix + "attn.qkv");
    file.Layer(block.out, prefix + "attn.proj");
    file.Norm(block.norm2, prefix + "norm2");
    file.Layer(block.up, prefix + "mlp.fc1");
    file.Layer(block.down, prefix + "mlp.fc2");
  }
  file.Norm(tower.norm_post, "norm");
}

}  // namespace

std::unique_ptr<Encoder> WithImageNetTower(const Encoder& clip,
                                           const std::filesystem::path& path) {
  const at::NoGradGuard no_grad;
  const auto* original = dynamic_cast<const ClipEncoder*>(&clip);
  if (original == nullptr || original->model().resnet) {
    throw ConfigError(
        "a student from ImageNet needs a CLIP with a vision transformer");
  }
  ClipModel model = original->model();  // Shares the text tower.
  model.config.vision.activation = Activation::kGelu;
  model.config.vision.eps = kImageNetEps;
  model.config.vision_pre_norm = false;
  const at::Tensor projection = model.vision.projection;
  model.vision = VisionTower(model.config, model.logit_scale.options());
  model.vision.projection.copy_(projection);
  Filler file(path);
  Fill(model.vision, file);
  return original->WithModel(std::move(model));
}

}  // namespace tailmark
