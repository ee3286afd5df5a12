#pragma once

#include <filesystem>
#include <string>

namespace tailmark {

/// The hash that stands for an encoder's weights in a key. Of a file: SHA-256
/// of its bytes. Of a folder: SHA-256 of the lines "sha256  name" of the files
/// that an encoder is made from (*.safetensors, *.pt, config.json, vocab.json,
/// merges.txt, *.txt.gz), by name; logs and notes beside them do not count.
/// Throws DataError when it is neither, or a folder holds no weights.
std::string WeightsSha256(const std::filesystem::path& path);

}  // namespace tailmark
