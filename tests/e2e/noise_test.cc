// How far repeats of one run are apart, and that the store keeps it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "harness/cli/noise.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {

std::vector<Repeat> Repeats() {
  return {{.scores = {1, 2, 3, 4}, .map = {{"total", 50}}, .seconds = 2},
          {.scores = {1, 2, 3, 5}, .map = {{"total", 50.3}}, .seconds = 3},
          {.scores = {1, 2, 3, 4}, .map = {{"total", 50}}, .seconds = 4}};
}

TEST(Noise, EachTierSaysItsSpreadAndItsLargestDifference) {
  const auto rows = SpreadOf(Repeats(), "here", "recipe");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].tier, 1);
  EXPECT_DOUBLE_EQ(rows[0].largest, 0.25);
  EXPECT_EQ(rows[1].tier, 2);
  EXPECT_EQ(rows[1].group, "total");
  EXPECT_NEAR(rows[1].largest, 0.3, 1e-12);
  EXPECT_NEAR(rows[1].sd, 0.3 / std::sqrt(3.0), 1e-12);
  EXPECT_EQ(rows[2].tier, 5);
  EXPECT_DOUBLE_EQ(rows[2].sd, 1);
  for (const NoiseRow& row : rows) EXPECT_EQ(row.repeats, 3);
}

TEST(Noise, EqualRepeatsHaveNone) {
  const std::vector<Repeat> equal(2, Repeats().front());
  for (const NoiseRow& row : SpreadOf(equal, "here", "recipe")) {
    EXPECT_EQ(row.sd, 0) << row.tier;
    EXPECT_EQ(row.largest, 0) << row.tier;
  }
}

#ifdef TM_HAS_ENGINE
TEST(Noise, DoctorRepeatsARunAndKeepsTheSpread) {
  const ScratchFolder scratch;
  const Program tailmark(scratch.path());
  const Said said = tailmark({"doctor", "--noise", "--repeats", "2", "--only",
                              "method=label_prior", "--json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const Json rows = said.json();
  EXPECT_EQ(rows[0]["tier"], 1);
  EXPECT_EQ(rows[0]["largest"], 0);
  const Said kept = tailmark(
      {"db", "query", "SELECT tier, grp, repeats FROM noise", "--json"});
  EXPECT_EQ(kept.json().size(), rows.size());
  EXPECT_EQ(tailmark({"doctor", "--noise", "--repeats", "1"}).code, 2);
  EXPECT_EQ(tailmark({"doctor", "--noise", "--only", "dataset=embedded"}).code,
            2)
      << "several runs";
}
#endif

}  // namespace
}  // namespace tailmark
