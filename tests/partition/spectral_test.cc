// Graphs, eigenvectors, cuts and indices that partitions are made of.

#include "methods/partition/spectral.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/base/error.h"
#include "harness/base/seeds.h"

namespace tailmark {
namespace {

SquareMatrix RandomSymmetric(std::size_t n, std::uint64_t seed) {
  ChanceStream chance(seed, 0, 0);
  SquareMatrix m(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) {
      m.At(i, j) = m.At(j, i) = chance.Unit();
    }
  }
  return m;
}

/// Blocks of `size` nodes: strong inside, weak between.
SquareMatrix Blocks(std::size_t blocks, std::size_t size) {
  SquareMatrix m(blocks * size);
  for (std::size_t i = 0; i < m.size; ++i) {
    for (std::size_t j = 0; j < m.size; ++j) {
      if (i != j) m.At(i, j) = i / size == j / size ? 0.9 : 0.05;
    }
  }
  return m;
}

TEST(LabelGraph, DividesByTheColumnsCountAndIsSymmetric) {
  // a: 4 images, b: 2, together 1.
  const std::vector<std::uint8_t> labels = {1, 0, 1, 0, 1, 0, 1, 1, 0, 1};
  const LabelCounts counts = CountLabels(labels, 2);
  EXPECT_EQ(counts.images, (std::vector<std::int64_t>{4, 2}));
  EXPECT_EQ(counts.together, (std::vector<std::int64_t>{0, 1, 1, 0}));
  const auto together = LabelGraph(counts, GraphKind::kTogether, 0.5);
  const double edge = (std::sqrt(1.0 / 2) + std::sqrt(1.0 / 4)) / 2;
  EXPECT_DOUBLE_EQ(together.At(0, 1), edge);
  EXPECT_DOUBLE_EQ(together.At(1, 0), edge);
  EXPECT_EQ(together.At(0, 0), 0.0);
  const auto apart = LabelGraph(counts, GraphKind::kApart, 0.5);
  EXPECT_DOUBLE_EQ(apart.At(0, 1), 1.0 - edge);
  EXPECT_EQ(apart.At(0, 0), 1.0);
}

TEST(LabelGraph, AClassThatIsNeverThereHasNoEdge) {
  const std::vector<std::uint8_t> labels = {1, 1, 0, 0, 1, 0};
  const auto edges =
      LabelGraph(CountLabels(labels, 3), GraphKind::kTogether, 0.5);
  EXPECT_EQ(edges.At(0, 2), 0.0);
  const auto smooth =
      LabelGraph(CountLabels(labels, 3), GraphKind::kTogether, 1.0, true);
  EXPECT_DOUBLE_EQ(smooth.At(0, 2), (0.5 / 1 + 0.5 / 2) / 2);
}

TEST(LabelGraph, ADrawCountsEachRowAsOftenAsItWasPicked) {
  const std::vector<std::uint8_t> labels = {1, 0, 0, 1};
  const std::vector<std::size_t> picked = {0, 0, 0};
  EXPECT_EQ(CountLabels(labels, 2, picked).images,
            (std::vector<std::int64_t>{3, 0}));
}

TEST(Spectral, EigenvectorsReproduceTheMatrix) {
  const auto m = RandomSymmetric(17, 3);
  const Eigen eigen = SymmetricEigen(m);
  for (std::size_t i = 0; i < m.size; ++i) {
    for (std::size_t j = 0; j < m.size; ++j) {
      double back = 0;
      double dot = 0;
      for (std::size_t k = 0; k < m.size; ++k) {
        back +=
            eigen.values[k] * eigen.vectors.At(i, k) * eigen.vectors.At(j, k);
        dot += eigen.vectors.At(k, i) * eigen.vectors.At(k, j);
      }
      EXPECT_NEAR(back, m.At(i, j), 1e-12);
      EXPECT_NEAR(dot, i == j ? 1.0 : 0.0, 1e-12);
    }
  }
  EXPECT_TRUE(std::is_sorted(eigen.values.begin(), eigen.values.end()));
}

TEST(Spectral, FindsBlocksWhateverTheRule) {
  const auto edges = Blocks(4, 5);
  for (const auto rule :
       {KeepRule::kInertia, KeepRule::kCut, KeepRule::kCalinskiHarabasz}) {
    const auto parts = SpectralParts(edges, {.parts = 4, .keep = rule});
    for (std::size_t i = 0; i < parts.size(); ++i) {
      EXPECT_EQ(parts[i], static_cast<int>(i / 5)) << NameOf(rule);
    }
  }
}

TEST(Spectral, WorksWithFewerClassesThanPartsAndWithoutEdges) {
  EXPECT_EQ(SpectralParts(SquareMatrix(1), {.parts = 5}), std::vector<int>{0});
  EXPECT_EQ(SpectralParts(SquareMatrix(3), {.parts = 2}).size(), 3u);
  EXPECT_EQ(SpectralParts(SquareMatrix(0), {.parts = 2}).size(), 0u);
}

TEST(Spectral, NormalisedCutIsTheShareOfWeightThatLeaves) {
  SquareMatrix edges(3);
  edges.At(0, 1) = edges.At(1, 0) = 3;
  edges.At(1, 2) = edges.At(2, 1) = 1;
  const std::vector<int> parts = {0, 0, 1};
  EXPECT_DOUBLE_EQ(NormalisedCut(edges, parts), 1.0 / 7 + 1.0);
}

TEST(Spectral, RandIndexIgnoresNamesAndIsLowByChance) {
  const std::vector<int> a = {0, 0, 1, 1, 2, 2};
  const std::vector<int> renamed = {2, 2, 0, 0, 1, 1};
  EXPECT_DOUBLE_EQ(AdjustedRand(a, renamed), 1.0);
  const std::vector<int> crossed = {0, 1, 0, 1, 0, 1};
  EXPECT_LT(AdjustedRand(a, crossed), 0.1);
}

TEST(Spectral, PartsAreNumberedBySizeThenByFirstMember) {
  std::vector<int> parts = {7, 3, 3, 9, 9, 1};
  NumberBySize(parts);
  EXPECT_EQ(parts, (std::vector<int>{2, 0, 0, 1, 1, 3}));
}

TEST(Spectral, WordsAreReadBackAndOthersRefused) {
  for (const auto kind : {GraphKind::kTogether, GraphKind::kApart}) {
    EXPECT_EQ(GraphKindByName(NameOf(kind)), kind);
  }
  EXPECT_THROW(GraphKindByName("togehter"), ConfigError);
  EXPECT_THROW(KeepRuleByName("best"), ConfigError);
}

}  // namespace
}  // namespace tailmark
