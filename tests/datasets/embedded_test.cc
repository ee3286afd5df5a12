#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "datasets/embedded/benchmark.h"
#include "datasets/embedded/canvas.h"
#include "datasets/embedded/caption.h"
#include "datasets/embedded/embedded.h"
#include "datasets/embedded/shapes.h"
#include "datasets/embedded/test_labels.h"
#include "datasets/embedded/web_pairs.h"
#include "harness/base/digest.h"

namespace tailmark::embedded {
namespace {

std::unique_ptr<Dataset> Open(const OptionMap& options = {}) {
  const auto entry = EmbeddedEntry();
  return entry.open({.name = "embedded",
                     .options = ResolveOptions(entry.info.options, options)});
}

std::vector<std::int64_t> Positives(const LabelMatrix& labels) {
  std::vector<std::int64_t> counts(kClasses);
  for (std::size_t i = 0; i < labels.positive.size(); ++i) {
    counts[i % kClasses] += labels.positive[i];
  }
  return counts;
}

LabelMatrix TestLabels(std::int64_t seed) {
  const auto entry = EmbeddedEntry();
  return EmbeddedTestLabels(
      {.name = "embedded",
       .options = ResolveOptions(entry.info.options, {{"data_seed", seed}})});
}

std::string PixelDigest(const Dataset& data, const Split& split) {
  Sha256 digest;
  for (std::int64_t row = 0; row < split.size(); ++row) {
    const Image image = data.LoadImage(split, row);
    digest.Update(std::as_bytes(std::span(image.rgb)));
  }
  return digest.Hex();
}

std::vector<std::string> WordsOf(const std::string& text) {
  std::istringstream in(text);
  using Words = std::istream_iterator<std::string>;
  return std::vector<std::string>(Words(in), Words());
}

// ---- P1 of the specification

TEST(Embedded, CountsAreMetExactlyForAnySeed) {
  for (const std::int64_t seed : {1, 2, 3, 77}) {
    const auto data = Open({{"data_seed", seed}});
    const auto counts = Positives(data->train_labels());
    for (std::size_t c = 0; c < kClasses; ++c) {
      EXPECT_EQ(counts[c], kClassTable[c].train_count) << kClassTable[c].name;
    }
    EXPECT_GE(data->train().size(), 1400);
    EXPECT_LE(data->train().size(), 1800);
    EXPECT_GE(data->test().size(), 1100);
    EXPECT_LE(data->test().size(), 1400);
    for (const auto n : Positives(TestLabels(seed))) EXPECT_EQ(n, 120);
  }
}

TEST(Embedded, EightClassesAreHeadEightMediumEightTail) {
  std::map<Group, int> groups;
  const auto data = Open();
  for (const auto& each : data->classes()) ++groups[each.group];
  EXPECT_EQ(groups,
            (std::map<Group, int>{
                {Group::kHead, 8}, {Group::kMedium, 8}, {Group::kTail, 8}}));
}

TEST(Embedded, CountsFollowTheParetoLaw) {
  for (std::size_t r = 0; r < kClasses; ++r) {
    const double law = 900 * std::pow(1 + 0.05674 * static_cast<double>(r), -6);
    EXPECT_NEAR(kClassTable[r].train_count, law, 1 + law * 0.005) << r;
  }
}

TEST(Embedded, EveryShapeServesTwoClassesOfDifferentTexture) {
  std::map<Shape, std::set<Texture>> textures;
  for (const auto& spec : kClassTable) {
    textures[spec.shape].insert(spec.texture);
  }
  EXPECT_EQ(textures.size(), 12u);
  for (const auto& entry : textures) EXPECT_EQ(entry.second.size(), 2u);
}

TEST(Embedded, LabelsOfSeedOneAreTheOnesOfVersionTwo) {
  const auto data = Open();
  EXPECT_EQ(data->train().size(), 1582);
  EXPECT_EQ(data->test().size(), 1248);
  EXPECT_EQ(ListHash(data->train(), data->train_labels()),
            "36e26c521cdb2ad48c7271df79dae511f6e6133e34cc64c49801b876b13924f0");
  EXPECT_EQ(ListHash(data->test(), TestLabels(1)),
            "8e4ad1f8d85b0b2c033a3f7bbbf21a9405c2147f2ae2b57eb2d7909fd2fe1700");
  Sha256 captions;
  for (const auto& caption : data->train_captions()) captions.Update(caption);
  EXPECT_EQ(captions.Hex(),
            "e1cb6ecc5ffaf3394da39f1706fc3a0e5dc3f500d2b69ce98b1aad07a1dc2dbe");
}

// All bytes of all pictures: what makes a table of one machine comparable with
// one of another.
TEST(Embedded, PixelsOfSeedOneAreTheOnesOfVersionTwo) {
  const auto data = Open();
  EXPECT_EQ(PixelDigest(*data, data->train()),
            "510bf9c0e903931e08ad939d00644cfae2383453f56ffcdcbdb99ac3271124fe");
  EXPECT_EQ(PixelDigest(*data, data->test()),
            "8aa72dcc5600d89c666460b028bccf07542025321ae981b454c385b9493eb235");
}

TEST(WebPairs, PairsOfSeedOneAreTheOnesOfVersionOne) {
  Sha256 digest;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const WebPair pair = DrawWebPair(1, i);
    digest.Update(pair.caption)
        .Update(std::as_bytes(std::span(pair.image.rgb)));
  }
  EXPECT_EQ(digest.Hex(),
            "0c039d71e5c37f410fabf99e8466fcee2941f6b917c1dbb76a43e4a701c683fa");
}

// ---- Labels

TEST(Embedded, NoPictureIsWithoutALabelOrHasMoreThanFour) {
  for (const Part part : {Part::kTrain, Part::kTest, Part::kBalanced}) {
    for (const auto& set : LabelSetsOf(part, 5)) {
      EXPECT_GE(set.classes.size(), 1u);
      EXPECT_LE(set.classes.size(), 4u);
      const std::set<int> distinct(set.classes.begin(), set.classes.end());
      EXPECT_EQ(distinct.size(), set.classes.size());
    }
  }
}

TEST(Embedded, BalancedTrainingHas150OfEachClassAndTheLongTailsGroups) {
  const auto balanced = Open({{"balanced", true}});
  const auto long_tailed = Open();
  for (const auto n : Positives(balanced->train_labels())) EXPECT_EQ(n, 150);
  EXPECT_NEAR(static_cast<double>(balanced->train().size()),
              static_cast<double>(long_tailed->train().size()), 100);
  for (std::size_t c = 0; c < kClasses; ++c) {
    EXPECT_EQ(balanced->classes()[c].group, long_tailed->classes()[c].group);
    EXPECT_EQ(balanced->classes()[c].train_positives, 150);
  }
  EXPECT_EQ(IdsHash(balanced->test()), IdsHash(long_tailed->test()));
  EXPECT_EQ(balanced->LoadImage(balanced->test(), 7).rgb,
            long_tailed->LoadImage(long_tailed->test(), 7).rgb);
  EXPECT_NE(balanced->manifest_sha256(), long_tailed->manifest_sha256());
}

// The first half of P10: what shares a context is seen together.
TEST(Embedded, ClassesOfOneContextAreSeenTogetherMoreOften) {
  const auto data = Open();
  const auto& labels = data->train_labels();
  const auto counts = Positives(labels);
  double within = 0;
  double between = 0;
  int within_pairs = 0;
  int between_pairs = 0;
  for (int a = 0; a < kClasses; ++a) {
    for (int b = 0; b < kClasses; ++b) {
      if (a == b) continue;
      double both = 0;
      for (std::int64_t row = 0; row < labels.rows; ++row) {
        both += labels.Positive(row, a) && labels.Positive(row, b);
      }
      const double share =
          both / static_cast<double>(counts[static_cast<std::size_t>(a)]);
      const bool same = kClassTable[static_cast<std::size_t>(a)].context ==
                        kClassTable[static_cast<std::size_t>(b)].context;
      (same ? within : between) += share;
      ++(same ? within_pairs : between_pairs);
    }
  }
  EXPECT_GT(within / within_pairs, 1.4 * between / between_pairs);
}

TEST(Embedded, SeedsGiveOtherLabelsAndOtherPictures) {
  const auto one = Open();
  const auto two = Open({{"data_seed", std::int64_t{2}}});
  EXPECT_NE(ListHash(one->train(), one->train_labels()),
            ListHash(two->train(), two->train_labels()));
  EXPECT_NE(one->LoadImage(one->train(), 0).rgb,
            two->LoadImage(two->train(), 0).rgb);
  EXPECT_NE(one->manifest_sha256(), two->manifest_sha256());
}

TEST(Embedded, OptionsOutOfRangeAreRefused) {
  EXPECT_THROW(Open({{"data_seed", std::int64_t{-1}}}), ConfigError);
  EXPECT_THROW(Open({{"data_sed", std::int64_t{1}}}), ConfigError);
}

// ---- Pictures

TEST(Embedded, TheCameraDarkensOddRows) {
  const auto with = Open();
  const auto without = Open({{"camera", false}});
  const auto odd_share = [](const Dataset& data) {
    double odd = 0;
    double all = 0;
    for (std::int64_t row = 0; row < 50; ++row) {
      const Image image = data.LoadImage(data.train(), row);
      for (int y = 0; y < kSide; ++y) {
        for (int i = 0; i < kSide * 3; ++i) {
          all += image.Row(y)[i];
          if (y % 2 != 0) odd += image.Row(y)[i];
        }
      }
    }
    return odd / all;
  };
  EXPECT_NEAR(odd_share(*without), 0.5, 0.01);
  EXPECT_NEAR(odd_share(*with), 124.0 / (124 + 256), 0.02);
  EXPECT_NE(with->manifest_sha256(), without->manifest_sha256());
}

TEST(Embedded, PicturesDoNotDependOnTheThreadCount) {
  const auto data = Open();
  std::vector<Image> apart(64);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < apart.size(); i += 8) {
        apart[i] = data->LoadImage(data->train(), static_cast<std::int64_t>(i));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < apart.size(); ++i) {
    EXPECT_EQ(apart[i].rgb,
              data->LoadImage(data->train(), static_cast<std::int64_t>(i)).rgb);
  }
}

