#include "methods/clip/config.h"

#include "harness/base/error.h"

namespace tailmark {
namespace {

// Larger than any CLIP, small enough that no product of two overflows or asks
// for more memory than a machine has.
constexpr std::int64_t kLargestSide = 1 << 20;
constexpr std::int64_t kMostLayers = 1 << 10;

/// One object of the config; every complaint names the field by its path.
class Section {
 public:
  Section(const Json& json, std::string path, std::string_view name)
      : json_(json), path_(std::move(path)), name_(name) {
    if (!json.is_object()) {
      throw DataError(StrCat(name_, ": ", path_.empty() ? "the config" : path_,
                             " is not a JSON object"));
    }
  }

  Section Inner(const std::string& key) const {
    if (!json_.contains(key)) {
      throw DataError(StrCat(name_, ": field '", Path(key),
                             "' is missing; expected a HuggingFace CLIP "
                             "configuration"));
    }
    return {json_[key], Path(key), name_};
  }

  void Int(const std::string& key, std::int64_t least, std::int64_t most,
           std::int64_t& value) const {
    if (!Given(key)) return;
    const Json& found = json_[key];
    if (!found.is_number_integer() || found.get<double>() < double(least) ||
        found.get<double>() > double(most)) {
      Fail(key, StrCat("a whole number in [", least, ", ", most, "]"));
    }
    value = found.get<std::int64_t>();
  }

  void Eps(const std::string& key, double& value) const {
    if (!Given(key)) return;
    const Json& found = json_[key];
    if (!found.is_number() || !(found.get<double>() > 0) ||
        !(found.get<double>() < 1)) {
      Fail(key, "a number between 0 and 1");
    }
    value = found.get<double>();
  }

  std::string Word(const std::string& key, std::string fallback) const {
    if (!Given(key)) return fallback;
    if (!json_[key].is_string()) Fail(key, "a string");
    return json_[key].get<std::string>();
  }

  [[noreturn]] void Fail(const std::string& key,
                         std::string_view expected) const {
    throw DataError(StrCat(name_, ": field '", Path(key), "' is ",
                           json_[key].dump(), ", expected ", expected));
  }

 private:
  bool Given(const std::string& key) const {
    return json_.contains(key) && !json_[key].is_null();
  }
  std::string Path(const std::string& key) const {
    return path_.empty() ? key : StrCat(path_, ".", key);
  }

  const Json& json_;
  std::string path_;
  std::string_view name_;
};

void ReadTower(const Section& section, TowerConfig& tower) {
  section.Int("hidden_size", 1, kLargestSide, tower.width);
  section.Int("intermediate_size", 1, kLargestSide, tower.mlp);
  section.Int("num_hidden_layers", 1, kMostLayers, tower.layers);
  section.Int("num_attention_heads", 1, kLargestSide, tower.heads);
  section.Eps("layer_norm_eps", tower.eps);
  const std::string word = section.Word("hidden_act", "quick_gelu");
  if (word != "quick_gelu" && word != "gelu") {
    section.Fail("hidden_act", "\"quick_gelu\" or \"gelu\"");
  }
  tower.activation =
      word == "gelu" ? Activation::kGelu : Activation::kQuickGelu;
  if (tower.width % tower.heads != 0) {
    section.Fail("num_attention_heads",
                 StrCat("a divisor of hidden_size ", tower.width));
  }
}

Json TowerJson(const TowerConfig& tower, std::int64_t joint_width) {
  return {{"hidden_size", tower.width},
          {"intermediate_size", tower.mlp},
          {"num_hidden_layers", tower.layers},
          {"num_attention_heads", tower.heads},
          {"layer_norm_eps", tower.eps},
          {"hidden_act",
           tower.activation == Activation::kGelu ? "gelu" : "quick_gelu"},
          {"projection_dim", joint_width}};
}

}  // namespace

ClipConfig ParseClipConfig(const Json& json, std::string_view name) {
  ClipConfig config;
  const Section all(json, "", name);
  const std::string type = all.Word("model_type", "clip");
  if (type != "clip") all.Fail("model_type", "\"clip\"");
  all.Int("projection_dim", 1, kLargestSide, config.joint_width);
  config.tokenizer = all.Word("tokenizer", "bpe");
  if (config.tokenizer != "bpe" && config.tokenizer != "words") {
    all.Fail("tokenizer", "\"bpe\" or \"words\"");
  }

  const Section vision = all.Inner("vision_config");
  ReadTower(vision, config.vision);
  std::int64_t channels = 3;
  vision.Int("num_channels", 1, kLargestSide, channels);
  if (channels != 3) vision.Fail("num_channels", "3");
  vision.Int("image_size", 1, kLargestSide, config.image_size);
  vision.Int("patch_size", 1, kLargestSide, config.patch_size);
  if (config.image_size % config.patch_size != 0) {
    vision.Fail("patch_size",
                StrCat("a divisor of image_size ", config.image_size));
  }

  const Section text = all.Inner("text_config");
  ReadTower(text, config.text);
  text.Int("vocab_size", 1, std::int64_t{1} << 31, config.vocabulary);
  text.Int("max_position_embeddings", 1, kLargestSide, config.context_length);
  text.Int("eos_token_id", 0, std::int64_t{1} << 31, config.end.id);
  // Files older than the option carry 2, which was never the end token.
  if (config.end.id == 2) config.end.id = -1;
  return config;
}

Json ToJson(const ClipConfig& config) {
  Json vision = TowerJson(config.vision, config.joint_width);
  vision["image_size"] = config.image_size;
  vision["patch_size"] = config.patch_size;
  vision["num_channels"] = 3;
  vision["model_type"] = "clip_vision_model";
  Json text = TowerJson(config.text, config.joint_width);
  text["vocab_size"] = config.vocabulary;
  text["max_position_embeddings"] = config.context_length;
  text["eos_token_id"] = config.end.id < 0 ? 2 : config.end.id;
  // Unused by the towers; transformers' default lies outside small
  // vocabularies.
  text["bos_token_id"] = nullptr;
  text["model_type"] = "clip_text_model";
  return {{"architectures", {"CLIPModel"}},
          {"model_type", "clip"},
          {"projection_dim", config.joint_width},
          {"tokenizer", config.tokenizer},
          {"vision_config", vision},
          {"text_config", text}};
}

}  // namespace tailmark
