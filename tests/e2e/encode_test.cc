// `tailmark encode` and `tokenize`: files in, features and ids out. One entry
// of CTest, so that the pictures are drawn once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/npy.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
using ::testing::HasSubstr;
using Shape = std::vector<std::int64_t>;

class Encode : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    pictures_ = std::make_unique<ScratchFolder>();
    const Program tailmark(pictures_->path());
    ASSERT_EQ(tailmark({"data", "show", "embedded", "-o", "a.png"}).code, 0);
    ASSERT_EQ(
        tailmark({"data", "show", "embedded", "--split", "test", "-o", "b.png"})
            .code,
        0);
  }
  static void TearDownTestSuite() { pictures_.reset(); }
  Encode() {
    for (const char* name : {"a.png", "b.png"}) {
      std::filesystem::copy_file(pictures_->path() / name,
                                 scratch_.path() / name);
    }
  }
  /// Encodes with nano-CLIP and gives back what was written.
  NpyArray Run(std::vector<std::string> words) {
    words.insert(words.begin(), "encode");
    words.insert(words.end(), {"--weights", "nano-clip", "--out", "x.npy"});
    const Said said = tailmark_(words);
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_EQ(said.out, "x.npy\n");
    return ReadNpy(scratch_.path() / "x.npy");
  }
  static double LargestDifference(const NpyArray& a, const NpyArray& b) {
    const auto left = ToDoubles(a);
    const auto right = ToDoubles(b);
    EXPECT_EQ(left.size(), right.size());
    double most = 0;
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
      most = std::max(most, std::abs(left[i] - right[i]));
    }
    return most;
  }
  static std::vector<double> Norms(const NpyArray& array) {
    const auto values = ToDoubles(array);
    const auto width = static_cast<std::size_t>(array.shape.back());
    std::vector<double> norms;
    for (std::size_t from = 0; from < values.size(); from += width) {
      double sum = 0;
      for (std::size_t i = from; i < from + width; ++i) {
        sum += values[i] * values[i];
      }
      norms.push_back(std::sqrt(sum));
    }
    return norms;
  }

  static inline std::unique_ptr<ScratchFolder> pictures_;
  ScratchFolder scratch_;
  Program tailmark_{scratch_.path()};
};

TEST_F(Encode, PicturesBecomeRowsOfLengthOneInTheirOrder) {
  const NpyArray both = Run({"images", "a.png", "b.png"});
  EXPECT_EQ(both.dtype, DType::kFloat32);
  ASSERT_EQ(both.shape.size(), 2u);
  EXPECT_EQ(both.shape[0], 2);
  for (const double norm : Norms(both)) EXPECT_NEAR(norm, 1, 1e-6);
  const NpyArray turned = Run({"images", "b.png", "a.png"});
  const auto first = ToDoubles(both);
  const auto second = ToDoubles(turned);
  const auto width = static_cast<std::size_t>(both.shape[1]);
  for (std::size_t i = 0; i < width; ++i) {
    EXPECT_NEAR(first[i], second[width + i], 1e-6);
  }
  EXPECT_GT(std::abs(first[0] - second[0]), 1e-6);
}

TEST_F(Encode, RawLeavesTheNormAndAListIsTheSameAsNames) {
  const NpyArray unit = Run({"images", "a.png", "b.png"});
  std::ofstream(scratch_.path() / "list.txt") << "a.png\r\nb.png\n";
  EXPECT_EQ(Run({"images", "--list", "list.txt"}).bytes, unit.bytes);
  const NpyArray raw = Run({"images", "a.png", "b.png", "--raw"});
  const auto norms = Norms(raw);
  auto values = ToDoubles(raw);
  EXPECT_GT(std::abs(norms[0] - 1), 1e-3);
  const auto width = static_cast<std::size_t>(raw.shape[1]);
  const auto units = ToDoubles(unit);
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(values[i] / norms[i / width], units[i], 1e-6);
  }
}

TEST_F(Encode, EveryTokenIsARowToo) {
  const NpyArray image = Run({"images", "a.png", "--all-tokens"});
  ASSERT_EQ(image.shape.size(), 3u);
  EXPECT_EQ(image.shape[0], 1);
  for (const double norm : Norms(image)) EXPECT_NEAR(norm, 1, 1e-6);
  // The class token is the feature.
  const NpyArray feature = Run({"images", "a.png"});
  const auto tokens = ToDoubles(image);
  const auto row = ToDoubles(feature);
  for (std::size_t i = 0; i < row.size(); ++i) {
    EXPECT_NEAR(tokens[i], row[i], 1e-5);
  }
  const NpyArray text = Run({"text", "a photo of a circle", "--all-tokens"});
  ASSERT_EQ(text.shape.size(), 3u);
  EXPECT_EQ(text.shape[0], 1);
  // [start] a photo of a circle [end]: the feature is read at 6.
  const NpyArray end = Run({"text", "a photo of a circle"});
  const auto all = ToDoubles(text);
  const auto one = ToDoubles(end);
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_NEAR(all[6 * one.size() + i], one[i], 1e-5);
  }
}

