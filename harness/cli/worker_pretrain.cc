#include "harness/cli/worker_pretrain.h"

#include <memory>
#include <set>
#include <string>

#include "datasets/embedded/web_pairs.h"
#include "datasets/images/pipeline.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/base/options_json.h"
#include "harness/base/suggest.h"
#include "methods/clip/pretrain.h"
#include "methods/clip/tokenizer.h"
#include "methods/clip/weights.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

const std::vector<std::string> kRecipeKeys = {"pairs", "model", "options"};

std::string PairsName() {
  return StrCat("embedded web pairs, version ", embedded::kPairsVersion);
}

Json ReadRecipe(const fs::path& path) {
  Json recipe = ReadJson(path);
  if (!recipe.is_object()) {
    throw ConfigError(StrCat(path.string(), ": expected an object"));
  }
  for (const auto& [key, value] : recipe.items()) {
    if (std::find(kRecipeKeys.begin(), kRecipeKeys.end(), key) ==
        kRecipeKeys.end()) {
      throw ConfigError(
          StrCat(path.string(), ": ", UnknownName("key", key, kRecipeKeys)));
    }
  }
  for (const std::string& key : kRecipeKeys) {
    if (!recipe.contains(key)) {
      throw ConfigError(StrCat(path.string(), ": key '", key, "' is missing"));
    }
  }
  if (recipe["pairs"] != PairsName()) {
    throw ConfigError(StrCat(path.string(), ": pairs ", recipe["pairs"].dump(),
                             ", but this program draws '", PairsName(), "'"));
  }
  return recipe;
}

/// Batch `step` are the pairs batch_size step ... of the seed's endless list.
PairMaker MakerOf(const ClipConfig& config, const PretrainOptions& options) {
  const auto tokenizer = std::make_shared<const WordTokenizer>(
      embedded::Vocabulary(), "the vocabulary");
  const Pipeline pipeline = PipelineByName(StrCat("as-is-", config.image_size));
  return [=](std::int64_t step) {
    const std::int64_t side = config.image_size;
    auto pixels = at::empty({options.batch_size, 3, side, side}, at::kFloat);
    std::vector<std::int64_t> ids;
    for (std::int64_t i = 0; i < options.batch_size; ++i) {
      const auto pair = embedded::DrawWebPair(
          static_cast<std::uint64_t>(options.seed),
          static_cast<std::uint64_t>(step * options.batch_size + i));
      Normalise(pipeline, pair.image,
                pixels.mutable_data_ptr<float>() + i * 3 * side * side);
      const auto row =
          tokenizer->Row(pair.caption, config.context_length, false);
      ids.insert(ids.end(), row.begin(), row.end());
    }
    return PairBatch{
        pixels, at::tensor(ids, at::kLong).view({-1, config.context_length})};
  };
}

void WriteSums(const fs::path& folder) {
  std::string lines;
  for (const char* name : {"config.json", "model.safetensors", "pretrain.jsonl",
                           "recipe.json", "result.json", "vocab.json"}) {
    lines += StrCat(Sha256File(folder / name), "  ", name, "\n");
  }
  WriteFileAtomic(folder / "SHA256SUMS", lines);
}

}  // namespace

void PretrainEmbedded(const fs::path& recipe_path, const fs::path& folder) {
  const Json recipe = ReadRecipe(recipe_path);
  const ClipConfig config =
      ParseClipConfig(recipe["model"], StrCat(recipe_path.string(), ": model"));
  const auto options =
      FromMap<PretrainOptions>(OptionsFromJson(recipe["options"]));
  const auto words = static_cast<std::int64_t>(embedded::Vocabulary().size());
  if (config.tokenizer != "words" || config.vocabulary != words ||
      config.image_size != embedded::kSide) {
    throw ConfigError(StrCat(
        recipe_path.string(), ": the pairs need tokenizer ",
        "'words', vocab_size ", words, " and image_size ", embedded::kSide));
  }
  MakeFolders(folder);
  const PretrainResult result =
      Pretrain(config, options, MakerOf(config, options),
               {.checkpoint = folder / "checkpoint.safetensors",
                .log = folder / "pretrain.jsonl",
                .log_every = 20});
  SaveClip(result.model, folder, at::kHalf);
  WriteVocabulary(folder / "vocab.json", embedded::Vocabulary());
  WriteFileAtomic(folder / "recipe.json", ReadFile(recipe_path));
  const Json summary = {{"steps", result.steps},
                        {"seconds", result.seconds},
                        {"loss_last_100", result.loss},
                        {"accuracy_last_100", result.accuracy},
                        {"threads", at::get_num_threads()},
                        {"torch", TORCH_VERSION}};
  WriteFileAtomic(folder / "result.json", summary.dump(1) + "\n");
  WriteSums(folder);
}

}  // namespace tailmark
