#include "harness/cli/random_weights.h"

#include <cmath>
#include <map>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/safetensors.h"

namespace tailmark {
namespace {

using Shape = std::vector<std::int64_t>;
using Shapes = std::map<std::string, Shape>;

constexpr std::int64_t kContext = 77;
constexpr std::int64_t kVocabulary = 49408;
constexpr std::int64_t kTextLayers = 12;
constexpr std::int64_t kImage = 224;
constexpr float kLogitScale = 4.6052F;
constexpr std::int64_t kBatchesTracked = 1000;

void AddBlocks(Shapes& all, const std::string& prefix, std::int64_t width,
               std::int64_t layers) {
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string block = StrCat(prefix, i, ".");
    all[block + "attn.in_proj_weight"] = {3 * width, width};
    all[block + "attn.in_proj_bias"] = {3 * width};
    all[block + "attn.out_proj.weight"] = {width, width};
    all[block + "attn.out_proj.bias"] = {width};
    all[block + "mlp.c_fc.weight"] = {4 * width, width};
    all[block + "mlp.c_fc.bias"] = {4 * width};
    all[block + "mlp.c_proj.weight"] = {width, 4 * width};
    all[block + "mlp.c_proj.bias"] = {width};
    for (const char* norm : {"ln_1", "ln_2"}) {
      all[block + norm + ".weight"] = {width};
      all[block + norm + ".bias"] = {width};
    }
  }
}

void AddText(Shapes& all, std::int64_t width, std::int64_t joint) {
  all["positional_embedding"] = {kContext, width};
  all["text_projection"] = {width, joint};
  all["token_embedding.weight"] = {kVocabulary, width};
  all["ln_final.weight"] = {width};
  all["ln_final.bias"] = {width};
  AddBlocks(all, "transformer.resblocks.", width, kTextLayers);
}

void AddVit(Shapes& all, std::int64_t width, std::int64_t layers,
            std::int64_t patch, std::int64_t joint) {
  const std::int64_t grid = kImage / patch;
  all["visual.class_embedding"] = {width};
  all["visual.positional_embedding"] = {grid * grid + 1, width};
  all["visual.proj"] = {width, joint};
  all["visual.conv1.weight"] = {width, 3, patch, patch};
  for (const char* norm : {"visual.ln_pre", "visual.ln_post"}) {
    all[StrCat(norm, ".weight")] = {width};
    all[StrCat(norm, ".bias")] = {width};
  }
  AddBlocks(all, "visual.transformer.resblocks.", width, layers);
}

void AddNorm(Shapes& all, const std::string& name, std::int64_t width) {
  for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"})
    all[name + part] = {width};
  all[name + ".num_batches_tracked"] = {};
}

void AddConv(Shapes& all, const std::string& conv, const std::string& norm,
             const Shape& shape) {
  all[conv + ".weight"] = shape;
  AddNorm(all, norm, shape[0]);
}

void AddResNet(Shapes& all, std::int64_t width,
               const std::vector<std::int64_t>& layers, std::int64_t joint) {
  const std::string v = "visual.";
  AddConv(all, v + "conv1", v + "bn1", {width / 2, 3, 3, 3});
  AddConv(all, v + "conv2", v + "bn2", {width / 2, width / 2, 3, 3});
  AddConv(all, v + "conv3", v + "bn3", {width, width / 2, 3, 3});
  std::int64_t in = width;
  std::int64_t planes = width;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    for (std::int64_t i = 0; i < layers[layer]; ++i) {
      const std::string b = StrCat("visual.layer", layer + 1, ".", i, ".");
      AddConv(all, b + "conv1", b + "bn1", {planes, in, 1, 1});
      AddConv(all, b + "conv2", b + "bn2", {planes, planes, 3, 3});
      AddConv(all, b + "conv3", b + "bn3", {4 * planes, planes, 1, 1});
      if (i == 0) {
        AddConv(all, b + "downsample.0", b + "downsample.1",
                {4 * planes, in, 1, 1});
      }
      in = 4 * planes;
    }
    planes *= 2;
  }
  const std::int64_t grid = kImage / 32;
  const std::string pool = "visual.attnpool.";
  all[pool + "positional_embedding"] = {grid * grid + 1, in};
  for (const char* part : {"k_proj", "q_proj", "v_proj"}) {
    all[pool + part + ".weight"] = {in, in};
    all[pool + part + ".bias"] = {in};
  }
  all[pool + "c_proj.weight"] = {joint, in};
  all[pool + "c_proj.bias"] = {joint};
}

