#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace tailmark {

/// The hash that stands for an encoder's weights in a key. Of a folder: SHA-256
/// of the lines "sha256  name" of the files that an encoder is made from
/// (*.safetensors, *.pt, the index of shards, config.json,
/// open_clip_config.json, vocab.json, merges.txt, bpe_simple_vocab*), by name;
/// logs and notes beside them do not count. Of a file: SHA-256 of its bytes;
/// where configuration or vocabulary lie beside it, which are read with it, the
/// same lines as of a folder with this one file of tensors.
/// Throws DataError when it is neither, or a folder holds no weights.
std::string WeightsSha256(const std::filesystem::path& path);

/// Whether a file of this name counts there.
bool MakesAnEncoder(std::string_view name);

}  // namespace tailmark