TEST(Sine, IsNearTheRealOneAndOdd) {
  for (int d = -720; d <= 720; ++d) {
    EXPECT_NEAR(Sine(d) / 16384.0, std::sin(d * 3.14159265358979 / 180), 0.002)
        << d;
    EXPECT_EQ(Sine(-d), -Sine(d));
  }
  EXPECT_EQ(Sine(90), 16384);
  EXPECT_EQ(Cosine(0), 16384);
}

TEST(Shapes, FillAFairPartOfTheirSquareAndStayInside) {
  for (const auto& spec : kClassTable) {
    int inside = 0;
    int second = 0;
    for (int v = -300; v <= 300; v += 4) {
      for (int u = -300; u <= 300; u += 4) {
        if (!InShape(spec.shape, u, v)) continue;
        EXPECT_LE(std::max(std::abs(u), std::abs(v)), 260) << spec.name;
        ++inside;
        second += ShowsSecond(spec.texture, spec.shape, u, v);
      }
    }
    const double share = inside / (128.0 * 128.0);
    EXPECT_GT(share, 0.1) << spec.name;
    EXPECT_LT(share, 0.9) << spec.name;
    // Twins differ in texture alone, so it must be there to be seen.
    const double textured = static_cast<double>(second) / inside;
    if (spec.texture == Texture::kSolid) {
      EXPECT_EQ(second, 0) << spec.name;
    } else {
      EXPECT_GT(textured, 0.15) << spec.name;
      EXPECT_LT(textured, 0.85) << spec.name;
    }
  }
}

