#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/images/jpeg.h"
#include "harness/base/files.h"
#include "harness/base/seeds.h"

namespace tailmark {

/// 640 x 480, smooth with some noise: about as many bytes as a photograph.
inline std::string MadePhotograph(std::uint64_t seed) {
  Image image{640, 480, {}};
  ChanceStream chance(seed, 0, 0);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width * 3; ++x) {
      image.rgb.push_back(static_cast<std::uint8_t>(
          (x / 9 + y / 3 + static_cast<int>(chance.Below(24))) & 0xFF));
    }
  }
  return EncodeJpeg(image);
}

/// JPEG files in memory: $TAILMARK_REFERENCE_DATA/real-images in the order of
/// their paths when that is set, else eight made ones.
inline std::vector<std::string> LoadBenchPictures() {
  namespace fs = std::filesystem;
  std::vector<std::string> pictures;
  const char* root = std::getenv("TAILMARK_REFERENCE_DATA");
  const fs::path folder = fs::path(root == nullptr ? "" : root) / "real-images";
  if (root != nullptr && fs::exists(folder)) {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().extension() == ".jpg") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (const fs::path& path : paths) pictures.push_back(ReadFile(path));
  }
  if (pictures.empty()) {
    for (std::uint64_t i = 0; i < 8; ++i) pictures.push_back(MadePhotograph(i));
  }
  return pictures;
}

inline const std::vector<std::string>& BenchPictures() {
  static const std::vector<std::string> kPictures = LoadBenchPictures();
  return kPictures;
}

}  // namespace tailmark
