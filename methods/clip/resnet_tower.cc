#include "methods/clip/resnet_tower.h"

#include "harness/base/error.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr double kBatchNormEps = 1e-5;
constexpr double kMomentum = 0.1;
constexpr std::int64_t kExpansion = 4;
constexpr std::int64_t kStride = 32;  // of the last map, in pixels

at::Tensor Conv(const at::Tensor& x, const at::Tensor& weight,
                std::int64_t stride = 1) {
  const std::int64_t padding = weight.size(2) / 2;
  return at::conv2d(x, weight, {}, at::IntArrayRef{stride, stride},
                    at::IntArrayRef{padding, padding});
}

at::Tensor ZeroKernel(std::int64_t out, std::int64_t in, std::int64_t side,
                      const at::TensorOptions& like) {
  return at::zeros({out, in, side, side}, like);
}

}  // namespace

BatchNorm::BatchNorm(std::int64_t width, const at::TensorOptions& like)
    : weight(at::ones({width}, like)),
      bias(at::zeros({width}, like)),
      mean(at::zeros({width}, like)),
      variance(at::ones({width}, like)) {}

at::Tensor BatchNorm::operator()(const at::Tensor& x, bool training) const {
  return at::batch_norm(x, weight, bias, mean, variance, training, kMomentum,
                        kBatchNormEps, /*cudnn_enabled=*/true);
}

void BatchNorm::Collect(const std::string& prefix, NamedTensors& out) const {
  out.push_back({prefix + ".weight", weight});
  out.push_back({prefix + ".bias", bias});
  out.push_back({prefix + ".running_mean", mean});
  out.push_back({prefix + ".running_var", variance});
}

Bottleneck::Bottleneck(std::int64_t in, std::int64_t width,
                       std::int64_t block_stride, const at::TensorOptions& like)
    : conv1(ZeroKernel(width, in, 1, like)),
      conv2(ZeroKernel(width, width, 3, like)),
      conv3(ZeroKernel(width * kExpansion, width, 1, like)),
      norm1(width, like),
      norm2(width, like),
      norm3(width * kExpansion, like),
      norm_down(width * kExpansion, like),
      stride(block_stride) {
  if (stride > 1 || in != width * kExpansion) {
    down = ZeroKernel(width * kExpansion, in, 1, like);
  }
}

at::Tensor Bottleneck::operator()(const at::Tensor& x, bool training) const {
  auto y = at::relu(norm1(Conv(x, conv1), training));
  y = at::relu(norm2(Conv(y, conv2), training));
  if (stride > 1) y = at::avg_pool2d(y, {stride, stride});
  y = norm3(Conv(y, conv3), training);
  auto shortcut = x;
  if (down.defined()) {
    if (stride > 1) shortcut = at::avg_pool2d(shortcut, {stride, stride});
    shortcut = norm_down(Conv(shortcut, down), training);
  }
  return at::relu(y + shortcut);
}

void Bottleneck::Collect(const std::string& prefix, NamedTensors& out) const {
  out.push_back({prefix + ".conv1.weight", conv1});
  norm1.Collect(prefix + ".bn1", out);
  out.push_back({prefix + ".conv2.weight", conv2});
  norm2.Collect(prefix + ".bn2", out);
  out.push_back({prefix + ".conv3.weight", conv3});
  norm3.Collect(prefix + ".bn3", out);
  if (down.defined()) {
    out.push_back({prefix + ".downsample.0.weight", down});
    norm_down.Collect(prefix + ".downsample.1", out);
  }
}

