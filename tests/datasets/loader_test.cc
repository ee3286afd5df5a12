#include "datasets/loader/loader.h"
#include "datasets/loader/rand_augment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "harness/base/digest.h"
#include "harness/base/error.h"

namespace tailmark {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Rows = std::vector<std::int64_t>;

constexpr int kSide = 8;

/// Pictures that differ from row to row and from left to right; some take
/// longer, some are broken.
class FakeDataset : public Dataset {
 public:
  explicit FakeDataset(int rows) {
    train_.name = "train";
    for (int i = 0; i < rows; ++i) {
      train_.ids.push_back("pictures/" + std::to_string(i) + ".jpg");
    }
  }

  const std::vector<ClassInfo>& classes() const override { return classes_; }
  const Split& train() const override { return train_; }
  const Split& test() const override { return train_; }
  const LabelMatrix& train_labels() const override { return labels_; }
  const std::vector<std::string>& train_captions() const override {
    return train_.ids;
  }
  std::string manifest_sha256() const override { return "none"; }
  std::string label_policy() const override { return "none"; }
  Image LoadImage(const Split& split, std::int64_t row) const override {
    ++loads;
    if (slow) {
      std::this_thread::sleep_for(std::chrono::microseconds(row * 37 % 300));
    }
    if (broken.contains(row)) {
      throw DataError(split.ids[static_cast<std::size_t>(row)] +
                      ": bad JPEG: torn");
    }
    const int height = row == odd_row ? kSide + 1 : kSide;
    Image image{kSide, height, {}};
    for (int i = 0; i < kSide * height * 3; ++i) {
      image.rgb.push_back(static_cast<std::uint8_t>(row * 7 + i));
    }
    return image;
  }

  std::set<std::int64_t> broken;
  std::int64_t odd_row = -1;  ///< Has another size.
  bool slow = false;
  mutable std::atomic<int> loads{0};

 private:
  std::vector<ClassInfo> classes_;
  Split train_;
  LabelMatrix labels_;
};

LoaderOptions Options(int threads) {
  LoaderOptions options;
  options.pipeline = PipelineByName("as-is-8");
  options.seed = 5;
  options.threads = threads;
  return options;
}

/// Everything that the rest of the pass gives.
std::vector<LoadedBatch> All(Loader& loader) {
  std::vector<LoadedBatch> batches;
  LoadedBatch batch;
  while (loader.Next(batch)) batches.push_back(batch);
  return batches;
}

Rows RowsOf(const std::vector<LoadedBatch>& batches) {
  Rows rows;
  for (const LoadedBatch& batch : batches) {
    rows.insert(rows.end(), batch.rows.begin(), batch.rows.end());
  }
  return rows;
}

std::string DigestOf(const std::vector<LoadedBatch>& batches) {
  Sha256 digest;
  for (const LoadedBatch& batch : batches) {
    digest.Update(StrCat(batch.rows.size(), "\n"));
    digest.Update(std::as_bytes(std::span(batch.rows)));
    digest.Update(std::as_bytes(std::span(batch.flipped)));
    digest.Update(std::as_bytes(std::span(batch.pixels)));
    digest.Update(std::as_bytes(std::span(batch.bytes)));
  }
  return digest.Hex();
}

Rows Counting(std::int64_t count) {
  Rows rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

TEST(ShuffledOrderTest, IsAPermutationThatSeedAndEpochChange) {
  const Rows order = ShuffledOrder(100, 3, 0);
  Rows sorted = order;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, Counting(100));
  EXPECT_EQ(order, ShuffledOrder(100, 3, 0));
  EXPECT_NE(order, ShuffledOrder(100, 3, 1));
  EXPECT_NE(order, ShuffledOrder(100, 4, 0));
  EXPECT_TRUE(ShuffledOrder(0, 3, 0).empty());
}

TEST(ShuffledOrderTest, IsTheSameOnEveryMachine) {
  EXPECT_THAT(ShuffledOrder(8, 0, 0), ElementsAre(7, 4, 3, 6, 1, 0, 5, 2));
}

TEST(ShuffledOrderTest, PutsEveryThingEverywhereEquallyOften) {
  std::map<std::pair<std::size_t, std::int64_t>, int> seen;
  for (std::int64_t epoch = 0; epoch < 5000; ++epoch) {
    const Rows order = ShuffledOrder(5, 1, epoch);
    for (std::size_t i = 0; i < order.size(); ++i) ++seen[{i, order[i]}];
  }
  ASSERT_EQ(seen.size(), 25U);
  for (const auto& entry : seen) {  // 1000 expected, sd 28
    EXPECT_NEAR(entry.second, 1000, 140);
  }
}

TEST(LoaderTest, GivesEveryRowOnceInOrder) {
  const FakeDataset data(10);
  Loader loader(data, data.train(), Options(2));
  loader.Start({.batch_size = 4});
  const auto batches = All(loader);
  ASSERT_EQ(batches.size(), 3U);
  EXPECT_EQ(batches[2].rows.size(), 2U);
  EXPECT_EQ(batches[2].pixels.size(), 2U * 3 * kSide * kSide);
  EXPECT_EQ(RowsOf(batches), Counting(10));
}

TEST(LoaderTest, PixelsAreThoseOfTheirRow) {
  const FakeDataset data(6);
  Loader loader(data, data.train(), Options(2));
  loader.Start({.batch_size = 4, .shuffle = true});
  for (const LoadedBatch& batch : All(loader)) {
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      std::vector<float> expected(std::size_t{3} * kSide * kSide);
      Normalise(PipelineByName("as-is-8"),
                data.LoadImage(data.train(), batch.rows[i]), expected.data());
      const auto from = batch.pixels.begin() +
                        static_cast<std::ptrdiff_t>(i * expected.size());
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), from));
    }
  }
}

