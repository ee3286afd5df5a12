#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/images/decode.h"
#include "datasets/images/fingerprint.h"
#include "harness/base/error.h"

namespace tailmark {

/// The made pictures whose names start with `format`.
inline std::vector<std::string> SeedPictures(std::string_view format) {
  std::vector<std::string> seeds;
  for (AwkwardPicture& picture : AwkwardPictures()) {
    if (picture.name.starts_with(format)) {
      seeds.push_back(std::move(picture.bytes));
    }
  }
  return seeds;
}

/// What the fuzzer's bytes mean: a file as it is, if they start like `seeds`
/// do; else changes to one of the seeds: which, where it is cut (256ths), then
/// triples of place (two bytes) and value.
inline std::string PictureFrom(const std::vector<std::string>& seeds,
                               std::string_view bytes) {
  if (bytes.size() < 2 || bytes.starts_with(seeds[0].substr(0, 3))) {
    return std::string(bytes);
  }
  const auto at = [bytes](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
  };
  std::string file = seeds[at(0) % seeds.size()];
  file.resize(file.size() - file.size() * at(1) / 256);
  for (std::size_t i = 2; i + 2 < bytes.size() && !file.empty(); i += 3) {
    file[(at(i) * 256 + at(i + 1)) % file.size()] = bytes[i + 2];
  }
  return file;
}

/// A picture or a DataError; anything else is a find.
inline void DecodeAnything(std::string_view bytes) {
  try {
    const Image image = DecodeImage(bytes, "input");
    if (image.rgb.size() != static_cast<std::size_t>(image.width) * 3 *
                                static_cast<std::size_t>(image.height)) {
      std::abort();
    }
  } catch (const DataError&) {
  }
}

}  // namespace tailmark
