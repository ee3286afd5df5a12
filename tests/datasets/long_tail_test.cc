#include "datasets/long_tail.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "datasets/embedded/classes.h"
#include "datasets/embedded/embedded.h"
#include "harness/base/error.h"
#include "harness/base/seeds.h"

namespace tailmark {
namespace {

using Numbers = std::vector<std::int64_t>;

LabelMatrix Many(std::int64_t rows, std::int64_t classes) {
  LabelMatrix labels{.rows = rows, .classes = classes};
  for (std::int64_t row = 0; row < rows; ++row) {
    ChanceStream chance(5, 9, static_cast<std::uint64_t>(row));
    for (std::int64_t c = 0; c < classes; ++c) {
      labels.positive.push_back(chance.Chance(6) ? 1 : 0);
    }
  }
  return labels;
}

Numbers Count(const LabelMatrix& labels, const Numbers& rows) {
  Numbers counts(static_cast<std::size_t>(labels.classes));
  for (const std::int64_t row : rows) {
    for (std::int64_t c = 0; c < labels.classes; ++c) {
      counts[static_cast<std::size_t>(c)] += labels.Positive(row, c);
    }
  }
  return counts;
}

Numbers All(std::int64_t rows) {
  Numbers all;
  for (std::int64_t row = 0; row < rows; ++row) all.push_back(row);
  return all;
}

// The counts of `embedded` were made by this very law.
TEST(LongTailTargets, AreTheLawOfTheEmbeddedData) {
  const Numbers plenty(embedded::kClasses, 2000);
  const auto targets =
      LongTailTargets(plenty, {.most = 900, .least = 6, .power = 6});
  for (std::size_t c = 0; c < plenty.size(); ++c) {
    const double listed = embedded::kClassTable[c].train_count;
    EXPECT_NEAR(static_cast<double>(targets[c]), listed, 1 + listed * 0.006);
  }
  EXPECT_EQ(targets.front(), 900);
  EXPECT_EQ(targets.back(), 6);
}

TEST(LongTailTargets, FollowFrequencyAndNeverAskForMoreThanThereIs) {
  const auto targets =
      LongTailTargets({10, 400, 3, 90}, {.most = 0, .least = 5, .power = 2});
  EXPECT_EQ(targets[1], 400);
  EXPECT_EQ(targets[2], 3);
  EXPECT_GT(targets[1], targets[3]);
  EXPECT_GT(targets[3], targets[0]);
}

TEST(LongTailTargets, ARuleThatCannotBeIsRefused) {
  EXPECT_THROW(LongTailTargets({}, {}), ConfigError);
  EXPECT_THROW(LongTailTargets({0, 0}, {}), ConfigError);
  EXPECT_THROW(LongTailTargets({9}, {.most = 5, .least = 6}), ConfigError);
  EXPECT_THROW(LongTailTargets({9}, {.power = 0}), ConfigError);
  EXPECT_THROW(LongTailTargets({9}, {.power = NAN}), ConfigError);
}

TEST(DrawLongTail, GivesEveryClassItsTargetAndFewMuchMore) {
  const LabelMatrix labels = Many(8000, 12);
  const auto available = Count(labels, All(labels.rows));
  const auto targets = LongTailTargets(available, {.most = 150, .least = 5});
  const auto rows = DrawLongTail(labels, targets, 1);
  const auto counts = Count(labels, rows);
  std::int64_t surplus = 0;
  std::int64_t wanted = 0;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    EXPECT_GE(counts[c], targets[c]) << c;
    surplus += counts[c] - targets[c];
    wanted += targets[c];
  }
  EXPECT_LT(surplus, wanted / 10);
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
  EXPECT_EQ(std::adjacent_find(rows.begin(), rows.end()), rows.end());
}

TEST(DrawLongTail, DependsOnTheSeedAndOnNothingElse) {
  const LabelMatrix labels = Many(1000, 6);
  const auto targets =
      LongTailTargets(Count(labels, All(1000)), {.most = 90, .least = 4});
  EXPECT_EQ(DrawLongTail(labels, targets, 1), DrawLongTail(labels, targets, 1));
  EXPECT_NE(DrawLongTail(labels, targets, 1), DrawLongTail(labels, targets, 2));
}

// Class 1 comes with class 0 only, which has had enough by then.
TEST(DrawLongTail, AClassThatComesWithAnotherIsFilledAllTheSame) {
  const LabelMatrix labels{.rows = 4,
                           .classes = 2,
                           .positive = {1, 1, 1, 1, 1, 1, 1, 0},
                           .known = {}};
  const auto rows = DrawLongTail(labels, {1, 3}, 3);
  EXPECT_EQ(Count(labels, rows), (Numbers{3, 3}));
}

}  // namespace
}  // namespace tailmark
