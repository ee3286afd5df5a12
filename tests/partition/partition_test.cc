// Partitions of real training labels: the embedded scenes (P10 of their
// specification), COCO-LT and VOC-LT, whose lists ship with Tailmark.

#include "methods/partition/partition.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "datasets/builtin.h"
#include "harness/base/error.h"

namespace tailmark {
namespace {

struct Labels {
  std::vector<std::string> names;
  std::vector<std::uint8_t> cells;
  PartitionLabels view() const { return {.labels = cells, .names = names}; }
};

Labels LabelsOf(const std::string& name) {
  DatasetRegistry registry;
  RegisterBuiltinDatasets(registry);
  const auto& entry = registry.Find(name);
  const auto data = entry.open(
      {.name = name, .options = ResolveOptions(entry.info.options, {})});
  Labels out;
  for (const ClassInfo& each : data->classes()) out.names.push_back(each.name);
  out.cells = data->train_labels().positive;
  return out;
}

std::vector<std::size_t> Sizes(const Partition& partition) {
  std::vector<std::size_t> sizes;
  for (const auto& part : partition.parts) sizes.push_back(part.size());
  return sizes;
}

TEST(Partition, CocoLtInFivePartsIsTheKnownOne) {
  const Labels labels = LabelsOf("coco-lt");
  const auto partition =
      MakePartition(labels.view(), {.parts = 5, .merge_below = 0});
  EXPECT_EQ(Sizes(partition), (std::vector<std::size_t>{27, 26, 22, 3, 2}));
  EXPECT_EQ(partition.images,
            (std::vector<std::int64_t>{1255, 1184, 1107, 58, 17}));
  EXPECT_NEAR(partition.cut, 2.7044, 5e-5);
  const auto merged = MakePartition(labels.view(), {.parts = 5});
  EXPECT_EQ(merged.num_parts(), 4);
  ASSERT_EQ(merged.merges.size(), 1u);
  EXPECT_NE(merged.merges[0].find("{skis, snowboard}: 17 images"),
            std::string::npos)
      << merged.merges[0];
}

TEST(Partition, VocLtInThreePartsIsTheKnownOne) {
  const Labels labels = LabelsOf("voc-lt");
  const auto partition =
      MakePartition(labels.view(), {.parts = 3, .merge_below = 0});
  EXPECT_EQ(partition.images, (std::vector<std::int64_t>{890, 665, 16}));
  std::vector<std::string> last;
  for (const std::int64_t c : partition.parts[2]) {
    last.push_back(labels.names[static_cast<std::size_t>(c)]);
  }
  EXPECT_EQ(last, (std::vector<std::string>{"cow", "sheep", "train"}));
  EXPECT_EQ(MakePartition(labels.view(), {.parts = 3}).num_parts(), 2);
}

TEST(Partition, OfTheScenesKeepsTogetherWhatIsSeenTogether) {
  const Labels labels = LabelsOf("embedded");
  for (const int parts : {2, 3}) {
    const auto partition =
        MakePartition(labels.view(), {.parts = parts, .merge_below = 0});
    const auto random = WeightOfRandomParts(partition, 200, 1);
    EXPECT_GT(partition.weight_within, random.mean + 2 * random.deviation)
        << parts << " parts";
    EXPECT_GT(partition.weight_within, partition.weight_between);
  }
  const auto apart =
      MakePartition(labels.view(),
                    {.graph = GraphKind::kApart, .parts = 3, .merge_below = 0});
  EXPECT_LT(apart.weight_within, WeightOfRandomParts(apart, 200, 1).mean);
}

TEST(Partition, OfTheScenesHasContextsThatAreSeenTogether) {
  const Labels labels = LabelsOf("embedded");
  const auto contexts = MakePartition(
      labels.view(),
      {.kind = PartitionKind::kGiven,
       .given = {"mug;bottle;spoon;orange;plate;croissant",
                 "person;car;street lamp;umbrella;shopping basket;van;tyre",
                 "boat;fish;buoy;shell;yacht;starfish",
                 "flower;ball;mushroom;bird;scarecrow"}});
  EXPECT_GT(contexts.weight_within, 1.5 * contexts.weight_between);
}

TEST(Partition, ATinyPartOfTheScenesIsMerged) {
  const Labels labels = LabelsOf("embedded");
  const auto split =
      MakePartition(labels.view(), {.parts = 5, .merge_below = 0});
  const auto fewest =
      *std::min_element(split.images.begin(), split.images.end());
  const auto merged =
      MakePartition(labels.view(), {.parts = 5, .merge_below = fewest + 1});
  EXPECT_LT(merged.num_parts(), split.num_parts());
  EXPECT_FALSE(merged.merges.empty());
  for (const std::int64_t images : merged.images) EXPECT_GT(images, fewest);
}

TEST(Partition, IsAFunctionOfLabelsAndOptions) {
  const Labels labels = LabelsOf("voc-lt");
  for (const auto kind : {PartitionKind::kSpectral, PartitionKind::kRandom}) {
    PartitionOptions options{.kind = kind, .parts = 3, .seed = 4};
    const auto once = MakePartition(labels.view(), options);
    EXPECT_EQ(once.part_of, MakePartition(labels.view(), options).part_of);
    EXPECT_EQ(ToJson(once).at("sha256"), PartitionHash(labels.view(), options));
    options.seed = 5;
    EXPECT_NE(ToJson(once).at("sha256"), PartitionHash(labels.view(), options));
  }
}

TEST(Partition, RandomPartsHaveTheSizesOfTheSpectralOnes) {
  const Labels labels = LabelsOf("coco-lt");
  const auto spectral = MakePartition(labels.view(), {.parts = 5});
  const auto random = MakePartition(
      labels.view(), {.kind = PartitionKind::kRandom, .parts = 5, .seed = 1});
  EXPECT_EQ(Sizes(random), Sizes(spectral));
  EXPECT_LT(AdjustedRand(random.part_of, spectral.part_of), 0.3);
  const auto another = MakePartition(
      labels.view(), {.kind = PartitionKind::kRandom, .parts = 5, .seed = 2});
  EXPECT_NE(random.part_of, another.part_of);
}

TEST(Partition, GivenPartsAreThoseThatWereGivenAndTheRest) {
  const Labels labels{.names = {"a", "b", "c", "d"}, .cells = {1, 1, 0, 1}};
  const auto partition =
      MakePartition(labels.view(),
                    {.kind = PartitionKind::kGiven, .given = {" d ; a ", "b"}});
  EXPECT_EQ(partition.part_of, (std::vector<int>{0, 1, 2, 0}));
  EXPECT_THROW(MakePartition(labels.view(),
                             {.kind = PartitionKind::kGiven, .given = {"aa"}}),
               ConfigError);
  EXPECT_THROW(MakePartition(labels.view(), {.kind = PartitionKind::kGiven,
                                             .given = {"a", "a"}}),
               ConfigError);
}

TEST(Partition, OfVocLtIsMoreStableTogetherThanApart) {
  const Labels labels = LabelsOf("voc-lt");
  const auto rand = [&](GraphKind graph) {
    const auto partition = MakePartition(
        labels.view(), {.graph = graph, .parts = 5, .merge_below = 0});
    return BootstrapRand(labels.view(), partition, 10, 1);
  };
  const double together = rand(GraphKind::kTogether);
  const double apart = rand(GraphKind::kApart);
  EXPECT_GT(together, 0.6);
  EXPECT_LT(apart, together);
}

TEST(Partition, WorksWithOneClassAndWithoutPositives) {
  const Labels one{.names = {"a"}, .cells = {1, 0, 1}};
  EXPECT_EQ(MakePartition(one.view(), {.parts = 5}).num_parts(), 1);
  const Labels none{.names = {"a", "b", "c"}, .cells = {0, 0, 0}};
  EXPECT_EQ(MakePartition(none.view(), {.parts = 2}).num_parts(), 1);
}

}  // namespace
}  // namespace tailmark