TEST(LoaderTest, ThreadsAndRoomChangeNoByte) {
  FakeDataset data(45);
  data.slow = true;
  std::set<std::string> digests;
  for (const int threads : {0, 1, 2, 8}) {
    for (const int prefetch : {1, 3}) {
      for (const std::int64_t cache : {0, 45 * 100, 1 << 20}) {
        LoaderOptions options = Options(threads);
        options.prefetch = prefetch;
        options.cache_bytes = cache;
        Loader loader(data, data.train(), options);
        std::string all;
        for (const std::int64_t epoch : {0, 1}) {
          loader.Start({.epoch = epoch,
                        .batch_size = 7,
                        .shuffle = true,
                        .augment = Augmentation::kFlip});
          all += DigestOf(All(loader));
        }
        digests.insert(all);
      }
    }
  }
  EXPECT_EQ(digests.size(), 1U);
}

TEST(LoaderTest, AFlippedPictureIsMirroredAndSaysSo) {
  const FakeDataset data(64);
  LoaderOptions options = Options(2);
  options.as_bytes = true;
  Loader loader(data, data.train(), options);
  loader.Start({.augment = Augmentation::kFlip});
  LoadedBatch batch;
  ASSERT_TRUE(loader.Next(batch));
  ASSERT_TRUE(batch.pixels.empty());
  int flipped = 0;
  for (std::size_t i = 0; i < batch.rows.size(); ++i) {
    const Image plain = data.LoadImage(data.train(), batch.rows[i]);
    flipped += batch.flipped[i];
    for (std::size_t at = 0; at < plain.rgb.size(); ++at) {
      const std::size_t c = at % 3, x = at / 3 % kSide, y = at / 3 / kSide;
      const std::size_t from = batch.flipped[i] != 0 ? kSide - 1 - x : x;
      ASSERT_EQ(batch.bytes[i * plain.rgb.size() + at],
                plain.rgb[(y * kSide + from) * 3 + c]);
    }
  }
  EXPECT_GT(flipped, 16);
  EXPECT_LT(flipped, 48);
}

TEST(LoaderTest, AugmentationHangsOnSeedEpochAndRowOnly) {
  const FakeDataset data(40);
  const auto flips = [&data](std::uint64_t seed, LoaderPass pass) {
    LoaderOptions options = Options(2);
    options.seed = seed;
    Loader loader(data, data.train(), options);
    pass.augment = Augmentation::kFlip;
    loader.Start(pass);
    std::map<std::int64_t, int> of_row;
    for (const LoadedBatch& batch : All(loader)) {
      for (std::size_t i = 0; i < batch.rows.size(); ++i) {
        of_row[batch.rows[i]] = batch.flipped[i];
      }
    }
    return of_row;
  };
  const auto plain = flips(5, {.batch_size = 40});
  EXPECT_EQ(plain, flips(5, {.batch_size = 3, .shuffle = true}));
  EXPECT_NE(plain, flips(5, {.epoch = 1, .batch_size = 40}));
  EXPECT_NE(plain, flips(6, {.batch_size = 40}));
}

