#pragma once

#include <filesystem>

namespace tailmark {

/// `tailmark-worker pretrain RECIPE FOLDER`: trains a CLIP from nothing on the
/// web pairs of data set `embedded` and writes it to the folder: config.json,
/// model.safetensors (float16), vocab.json, the log pretrain.jsonl, result.json
/// and SHA256SUMS. Goes on from FOLDER/checkpoint.safetensors when there is
/// one. The recipe holds "model", a HuggingFace CLIP configuration, and
/// "options", those of Pretrain(). Throws ConfigError, DataError, StoreError,
/// Interrupted.
void PretrainEmbedded(const std::filesystem::path& recipe,
                      const std::filesystem::path& folder);

}  // namespace tailmark