Shapes ShapesOf(const Json& model) {
  Shapes all;
  const auto layers = model.at("layers").get<std::vector<std::int64_t>>();
  const auto width = model.at("width").get<std::int64_t>();
  const auto joint = model.at("joint").get<std::int64_t>();
  AddText(all, model.at("text_width").get<std::int64_t>(), joint);
  all["logit_scale"] = {};
  if (model.contains("patch")) {
    AddVit(all, width, layers.at(0), model.at("patch").get<std::int64_t>(),
           joint);
  } else {
    AddResNet(all, width, layers, joint);
  }
  return all;
}

/// Where a tensor's values lie; `cubed`: of u^3.
struct Spread {
  double lo, hi;
  bool cubed = false;
};
Spread Symmetric(double most) { return {-most, most}; }
/// Standard deviation gain / sqrt(inputs).
Spread Product(double gain, double inputs) {
  return Symmetric(gain * std::sqrt(3.0 / inputs));
}

Spread NormSpread(std::string_view part, bool last_of_block) {
  if (part == "running_mean") return Symmetric(0.1);
  if (part == "running_var") return {0.5, 1.5, true};
  if (part == "bias") return Symmetric(0.1);
  // What is added to the residual stream is kept small.
  return last_of_block ? Spread{0.1, 0.5} : Spread{0.5, 1.3};
}

Spread SpreadOf(const std::string& name, const Shape& shape) {
  const auto has = [&](const char* part) {
    return name.find(part) != name.npos;
  };
  const std::string part = name.substr(name.rfind('.') + 1);
  if (has(".bn") || has(".downsample.1.")) {
    return NormSpread(part, has(".bn3.") && has(".layer"));
  }
  if (has(".ln_") || name.starts_with("ln_")) {
    return part == "weight" ? Spread{0.5, 1.5} : Symmetric(0.1);
  }
  if (part == "bias" || part == "in_proj_bias") return Symmetric(0.1);
  if (has("token_embedding")) return Symmetric(0.03);
  if (has("attnpool.positional_embedding")) return Symmetric(0.3);
  if (part == "class_embedding") return Symmetric(0.05);
  if (part == "positional_embedding") return Symmetric(0.03);
  if (part == "proj" || part == "text_projection") {
    return Product(1.0, static_cast<double>(shape[0]));
  }
  const auto inputs = static_cast<double>(shape[1]);
  if (shape.size() == 4) {
    const bool patches = name == "visual.conv1.weight" && shape[2] > 3;
    return Product(patches ? 0.03 : std::sqrt(2.0),
                   inputs * static_cast<double>(shape[2] * shape[3]));
  }
  if (has("in_proj_weight") || has("q_proj") || has("k_proj")) {
    return Product(1.5, inputs);
  }
  if (has("out_proj") || has("mlp.c_proj")) return Product(0.7, inputs);
  return Product(1.0, inputs);
}

std::uint64_t Fnv1a(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  }
  return hash;
}

std::vector<float> Fill(const std::string& key, std::size_t count,
                        const Spread& spread) {
  std::vector<float> values(count);
  std::uint64_t state = Fnv1a(key);
  for (float& value : values) {
    state += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    z ^= z >> 31;
    double u = static_cast<double>(z >> 40) * 0x1p-24;
    if (spread.cubed) u = std::pow(u, 3.0);
    value = static_cast<float>(spread.lo + (spread.hi - spread.lo) * u);
  }
  return values;
}

std::size_t Elements(const Shape& shape) {
  std::size_t count = 1;
  for (const std::int64_t side : shape) count *= static_cast<std::size_t>(side);
  return count;
}

}  // namespace

void WriteRandomWeights(const std::string& name, const Json& model,
                        std::uint64_t seed, const std::filesystem::path& file) {
  std::map<std::string, std::vector<float>> values;
  Safetensors::Tensors views;
  for (const auto& [tensor, shape] : ShapesOf(model)) {
    if (tensor.ends_with(".num_batches_tracked")) {
      views[tensor] = {DType::kInt64, shape,
                       std::as_bytes(std::span(&kBatchesTracked, 1))};
      continue;
    }
    std::vector<float>& kept = values[tensor];
    if (tensor == "logit_scale") {
      kept = {kLogitScale};
    } else {
      kept = Fill(StrCat("tailmark-clip-full-", seed, "/", name, "/", tensor),
                  Elements(shape), SpreadOf(tensor, shape));
    }
    views[tensor] = {DType::kFloat32, shape, std::as_bytes(std::span(kept))};
  }
  WriteSafetensors(file, views,
                   {{"format", "pt"},
                    {"made_by", StrCat("tailmark weights random ", name,
                                       " --seed ", seed)}});
}

}  // namespace tailmark