TEST(LoaderTest, RandAugmentIsDrawnFromTheSamplesOwnStream) {
  const FakeDataset data(40);
  const auto pictures = [&data](std::uint64_t seed, LoaderPass pass) {
    LoaderOptions options = Options(2);
    options.seed = seed;
    Loader loader(data, data.train(), options);
    loader.Start(pass);
    std::map<std::int64_t, std::vector<float>> of_row;
    for (const LoadedBatch& batch : All(loader)) {
      const std::size_t one = batch.pixels.size() / batch.rows.size();
      for (std::size_t i = 0; i < batch.rows.size(); ++i) {
        const auto begin =
            batch.pixels.begin() + static_cast<std::ptrdiff_t>(i * one);
        of_row[batch.rows[i]].assign(begin,
                                     begin + static_cast<std::ptrdiff_t>(one));
      }
    }
    return of_row;
  };
  for (const auto augment :
       {Augmentation::kRandAugment, Augmentation::kCutoutRandAugment}) {
    const auto plain = pictures(5, {.batch_size = 40, .augment = augment});
    EXPECT_EQ(
        plain,
        pictures(5, {.batch_size = 3, .shuffle = true, .augment = augment}));
    EXPECT_NE(plain, pictures(6, {.batch_size = 40, .augment = augment}));
    EXPECT_NE(plain,
              pictures(5, {.epoch = 1, .batch_size = 40, .augment = augment}));
    EXPECT_NE(plain, pictures(5, {.batch_size = 40}));
  }
}

TEST(LoaderTest, EveryStepOfRandAugmentIsDrawnAboutAsOftenAsTheOthers) {
  std::map<std::pair<int, int>, int> drawn;
  std::map<bool, int> applied;
  std::map<bool, int> negative;
  constexpr int kDraws = 27000;
  ChanceStream chance(1, 2, 3);
  for (int i = 0; i < kDraws; ++i) {
    const AugmentStep step = DrawAugmentStep(chance);
    ++drawn[{static_cast<int>(step.op), step.level}];
    ++applied[step.applied];
    ++negative[step.negative];
  }
  EXPECT_EQ(drawn.size(), 15U * 9U);
  for (const auto& [what, times] : drawn) {
    EXPECT_NEAR(times, kDraws / 135.0, 75) << what.first << " " << what.second;
  }
  EXPECT_NEAR(applied[true], kDraws / 2.0, 500);
  EXPECT_NEAR(negative[true], kDraws / 2.0, 500);
}

TEST(LoaderTest, ALastBatchThatIsNotFullCanBeLeftOut) {
  const FakeDataset data(10);
  Loader loader(data, data.train(), Options(1));
  const LoaderPass pass{.batch_size = 4, .drop_last = true};
  EXPECT_EQ(loader.NumBatches(pass), 2);
  loader.Start(pass);
  EXPECT_EQ(RowsOf(All(loader)), Counting(8));
  EXPECT_EQ(data.loads, 8);
  loader.Start({.batch_size = 11, .drop_last = true});
  EXPECT_TRUE(All(loader).empty());
}

TEST(LoaderTest, SomeRowsMayBeChosen) {
  const FakeDataset data(10);
  LoaderOptions options = Options(2);
  options.rows = {7, 3, 3, 9};
  Loader loader(data, data.train(), options);
  EXPECT_EQ(loader.num_rows(), 4);
  loader.Start({.batch_size = 3});
  EXPECT_EQ(RowsOf(All(loader)), (Rows{7, 3, 3, 9}));
}

TEST(LoaderTest, NothingIsGivenBeforeAStartOrAfterTheEnd) {
  const FakeDataset data(3);
  Loader loader(data, data.train(), Options(1));
  LoadedBatch batch;
  EXPECT_FALSE(loader.Next(batch));
  loader.Start({});
  EXPECT_TRUE(loader.Next(batch));
  EXPECT_FALSE(loader.Next(batch));
  EXPECT_FALSE(loader.Next(batch));
}