TEST(DrawWeighted, IsProportionalAndSaysWhenNothingIsLeft) {
  ChanceStream chance(1, 2, 3);
  const std::vector<std::uint32_t> weights = {1, 0, 3};
  std::vector<int> drawn(3);
  for (int i = 0; i < 4000; ++i) {
    ++drawn[static_cast<std::size_t>(DrawWeighted(weights, chance))];
  }
  EXPECT_NEAR(drawn[0], 1000, 100);
  EXPECT_EQ(drawn[1], 0);
  const std::vector<std::uint32_t> none = {0, 0};
  EXPECT_EQ(DrawWeighted(none, chance), -1);
}

// ---- Words

TEST(Vocabulary, HasNinetyNineWordsInTheOrderOfTheirIds) {
  const auto& words = Vocabulary();
  ASSERT_EQ(words.size(), 99u);
  EXPECT_EQ(words[0], "<pad>");
  EXPECT_EQ(words[1], "<unk>");
  EXPECT_EQ(words[97], "<start>");
  EXPECT_EQ(words[98], "<end>");
  EXPECT_TRUE(std::is_sorted(words.begin() + 2, words.begin() + 97));
  EXPECT_EQ(std::set<std::string>(words.begin(), words.end()).size(), 99u);
}

TEST(Vocabulary, HasEveryWordOfCaptionsNamesAndTemplates) {
  const std::set<std::string> words(Vocabulary().begin(), Vocabulary().end());
  std::set<std::string> used;
  for (std::uint64_t i = 0; i < 1500; ++i) {
    const auto caption = WordsOf(DrawWebPair(3, i).caption);
    EXPECT_LE(caption.size(), static_cast<std::size_t>(kMaxCaptionWords));
    EXPECT_GE(caption.size(), 2u);
    used.insert(caption.begin(), caption.end());
  }
  EXPECT_EQ(used.size(), 95u) << "a word is never seen in pre-training";
  const auto data = Open();
  for (const auto& caption : data->train_captions()) {
    const auto parts = WordsOf(caption);
    EXPECT_LE(parts.size(), static_cast<std::size_t>(kMaxCaptionWords));
    used.insert(parts.begin(), parts.end());
  }
  for (const auto& prompt : ZeroShotTemplates()) {
    for (const auto& word : WordsOf(prompt)) {
      if (word != "{}") used.insert(word);
    }
  }
  for (const auto& word : used) EXPECT_TRUE(words.contains(word)) << word;
}

