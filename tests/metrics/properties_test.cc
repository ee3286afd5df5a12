#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "harness/metrics/invariants.h"
#include "tests/metrics/cases.h"

namespace tailmark::testing {
namespace {

std::vector<Definition> Everything(const LabelPolicy& policy) {
  std::vector<Definition> all;
  for (const DefinitionInfo& info : KnownDefinitions()) {
    all.push_back(ParseDefinition(info.name, policy));
  }
  return all;
}

// A matrix of 64 classes is 64 cases.
constexpr std::int64_t kCases = 64;
constexpr std::int64_t kRounds = 40;

// Column c of what counts under the policy.
struct Column {
  std::vector<double> scores;
  std::vector<int> positive;
};
Column ColumnOf(const Case& problem, std::int64_t c,
                const LabelPolicy& policy) {
  const auto kind = [&](std::int64_t row, std::int64_t k) {  // -1: ignored
    const auto i = static_cast<std::size_t>(row * problem.classes + k);
    const bool positive = problem.positive[i] != 0;
    if (problem.known.empty() || problem.known[i] != 0) return positive ? 1 : 0;
    if (!positive || policy.difficult == Difficult::kIgnore) return -1;
    return policy.difficult == Difficult::kPositive ? 1 : 0;
  };
  Column out;
  for (std::int64_t row = 0; row < problem.rows; ++row) {
    bool has_any = false;
    for (std::int64_t k = 0; k < problem.classes; ++k) {
      has_any = has_any || kind(row, k) == 1;
    }
    if (policy.empty == Empty::kDrop && !has_any) continue;
    if (kind(row, c) < 0) continue;
    out.scores.push_back(
        problem.scores[static_cast<std::size_t>(row * problem.classes + c)]);
    out.positive.push_back(kind(row, c));
  }
  return out;
}

TEST(Properties, EveryDefinitionIsItsFormulaUnderEveryPolicy) {
  int compared = 0;
  for (const Difficult difficult :
       {Difficult::kIgnore, Difficult::kNegative, Difficult::kPositive}) {
    for (const Empty empty : {Empty::kKeep, Empty::kDrop}) {
      const LabelPolicy policy{difficult, empty, NoPositive::kExclude};
      ChanceStream chance(11, static_cast<std::uint64_t>(difficult),
                          static_cast<std::uint64_t>(empty));
      for (int round = 0; round < 12; ++round) {
        // Few classes, so that some rows are empty.
        const Case problem =
            RandomCase(chance, chance.Range(1, 24), 4, 1U << (round % 7), true);
        const bool sigmoid =
            std::any_of(problem.scores.begin(), problem.scores.end(),
                        [](double score) { return score < 0 || score > 1; });
        for (const auto& result :
             EvaluateCase(problem, Everything(policy)).results) {
          if (result.definition.ties == Ties::kExpected) continue;
          for (std::int64_t c = 0; c < problem.classes; ++c) {
            const Column column = ColumnOf(problem, c, policy);
            const auto& got = result.ap[static_cast<std::size_t>(c)];
            const int positives = std::accumulate(column.positive.begin(),
                                                  column.positive.end(), 0);
            ASSERT_EQ(got.has_value(), positives > 0);
            const auto used = static_cast<std::int64_t>(column.scores.size());
            ASSERT_EQ(result.counts[static_cast<std::size_t>(c)],
                      (ClassCounts{positives, used - positives,
                                   result.images - used}));
            if (!got) continue;
            ASSERT_NEAR(*got,
                        NaiveAp(result.definition, column.scores,
                                column.positive, sigmoid),
                        1e-12)
                << IdOf(result.definition) << " round " << round;
            ++compared;
          }
        }
      }
    }
  }
  EXPECT_GT(compared, 1500);
}

TEST(Properties, ThousandsOfRandomCasesKeepEveryInvariant) {
  ChanceStream chance(5, 0, 0);
  for (int round = 0; round < kRounds; ++round) {
    const Case problem = RandomCase(chance, chance.Range(1, 12), kCases,
                                    1U << (round % 8), round % 2 == 1);
    const ClassGroup even{"even", {0, 2, 4, 6}};
    std::vector<std::int64_t> rest = {1, 3, 5};
    for (std::int64_t c = 7; c < kCases; ++c) rest.push_back(c);
    const std::vector<ClassGroup> groups = {even, {"rest", rest}};
    for (const char* policy : {"", "difficult=positive", "empty=drop"}) {
      const auto evaluation = Evaluate(problem.view(), problem.labels(), groups,
                                       Everything(ParseLabelPolicy(policy)));
      for (const auto& each : Violations(evaluation)) ADD_FAILURE() << each;
    }
  }
}

// Each permutation of the rows is a class of one matrix.
TEST(Properties, ExpectedIsTheMeanOverAllOrdersAndBestAndWorstAreTheirEnds) {
  ChanceStream chance(17, 0, 0);
  for (int round = 0; round < 60; ++round) {
    const int n = chance.Range(2, 6);
    std::vector<double> scores;
    std::vector<std::uint8_t> positive;
    for (int i = 0; i < n; ++i) {
      scores.push_back(chance.Below(3));
      positive.push_back(i == 0 || chance.Chance(40) ? 1 : 0);
    }
    std::vector<std::size_t> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0U);
    std::vector<std::vector<std::size_t>> orders;
    do {
      orders.push_back(order);
    } while (std::next_permutation(order.begin(), order.end()));
    Case all{.rows = n, .classes = static_cast<std::int64_t>(orders.size())};
    for (std::size_t row = 0; row < order.size(); ++row) {
      for (const auto& each : orders) {
        all.scores.push_back(scores[each[row]]);
        all.positive.push_back(positive[each[row]]);
      }
    }
    const auto rank = EvaluateCase(all, Definitions({"ap.rank"})).results[0].ap;
    double sum = 0;
    double low = 1;
    double high = 0;
    for (const auto& ap : rank) {
      sum += *ap;
      low = std::min(low, *ap);
      high = std::max(high, *ap);
    }
    const Case one = OneClass(scores, positive);
    const double mean = sum / static_cast<double>(rank.size());
    EXPECT_NEAR(*ApOf(one, "ap.rank/ties=expected"), mean, 1e-12);
    EXPECT_NEAR(*ApOf(one, "ap.rank/ties=best"), high, 1e-12);
    EXPECT_NEAR(*ApOf(one, "ap.rank/ties=worst"), low, 1e-12);
  }
}

TEST(Properties, TheOrderOfImagesChangesNoBitOfWhatDoesNotDependOnIt) {
  ChanceStream chance(23, 0, 0);
  const auto definitions = Definitions(
      {"ap.step", "ap.rank/ties=best", "ap.rank/ties=worst",
       "ap.rank/ties=expected", "ap.voc10/ties=grouped",
       "ap.voc07/ties=grouped", "ap.trapezoid", "ap.step/empty=drop"});
  for (int round = 0; round < kRounds; ++round) {
    const Case problem =
        RandomCase(chance, chance.Range(1, 40), 8, 1U << (round % 8), true);
    std::vector<std::size_t> order(static_cast<std::size_t>(problem.rows));
    std::iota(order.begin(), order.end(), 0U);
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1],
                order[chance.Below(static_cast<std::uint32_t>(i))]);
    }
    Case shuffled = problem;
    for (std::size_t row = 0; row < order.size(); ++row) {
      for (std::size_t c = 0; c < 8; ++c) {
        shuffled.scores[row * 8 + c] = problem.scores[order[row] * 8 + c];
        shuffled.positive[row * 8 + c] = problem.positive[order[row] * 8 + c];
        shuffled.known[row * 8 + c] = problem.known[order[row] * 8 + c];
      }
    }
    const auto a = EvaluateCase(problem, definitions);
    const auto b = EvaluateCase(shuffled, definitions);
    for (std::size_t d = 0; d < definitions.size(); ++d) {
      EXPECT_EQ(a.results[d].ap, b.results[d].ap) << IdOf(definitions[d]);
      EXPECT_EQ(a.results[d].counts, b.results[d].counts);
    }
  }
}

