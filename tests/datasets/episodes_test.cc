#include "datasets/episodes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "datasets/embedded/few_shot.h"
#include "datasets/embedded/test_labels.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"

namespace tailmark {
namespace {

DatasetSpec EpisodesSpec(const OptionMap& options) {
  return {.name = "embedded-fewshot",
          .options = ResolveOptions(DescribeOptions<embedded::FewShotOptions>(),
                                    options),
          .root = {},
          .cache = {}};
}

std::unique_ptr<Dataset> OpenEpisodes(const OptionMap& options = {}) {
  return embedded::EmbeddedFewShotEntry().open(EpisodesSpec(options));
}

bool AnyPositive(const LabelMatrix& labels, std::int64_t row,
                 const std::vector<std::int64_t>& columns) {
  return std::any_of(columns.begin(), columns.end(),
                     [&](std::int64_t c) { return labels.Positive(row, c); });
}

std::string PixelDigest(const Dataset& data, const Split& split) {
  Sha256 digest;
  for (std::int64_t row = 0; row < split.size(); ++row) {
    const Image image = data.LoadImage(split, row);
    digest.Update(std::as_bytes(std::span(image.rgb)));
  }
  return digest.Hex();
}

TEST(EmbeddedFewShot, TheEightTailClassesAreNovel) {
  const auto data = OpenEpisodes();
  const Episodes& all = *data->episodes();
  EXPECT_EQ(all.novel,
            (std::vector<std::int64_t>{16, 17, 18, 19, 20, 21, 22, 23}));
  EXPECT_EQ(all.base.size(), 16u);
  EXPECT_EQ(all.protocol, "embedded/1-shot");
  EXPECT_TRUE(all.exact);
}

TEST(EmbeddedFewShot, ASupportHasExactlyKPositivesOfEveryNovelClass) {
  for (const std::int64_t shots : {1, 2, 5}) {
    for (const std::int64_t seed : {1, 9}) {
      const auto data = OpenEpisodes({{"shots", shots}, {"data_seed", seed}});
      for (const Episode& each : data->episodes()->episodes) {
        for (const std::int64_t c : data->episodes()->novel) {
          std::int64_t positives = 0;
          for (std::int64_t row = 0; row < each.labels.rows; ++row) {
            positives += each.labels.Positive(row, c);
          }
          EXPECT_EQ(positives, shots) << each.number << " " << c;
        }
      }
    }
  }
}

TEST(EmbeddedFewShot, EpisodesDifferInLabelsAndInPictures) {
  const auto data = OpenEpisodes({{"shots", std::int64_t{5}}});
  std::set<std::string> lists, pictures;
  for (const Episode& each : data->episodes()->episodes) {
    Split anonymous = each.support;
    for (std::size_t i = 0; i < anonymous.ids.size(); ++i) {
      anonymous.ids[i] = std::to_string(i);
    }
    lists.insert(ListHash(anonymous, each.labels));
    pictures.insert(PixelDigest(*data, each.support));
  }
  EXPECT_EQ(lists.size(), 10u);
  EXPECT_EQ(pictures.size(), 10u);
}

TEST(EmbeddedFewShot, TheQueryIsEveryTestPictureWithANovelClass) {
  const auto data = OpenEpisodes();
  const LabelMatrix labels = EmbeddedFewShotTestLabels(EpisodesSpec({}));
  const LabelMatrix all = EmbeddedTestLabels({.name = "embedded"});
  const auto& novel = data->episodes()->novel;
  std::int64_t expected = 0;
  for (std::int64_t row = 0; row < all.rows; ++row) {
    expected += AnyPositive(all, row, novel);
  }
  EXPECT_EQ(data->test().size(), expected);
  ASSERT_EQ(labels.rows, expected);
  for (std::int64_t row = 0; row < labels.rows; ++row) {
    EXPECT_TRUE(AnyPositive(labels, row, novel)) << row;
  }
  for (const std::int64_t c : novel) {
    std::int64_t positives = 0;
    for (std::int64_t row = 0; row < labels.rows; ++row) {
      positives += labels.Positive(row, c);
    }
    EXPECT_EQ(positives, 120) << c;
  }
}

TEST(EmbeddedFewShot, BaseTrainingPicturesSayNothingOfNovelClasses) {
  const auto data = OpenEpisodes();
  const LabelMatrix& labels = data->train_labels();
  EXPECT_GT(labels.rows, 1000);
  for (std::int64_t row = 0; row < labels.rows; ++row) {
    EXPECT_TRUE(AnyPositive(labels, row, data->episodes()->base)) << row;
    for (const std::int64_t c : data->episodes()->novel) {
      ASSERT_FALSE(labels.Known(row, c));
      ASSERT_FALSE(labels.Positive(row, c));
    }
  }
  EXPECT_TRUE(data->train_captions().empty());
  EXPECT_EQ(OpenEpisodes({{"base", std::string("without")}})->train().size(),
            0);
}

TEST(EmbeddedFewShot, BaseOnlyIsAnOrdinaryDataSetOfSixteenClasses) {
  const OptionMap only = {{"base", std::string("only")}};
  const auto data = OpenEpisodes(only);
  EXPECT_EQ(data->episodes(), nullptr);
  EXPECT_EQ(data->classes().size(), 16u);
  EXPECT_EQ(data->train_labels().classes, 16);
  EXPECT_TRUE(data->train_labels().known.empty());
  EXPECT_EQ(data->train().ids, OpenEpisodes()->train().ids);
  const LabelMatrix labels = EmbeddedFewShotTestLabels(EpisodesSpec(only));
  EXPECT_EQ(labels.rows, data->test().size());
  EXPECT_EQ(labels.classes, 16);
  for (const ClassInfo& each : data->classes()) {
    EXPECT_EQ(each.group, Group::kBase);
    EXPECT_GT(each.train_positives, 0) << each.name;
  }
}

// What makes a table of one machine comparable with one of another.
TEST(EmbeddedFewShot, EpisodesOfSeedOneAreTheOnesOfVersionOne) {
  const auto one = OpenEpisodes();
  const auto five = OpenEpisodes({{"shots", std::int64_t{5}}});
  EXPECT_EQ(one->test().size(), 777);
  EXPECT_EQ(EpisodesHash(*one->episodes()),
            "9e66dfb89d898eabbb23e73c43aa86f3542273423a13eed8e1a4182aa59bbae2");
  EXPECT_EQ(EpisodesHash(*five->episodes()),
            "09b52d7c4b51e245f572549fa86e7b9f1155efd9699a815006fa821e1bbda52d");
  Sha256 pixels;
  for (const Episode& each : five->episodes()->episodes) {
    pixels.Update(PixelDigest(*five, each.support));
  }
  EXPECT_EQ(pixels.Hex(),
            "d6fe4571384769044aede904a768b505594869fe68e7ed8dcc75c886d967091a");
}

TEST(Episodes, TheHashSeesProtocolColumnsSupportAndLabels) {
  Episodes all{.protocol = "p", .base = {0}, .novel = {1}};
  all.episodes.push_back(
      {.number = 1,
       .support = {.name = "s", .role = SplitRole::kSupport, .ids = {"a"}},
       .labels = {.rows = 1, .classes = 2, .positive = {0, 1}, .known = {}}});
  std::set<std::string> hashes = {EpisodesHash(all)};
  const auto changed = [&](auto change) {
    Episodes other = all;
    change(other);
    hashes.insert(EpisodesHash(other));
  };
  changed([](Episodes& e) { e.protocol = "q"; });
  changed([](Episodes& e) { e.shots = 5; });
  changed([](Episodes& e) { e.exact = false; });
  changed([](Episodes& e) { std::swap(e.base, e.novel); });
  changed([](Episodes& e) { e.episodes[0].support.ids[0] = "b"; });
  changed([](Episodes& e) { e.episodes[0].labels.positive[0] = 1; });
  changed([](Episodes& e) { e.episodes[0].labels.known = {0, 1}; });
  changed([](Episodes& e) { e.episodes[0].number = 2; });
  EXPECT_EQ(hashes.size(), 9u);
}

TEST(Episodes, ColumnsAreTakenInTheOrderGiven) {
  const LabelMatrix labels{.rows = 2,
                           .classes = 3,
                           .positive = {1, 0, 0, 0, 1, 1},
                           .known = {1, 1, 0, 1, 1, 1}};
  const LabelMatrix taken =
      TakeColumns(labels, std::vector<std::int64_t>{2, 0});
  EXPECT_EQ(taken.positive, (std::vector<std::uint8_t>{0, 1, 1, 0}));
  EXPECT_EQ(taken.known, (std::vector<std::uint8_t>{0, 1, 1, 1}));
  LabelMatrix kept = labels;
  KeepKnown(kept, std::vector<std::int64_t>{1});
  EXPECT_EQ(kept.positive, (std::vector<std::uint8_t>{0, 0, 0, 0, 1, 0}));
  EXPECT_EQ(kept.known, (std::vector<std::uint8_t>{0, 1, 0, 0, 1, 0}));
}

}  // namespace
}  // namespace tailmark