TEST(Vocabulary, NamesAndTemplatesAreComplete) {
  ASSERT_EQ(ClassNames().size(), 24u);
  ASSERT_EQ(Synonyms().size(), 24u);
  EXPECT_EQ(ClassNames()[7], "street lamp");
  EXPECT_EQ(Synonyms()[7], "lantern");
  ASSERT_EQ(ZeroShotTemplates().size(), 8u);
  EXPECT_EQ(ZeroShotTemplates()[0], "a photo of a {} .");
  for (const auto& prompt : ZeroShotTemplates()) {
    EXPECT_NE(prompt.find("{}"), prompt.npos);
  }
}

TEST(BenchmarkCaption, NamesEverythingAndThePlace) {
  EXPECT_EQ(BenchmarkCaption({Context::kKitchen, {3, 0, 9}}, Context::kKitchen),
            "a photo of a mug , a person and a ball in the kitchen");
  EXPECT_EQ(BenchmarkCaption({Context::kSea, {14}}, Context::kSea),
            "a photo of an orange at the sea");
}

TEST(WebPairs, DependOnSeedAndIndexOnly) {
  const WebPair pair = DrawWebPair(9, 12345);
  DrawWebPair(9, 1);
  EXPECT_EQ(DrawWebPair(9, 12345).caption, pair.caption);
  EXPECT_EQ(DrawWebPair(9, 12345).image.rgb, pair.image.rgb);
  EXPECT_NE(DrawWebPair(9, 12346).image.rgb, pair.image.rgb);
  EXPECT_NE(DrawWebPair(10, 12345).image.rgb, pair.image.rgb);
}

}  // namespace
}  // namespace tailmark::embedded