TEST(LoaderTest, ABrokenPictureReachesTheCallerAfterWhatCameBefore) {
  FakeDataset data(40);
  data.slow = true;
  data.broken = {22, 17, 38};
  for (const int threads : {0, 1, 8}) {
    Loader loader(data, data.train(), Options(threads));
    loader.Start({.batch_size = 8});
    LoadedBatch batch;
    EXPECT_TRUE(loader.Next(batch));
    EXPECT_TRUE(loader.Next(batch));
    EXPECT_EQ(batch.rows.front(), 8);
    try {
      loader.Next(batch);
      ADD_FAILURE() << "rows 17 and 22 are broken";
    } catch (const DataError& error) {
      EXPECT_STREQ(error.what(), "pictures/17.jpg: bad JPEG: torn");
    }
    EXPECT_FALSE(loader.Next(batch));
    // And it can start again.
    loader.Start({.batch_size = 8});
    EXPECT_TRUE(loader.Next(batch));
    EXPECT_EQ(batch.rows.front(), 0);
  }
}

TEST(LoaderTest, APictureOfTheWrongSizeIsNamed) {
  FakeDataset data(4);
  data.odd_row = 2;
  Loader loader(data, data.train(), Options(2));
  loader.Start({});
  LoadedBatch batch;
  try {
    loader.Next(batch);
    FAIL() << "row 2 is 8 x 9";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("train row 2, pictures/2.jpg: "));
    EXPECT_THAT(error.what(), HasSubstr("8 x 9"));
  }
}

TEST(LoaderTest, ItCanBeDroppedAtAnyMoment) {
  FakeDataset data(60);
  data.slow = true;
  for (int round = 0; round < 30; ++round) {
    Loader loader(data, data.train(), Options(round % 4));
    loader.Start({.batch_size = 4, .shuffle = true});
    LoadedBatch batch;
    for (int i = 0; i < round % 5; ++i) ASSERT_TRUE(loader.Next(batch));
  }
}

TEST(LoaderTest, ANewPassMayBeginInTheMiddleOfOne) {
  FakeDataset data(30);
  data.slow = true;
  Loader loader(data, data.train(), Options(3));
  LoadedBatch batch;
  for (int round = 0; round < 10; ++round) {
    loader.Start({.epoch = round, .batch_size = 4 + round % 3});
    ASSERT_TRUE(loader.Next(batch));
    EXPECT_EQ(batch.rows, Counting(4 + round % 3));
  }
}

TEST(LoaderTest, OnlySoManyBatchesAreMadeAhead) {
  const FakeDataset data(100);
  LoaderOptions options = Options(4);
  options.prefetch = 2;
  Loader loader(data, data.train(), options);
  loader.Start({.batch_size = 5});
  LoadedBatch batch;
  ASSERT_TRUE(loader.Next(batch));
  for (int i = 0; i < 200 && data.loads < 15; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(data.loads, 15) << "one batch given, two ahead";
}

TEST(LoaderTest, TheMemoryOfBatchesGoesRound) {
  const FakeDataset data(64);
  LoaderOptions options = Options(2);
  options.prefetch = 2;
  Loader loader(data, data.train(), options);
  loader.Start({.batch_size = 4});
  std::set<const float*> places;
  LoadedBatch batch;
  while (loader.Next(batch)) places.insert(batch.pixels.data());
  EXPECT_LE(places.size(), 3U);
}

TEST(LoaderTest, KeptPicturesAreDecodedOnce) {
  const FakeDataset data(12);
  LoaderOptions options = Options(2);
  options.cache_bytes = 1 << 20;
  Loader loader(data, data.train(), options);
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    loader.Start({.epoch = epoch,
                  .batch_size = 5,
                  .shuffle = true,
                  .augment = Augmentation::kFlip});
    EXPECT_EQ(All(loader).size(), 3U);
  }
  EXPECT_EQ(data.loads, 12);
  EXPECT_EQ(loader.cached_pictures(), 12);
  EXPECT_EQ(loader.cached_bytes(), 12 * 3 * kSide * kSide);
}

TEST(LoaderTest, NoMoreIsKeptThanThereIsRoomFor) {
  const FakeDataset data(12);
  LoaderOptions options = Options(2);
  options.cache_bytes = 5 * 3 * kSide * kSide + 1;
  Loader loader(data, data.train(), options);
  for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
    loader.Start({.epoch = epoch});
    All(loader);
  }
  EXPECT_EQ(loader.cached_pictures(), 5);
  EXPECT_EQ(data.loads, 12 + 7);
}

TEST(AugmentationTest, AnUnknownNameIsAnsweredWithTheNearest) {
  EXPECT_EQ(AugmentationByName("none"), Augmentation::kNone);
  EXPECT_EQ(NameOf(AugmentationByName("flip")), "flip");
  try {
    AugmentationByName("flop");
    FAIL() << "there is no flop";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'flip'"));
  }
}

}  // namespace
}  // namespace tailmark
