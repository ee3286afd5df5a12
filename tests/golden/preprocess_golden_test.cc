// Decoding and resizing against what Pillow gave: every byte.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "datasets/images/decode.h"
#include "datasets/images/pipeline.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/base/npy.h"
#include "tests/golden/golden.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

std::string Sha256Of(const Image& image) {
  return Sha256().Update(std::as_bytes(std::span(image.rgb))).Hex();
}

/// "clip64" -> clip-64, "squash64_bilinear" -> squash-64; `variant` goes before
/// the size.
Pipeline PipelineOf(const std::string& what, const std::string& variant) {
  const std::size_t digits = what.find_first_of("0123456789");
  const std::size_t rest = what.find('_');
  std::string family = what.substr(0, digits) + "-";
  if (what.ends_with("_bicubic")) family += "bicubic-";
  return PipelineByName(family + variant + what.substr(digits, rest - digits));
}

void ExpectEqual(const NpyArray& expected, const Image& image,
                 const std::string& what) {
  const std::vector<std::int64_t> shape = {image.height, image.width, 3};
  ASSERT_EQ(expected.shape, shape) << what;
  ASSERT_EQ(expected.dtype, DType::kUint8) << what;
  const auto bytes = expected.As<std::uint8_t>();
  int most = 0, differ = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int difference = std::abs(bytes[i] - image.rgb[i]);
    most = std::max(most, difference);
    if (difference != 0) ++differ;
  }
  EXPECT_EQ(differ, 0) << what << ": of " << bytes.size()
                       << " bytes; largest difference " << most;
}

struct Counts {
  int decoded = 0, arrays = 0, older = 0, refused = 0;
};

/// Every expected/STEM.*.npy there is. Pillow 13 changed the order of the
/// passes for tall pictures; an array may come from either.
void CompareArrays(const fs::path& folder, const std::string& stem,
                   const Image& decoded, Counts& counts) {
  for (const auto& entry : fs::directory_iterator(folder / "expected")) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(stem + ".")) continue;
    const std::string what =
        entry.path().stem().string().substr(stem.size() + 1);
    const NpyArray expected = ReadNpy(entry.path());
    ++counts.arrays;
    if (what == "decoded") {
      ExpectEqual(expected, decoded, name);
      continue;
    }
    const Image older = Preprocess(PipelineOf(what, "pillow12-"), decoded);
    const Image newer = Preprocess(PipelineOf(what, ""), decoded);
    const auto bytes = expected.As<std::uint8_t>();
    const bool is_older =
        older.rgb != newer.rgb && std::ranges::equal(older.rgb, bytes);
    counts.older += is_older ? 1 : 0;
    ExpectEqual(expected, is_older ? older : newer, name);
  }
}

void ExpectRefused(const fs::path& path) {
  try {
    DecodeImageFile(path);
    ADD_FAILURE() << path << " is broken, but was decoded";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find(path.filename().string()),
              std::string::npos)
        << error.what();
  }
}

TEST(PreprocessGolden, EveryPictureGivesPillowsBytes) {
  const fs::path folder = GoldenFolder("clip/preprocess");
  for (const auto& file : {folder / "cases.json", folder / "files"}) {
    if (!fs::exists(file)) GTEST_SKIP() << file << " is not there";
  }
  const Json cases = ReadJson(folder / "cases.json");
  Counts counts;
  for (const Json& each : cases.at("cases")) {
    const fs::path path = folder / "files" / each.at("file").get<std::string>();
    SCOPED_TRACE(path.filename().string() + ": " +
                 each.at("note").get<std::string>());
    if (each.at("outcome") == "error") {
      ExpectRefused(path);
      ++counts.refused;
      continue;
    }
    const Image image = DecodeImageFile(path);
    EXPECT_EQ(Sha256Of(image), each.at("decoded_sha256").get<std::string>());
    ++counts.decoded;
    CompareArrays(folder, path.stem().string(), image, counts);
  }
  EXPECT_GT(counts.arrays, 0);
  std::printf(
      "clip/preprocess: %d decoded, %d arrays equal (%d of them only with the "
      "passes of Pillow 12), %d refused\n",
      counts.decoded, counts.arrays, counts.older, counts.refused);
}

/// A picture of another project, with the float32 [1, 3, 224, 224] that
/// OpenAI's own preprocessing gives.
TEST(PreprocessGolden, APhotographBecomesWhatClipSees) {
  const fs::path folder = ReferenceFolder("preprocess_ref");
  if (folder.empty() || !fs::exists(folder)) {
    GTEST_SKIP() << "TAILMARK_REFERENCE_DATA has no preprocess_ref";
  }
  const Pipeline pipeline = PipelineByName("clip-224");
  const Image image =
      Preprocess(pipeline, DecodeImageFile(folder / "franz-kafka.jpg"));
  const NpyArray expected = ReadNpy(folder / "expected_preprocessed_image.npy");
  const auto floats = expected.As<float>();
  std::vector<float> ours(image.rgb.size());
  ASSERT_EQ(floats.size(), ours.size());
  Normalise(pipeline, image, ours.data());
  int differ = 0;
  double most = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const std::size_t c = i / (ours.size() / 3);
    const auto byte = [&](float value) {
      return std::lround((value * pipeline.std[c] + pipeline.mean[c]) * 255);
    };
    if (byte(ours[i]) != byte(floats[i])) ++differ;
    most = std::max<double>(most, std::abs(ours[i] - floats[i]));
  }
  EXPECT_EQ(differ, 0) << "bytes";
  EXPECT_LE(most, 1e-6) << "after normalising";
  std::printf("preprocess_ref: %zu values equal, %g apart after normalising\n",
              ours.size(), most);
}

}  // namespace
}  // namespace tailmark