TEST(Properties, OnlyTheOrderOfScoresMatters) {
  ChanceStream chance(29, 0, 0);
  const auto all = Everything({});
  for (int round = 0; round < kRounds; ++round) {
    const Case problem =
        RandomCase(chance, chance.Range(1, 40), 8, 1U << (round % 8), true);
    Case moved = problem;
    for (double& score : moved.scores) {
      score = round % 2 == 0 ? std::exp(score / 16) - 3 : score * 1e300 - 1e290;
    }
    const auto a = EvaluateCase(problem, all);
    const auto b = EvaluateCase(moved, all);
    for (std::size_t d = 0; d < all.size(); ++d) {
      // Fixed thresholds look at the scores themselves.
      if (all[d].family == ApFamily::kBinned) continue;
      EXPECT_EQ(a.results[d].ap, b.results[d].ap) << IdOf(all[d]);
    }
  }
}

TEST(Properties, OneUntiedPositiveGivesOneOverItsRank) {
  for (int n = 1; n <= 30; ++n) {
    for (int rank = 1; rank <= n; ++rank) {
      std::vector<double> scores;
      std::vector<std::uint8_t> positive;
      for (int i = 1; i <= n; ++i) {
        scores.push_back(-i);
        positive.push_back(i == rank ? 1 : 0);
      }
      for (const char* id : {"ap.step", "ap.rank", "ap.rank/ties=expected",
                             "ap.voc10", "ap.voc07"}) {
        EXPECT_DOUBLE_EQ(*ApOf(OneClass(scores, positive), id), 1.0 / rank);
      }
    }
  }
}

TEST(Properties, TheOrderAGroupListsItsClassesInChangesNoBit) {
  ChanceStream chance(37, 0, 0);
  const Case problem = RandomCase(chance, 30, 40, 64, false);
  std::vector<std::int64_t> up(40);
  std::iota(up.begin(), up.end(), 0);
  const std::vector<std::int64_t> down(up.rbegin(), up.rend());
  const std::vector<ClassGroup> groups = {{"up", up}, {"down", down}};
  const auto evaluation =
      Evaluate(problem.view(), problem.labels(), groups, Everything({}));
  for (const auto& result : evaluation.results) {
    EXPECT_EQ(result.means[1].percent, result.total().percent);
    EXPECT_EQ(result.means[2].percent, result.total().percent);
  }
}

TEST(Properties, TheNumberOfThreadsChangesNoBit) {
  ChanceStream chance(31, 0, 0);
  const Case problem = RandomCase(chance, 300, 100, 64, true);
  const auto all = Everything({});
  const auto one = EvaluateCase(problem, all, 1);
  for (const int threads : {2, 4, 16}) {
    const auto more = EvaluateCase(problem, all, threads);
    for (std::size_t d = 0; d < all.size(); ++d) {
      EXPECT_EQ(one.results[d].ap, more.results[d].ap);
      EXPECT_EQ(one.results[d].total().percent,
                more.results[d].total().percent);
    }
    EXPECT_EQ(one.diagnostics.expected_percent,
              more.diagnostics.expected_percent);
  }
}

}  // namespace
}  // namespace tailmark::testing
