// Full-size CLIPs of random numbers on real photographs, against open_clip in
// float64: from JPEG to feature, through every layer that the real ones have.

#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <sstream>

#include "datasets/images/decode.h"
#include "datasets/images/pipeline.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/base/npy.h"
#include "harness/cli/random_weights.h"
#include "methods/clip/clip_encoder.h"
#include "methods/torch_pch.h"
#include "tests/golden/golden.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

Json ModelOf(const std::string& name) {
  const Json known =
      ReadJson(fs::path(TM_SOURCE_DIR) / "methods/clip/weights.json");
  for (const Json& each : known.at("weights")) {
    if (each.at("name") == name) return each.at("model");
  }
  return {};
}

at::Tensor PixelsOf(const fs::path& path) {
  const Pipeline pipeline = PipelineByName("clip-224");
  auto pixels = at::empty({1, 3, 224, 224}, at::kFloat);
  Normalise(pipeline, Preprocess(pipeline, DecodeImageFile(path)),
            pixels.mutable_data_ptr<float>());
  return pixels;
}

class FullSize : public ::testing::TestWithParam<const char*> {};

TEST_P(FullSize, FeaturesOfPhotographsAreTheReferences) {
  const fs::path golden = GoldenFolder("full_size");
  const fs::path photographs = ReferenceFolder("real-images");
  const std::string name = GetParam();
  if (!fs::exists(photographs)) {
    GTEST_SKIP() << "real-images is not there; set TAILMARK_REFERENCE_DATA";
  }
  if (!fs::exists(golden / (name + ".npy"))) {
    GTEST_SKIP() << golden << " is not there";
  }
  const fs::path file =
      fs::path(testing::TempDir()) / ("full-size-" + name + ".safetensors");
  WriteRandomWeights(name, ModelOf(name), 1, file);
  const auto encoder = ClipEncoder::Load(file, at::kCPU);
  fs::remove(file);
  const NpyArray expected = ReadNpy(golden / (name + ".npy"));
  const auto rows = expected.As<float>();
  const auto width = static_cast<std::size_t>(expected.shape.at(1));
  const c10::InferenceMode frozen;
  std::istringstream names(ReadFile(golden / "photographs.txt"));
  std::size_t row = 0;
  double most = 0;
  for (std::string path; std::getline(names, path); ++row) {
    auto feature = encoder->EncodeImages(PixelsOf(photographs / path));
    feature = feature / feature.norm();
    const float* values = feature.const_data_ptr<float>();
    for (std::size_t i = 0; i < width; ++i) {
      most = std::max(
          most, std::abs(double(values[i]) - double(rows[row * width + i])));
    }
  }
  EXPECT_EQ(row, static_cast<std::size_t>(expected.shape.at(0)));
  EXPECT_GT(row, 0U);
  EXPECT_LT(most, 1e-5);
  std::cout << name << ": compared " << row
            << " photographs, largest difference " << most << "\n";
}

INSTANTIATE_TEST_SUITE_P(Models, FullSize,
                         ::testing::Values("vit-b-16", "rn50"));

}  // namespace
}  // namespace tailmark
