// Label graphs, eigenvalues and partitions against PSD's release.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <iostream>
#include <optional>

#include "harness/base/json.h"
#include "harness/base/safetensors.h"
#include "methods/partition/spectral.h"
#include "tests/golden/golden.h"

namespace tailmark {
namespace {

template <class T>
std::vector<T> ValuesOf(const TensorView& view) {
  std::vector<T> out(view.bytes.size() / sizeof(T));
  std::memcpy(out.data(), view.bytes.data(), view.bytes.size());
  return out;
}

class PartitionGolden : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto folder = GoldenFolder("methods");
    if (!std::filesystem::exists(folder / "partition.safetensors") ||
        !std::filesystem::exists(folder / "manifest.json")) {
      GTEST_SKIP() << "no golden folder methods (partition)";
    }
    tensors_ = Safetensors::Open(folder / "partition.safetensors");
    const Json manifest = ReadJson(folder / "manifest.json");
    for (const Json& each : manifest.at("cases")) {
      if (each.at("file") == "partition.safetensors") cases_.push_back(each);
    }
  }
  const TensorView& Get(const Json& each, const std::string& side,
                        const std::string& name) const {
    const std::string own = each.at("id").get<std::string>() +
                            (side == "inputs" ? "/in/" : "/out/") + name;
    return tensors_->At(each.at(side).at(name).value("key", own));
  }
  SquareMatrix Matrix(const Json& each, const std::string& side,
                      const std::string& name) const {
    const TensorView& view = Get(each, side, name);
    SquareMatrix out(static_cast<std::size_t>(view.shape[0]));
    out.values = ValuesOf<double>(view);
    return out;
  }

  std::optional<Safetensors> tensors_;
  std::vector<Json> cases_;
};

TEST_F(PartitionGolden, GraphAndEigenvaluesAreThoseOfTheRelease) {
  int compared = 0;
  for (const Json& each : cases_) {
    if (!each.at("inputs").contains("counts")) continue;
    const std::string id = each.at("id");
    LabelCounts counts;
    counts.images = ValuesOf<std::int64_t>(Get(each, "inputs", "n"));
    counts.together = ValuesOf<std::int64_t>(Get(each, "inputs", "counts"));
    counts.classes = counts.images.size();
    const auto kind =
        id.ends_with("cgp") ? GraphKind::kTogether : GraphKind::kApart;
    const auto edges = LabelGraph(counts, kind, 0.5);
    const auto expected = Matrix(each, "outputs", "P_sym");
    for (std::size_t i = 0; i < edges.values.size(); ++i) {
      ASSERT_NEAR(edges.values[i], expected.values[i], 1e-12) << id;
    }
    const auto eigen = SymmetricEigen(NormalisedLaplacian(edges));
    const auto values = ValuesOf<double>(Get(each, "outputs", "eigenvalues"));
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_NEAR(eigen.values[i], values[i], 1e-9) << id << " " << i;
    }
    ++compared;
  }
  std::cout << "compared " << compared << " label graphs\n";
  EXPECT_GT(compared, 0);
}

TEST_F(PartitionGolden, PartsAreTheReleasesOrCutLess) {
  int compared = 0;
  for (const Json& each : cases_) {
    if (!each.at("inputs").contains("counts")) continue;
    const auto edges = Matrix(each, "outputs", "P_sym");
    for (const auto& [key, runs] : each.at("params").at("runs").items()) {
      const int k = std::stoi(key.substr(1));
      const auto assigned =
          ValuesOf<int>(Get(each, "outputs", "assign_" + key));
      double best = 1e9;
      for (const Json& run : runs) {
        best = std::min(best, run.at("ncut").get<double>());
      }
      const auto right = [&](KeepRule rule) {
        const auto parts =
            SpectralParts(edges, {.parts = k, .restarts = 20, .keep = rule});
        if (NormalisedCut(edges, parts) <= best + 1e-6) return true;
        for (std::size_t row = 0; row < assigned.size(); row += edges.size) {
          const std::span<const int> one(assigned.data() + row, edges.size);
          if (AdjustedRand(parts, one) > 1 - 1e-12) return true;
        }
        return false;
      };
      EXPECT_TRUE(right(KeepRule::kCut)) << each.at("id") << " " << key;
      // Where the release's runs differ, none of them need be the lowest.
      if (runs.size() == 1) {
        EXPECT_TRUE(right(KeepRule::kInertia)) << each.at("id") << " " << key;
      }
      ++compared;
    }
  }
  std::cout << "compared " << compared << " partitions\n";
  EXPECT_GT(compared, 0);
}

TEST_F(PartitionGolden, BlocksAreFound) {
  int compared = 0;
  for (const Json& each : cases_) {
    if (!each.at("inputs").contains("affinity")) continue;
    const auto edges = Matrix(each, "inputs", "affinity");
    for (const auto rule :
         {KeepRule::kInertia, KeepRule::kCut, KeepRule::kCalinskiHarabasz}) {
      const auto parts = SpectralParts(
          edges, {.parts = each.at("params").at("K"), .keep = rule});
      const auto expected = ValuesOf<int>(Get(each, "outputs", "assign"));
      EXPECT_DOUBLE_EQ(AdjustedRand(parts, expected), 1.0) << each.at("id");
    }
    ++compared;
  }
  std::cout << "compared " << compared << " block matrices\n";
  EXPECT_GT(compared, 0);
}

TEST_F(PartitionGolden, CutAndCalinskiHarabaszAreThoseListed) {
  int compared = 0;
  for (const Json& each : cases_) {
    if (!each.at("inputs").contains("counts")) continue;
    const auto edges = Matrix(each, "outputs", "P_sym");
    const auto two = ValuesOf<int>(Get(each, "outputs", "assign_K2"));
    const Json& listed = each.at("params").at("runs").at("K2")[0];
    const std::span<const int> parts(two.data(), edges.size);
    EXPECT_NEAR(NormalisedCut(edges, parts), listed.at("ncut"), 1e-9);
    EXPECT_NEAR(CalinskiHarabasz(edges, parts), listed.at("ch"), 1e-9);
    ++compared;
  }
  std::cout << "compared " << compared << " scores\n";
  EXPECT_GT(compared, 0);
}

}  // namespace
}  // namespace tailmark