TEST_F(Encode, HalfPrecisionIsNearAndItsFileSaysSo) {
  const NpyArray whole = Run({"images", "a.png", "b.png"});
  const NpyArray half = Run({"images", "a.png", "b.png", "--dtype", "float16"});
  EXPECT_EQ(half.dtype, DType::kFloat16);
  const double far16 = LargestDifference(whole, half);
  EXPECT_GT(far16, 0);
  EXPECT_LT(far16, 5e-3);
  const NpyArray brain =
      Run({"images", "a.png", "b.png", "--dtype", "bfloat16"});
  EXPECT_EQ(brain.dtype, DType::kFloat32);
  const double far_brain = LargestDifference(whole, brain);
  EXPECT_GT(far_brain, far16);
  EXPECT_LT(far_brain, 5e-2);
}

TEST_F(Encode, PicturesThatCannotBeDecodedAreNamedALineEach) {
  std::ofstream(scratch_.path() / "bad.jpg") << "no picture";
  const Said said =
      tailmark_({"encode", "images", "bad.jpg", "a.png", "none.png",
                 "--weights", "nano-clip", "--out", "y.npy"});
  EXPECT_EQ(said.code, 2);
  EXPECT_EQ(std::count(said.err.begin(), said.err.end(), '\n'), 2) << said.err;
  EXPECT_THAT(said.err, HasSubstr("bad.jpg"));
  EXPECT_THAT(said.err, HasSubstr("none.png"));
  EXPECT_FALSE(std::filesystem::exists(scratch_.path() / "y.npy"));
}

TEST_F(Encode, WordsThatDoNotFitAreExit2) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"images", "a.png", "--dtype", "float61"}, "did you mean 'float16'?"},
      {{"images", "a.png", "--pipeline", "clp-48"}, "clip-48"},
      {{"images", "a.png", "--device", "gpu"}, "--device 'gpu'"},
      {{"images", "a.png", "--list", "x"}, "either images or --list"},
      {{"images"}, "either images or --list"},
      {{"text",
        std::string(2000, 'a') +
            " a a a a a a a a a a a a a a a a a a "
            "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a "
            "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a"},
       "tokens, but only"}};
  for (const auto& [words, message] : cases) {
    auto line = words;
    line.insert(line.begin(), "encode");
    line.insert(line.end(), {"--weights", "nano-clip", "--out", "z.npy"});
    const Said said = tailmark_(line);
    EXPECT_EQ(said.code, 2) << message;
    EXPECT_THAT(said.err, HasSubstr(message));
  }
}

TEST_F(Encode, TokensAreRowsOfIds) {
  const Said said = tailmark_({"tokenize", "--vocab", "nano-clip", "--json",
                               "a photo of a circle", "circle"});
  ASSERT_EQ(said.code, 0) << said.err;
  const Json rows = said.json();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].size(), rows[1].size());
  EXPECT_EQ(rows[0][0], rows[1][0]);  // start
  EXPECT_EQ(rows[0][5], rows[1][1]);  // circle
  EXPECT_EQ(rows[0][6], rows[1][2]);  // end
  const Said lines = tailmark_({"tokenize", "--vocab", "nano-clip", "circle"});
  EXPECT_EQ(lines.out.substr(0, lines.out.find(' ')),
            std::to_string(rows[0][0].get<int>()));
  tailmark_.environment["TAILMARK_WEIGHTS"] = scratch_.path() / "nowhere";
  const Said absent = tailmark_({"tokenize", "a"});
  EXPECT_EQ(absent.code, 2);
  EXPECT_THAT(absent.err, HasSubstr("tailmark weights fetch vocabulary"));
}

TEST_F(Encode, ClipsVocabularyGivesRowsOf77) {
  const char* data = std::getenv("TAILMARK_REFERENCE_DATA");
  if (data == nullptr) GTEST_SKIP() << "TAILMARK_REFERENCE_DATA is not set";
  const std::string vocabulary =
      StrCat(data, "/clip_vocab/bpe_simple_vocab_16e6.txt.gz");
  std::string words;
  for (int i = 0; i < 100; ++i) words += "cat ";
  std::ofstream(scratch_.path() / "texts.txt") << "a photo of a cat\n" << words;
  const Said said = tailmark_({"tokenize", "--vocab", vocabulary, "--json",
                               "--truncate", "--list", "texts.txt"});
  ASSERT_EQ(said.code, 0) << said.err;
  const Json rows = said.json();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].size(), 77u);
  EXPECT_EQ(Json(std::vector<int>{49406, 320, 1125, 539, 320, 2368, 49407, 0}),
            Json(std::vector<Json>(rows[0].begin(), rows[0].begin() + 8)));
  EXPECT_EQ(rows[1][76], 49407);
  EXPECT_EQ(
      tailmark_({"tokenize", "--vocab", vocabulary, "--list", "texts.txt"})
          .code,
      2);
}

}  // namespace
}  // namespace tailmark