ResNetTower::ResNetTower(const ClipConfig& config,
                         const at::TensorOptions& like)
    : conv1(ZeroKernel(config.resnet.width / 2, 3, 3, like)),
      conv2(ZeroKernel(config.resnet.width / 2, config.resnet.width / 2, 3,
                       like)),
      conv3(ZeroKernel(config.resnet.width, config.resnet.width / 2, 3, like)),
      norm1(config.resnet.width / 2, like),
      norm2(config.resnet.width / 2, like),
      norm3(config.resnet.width, like),
      query(config.resnet.channels(), config.resnet.channels(), like),
      key(config.resnet.channels(), config.resnet.channels(), like),
      value(config.resnet.channels(), config.resnet.channels(), like),
      out(config.resnet.channels(), config.joint_width, like),
      heads_(config.resnet.heads),
      grid_(config.image_size / kStride) {
  std::int64_t in = config.resnet.width;
  std::int64_t width = config.resnet.width;
  for (const std::int64_t count : config.resnet.layers) {
    auto& layer = layers.emplace_back();
    for (std::int64_t i = 0; i < count; ++i) {
      const bool strided = i == 0 && layers.size() > 1;
      layer.emplace_back(in, width, strided ? 2 : 1, like);
      in = width * kExpansion;
    }
    width *= 2;
  }
  position_weight =
      at::zeros({1 + grid_ * grid_, config.resnet.channels()}, like);
}

at::Tensor ResNetTower::Map(const at::Tensor& pixels,
                            std::vector<at::Tensor>* states) const {
  if (pixels.dim() != 4 || pixels.size(1) != 3 || pixels.size(2) == 0 ||
      pixels.size(3) == 0 || pixels.size(2) % kStride != 0 ||
      pixels.size(3) % kStride != 0) {
    throw ConfigError(StrCat("pixels have shape ", pixels.sizes(),
                             ", expected [images, 3, height, width] with sides "
                             "that are multiples of ",
                             kStride));
  }
  auto x = pixels.to(conv1.scalar_type());
  x = at::relu(norm1(Conv(x, conv1, 2), train_mode));
  x = at::relu(norm2(Conv(x, conv2), train_mode));
  x = at::relu(norm3(Conv(x, conv3), train_mode));
  x = at::avg_pool2d(x, {2, 2});
  if (states != nullptr) states->push_back(x);
  for (const auto& layer : layers) {
    for (const Bottleneck& block : layer) x = block(x, train_mode);
    if (states != nullptr) states->push_back(x);
  }
  return x;
}

at::Tensor ResNetTower::Positions(std::int64_t rows,
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

at::Tensor ResNetTower::Tokens(const at::Tensor& map) const {
  return map.flatten(2).transpose(1, 2);
}

at::Tensor ResNetTower::Pool(const at::Tensor& map) const {
  auto tokens = Tokens(map);
  tokens = at::cat({tokens.mean(1, /*keepdim=*/true), tokens}, 1) +
           Positions(map.size(2), map.size(3));
  const auto split = [&](const at::Tensor& x) {
    return x.view({x.size(0), x.size(1), heads_, x.size(2) / heads_})
        .transpose(1, 2);
  };
  const auto mixed = at::scaled_dot_product_attention(
      split(query(tokens.narrow(1, 0, 1))), split(key(tokens)),
      split(value(tokens)));
  return out(mixed.transpose(1, 2).flatten(2)).select(1, 0);
}

at::Tensor ResNetTower::Feature(const at::Tensor& pixels) const {
  return Pool(Map(pixels));
}

at::Tensor ResNetTower::Dense(const at::Tensor& map, bool positions) const {
  auto tokens = Tokens(map);
  if (positions) {
    const auto all = Positions(map.size(2), map.size(3));
    tokens = tokens + all.narrow(0, 1, all.size(0) - 1);
  }
  return out(value(tokens));
}

void ResNetTower::Collect(NamedTensors& collected) const {
  collected.push_back({"visual.conv1.weight", conv1});
  norm1.Collect("visual.bn1", collected);
  collected.push_back({"visual.conv2.weight", conv2});
  norm2.Collect("visual.bn2", collected);
  collected.push_back({"visual.conv3.weight", conv3});
  norm3.Collect("visual.bn3", collected);
  for (std::size_t l = 0; l < layers.size(); ++l) {
    for (std::size_t i = 0; i < layers[l].size(); ++i) {
      layers[l][i].Collect(StrCat("visual.layer", l + 1, ".", i), collected);
    }
  }
  collected.push_back(
      {"visual.attnpool.positional_embedding", position_weight});
  query.Collect("visual.attnpool.q_proj", collected);
  key.Collect("visual.attnpool.k_proj", collected);
  value.Collect("visual.attnpool.v_proj", collected);
  out.Collect("visual.attnpool.c_proj", collected);
}

}  // namespace tailmark
