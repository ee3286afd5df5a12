#include "tests/metrics/cases.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <span>
#include <utility>

#include "harness/base/error.h"

namespace tailmark::testing {
namespace {

using Points = std::vector<std::pair<double, double>>;  // recall, precision

// Every row a point, in the order given.
Points PointsInOrder(const std::vector<std::size_t>& order,
                     const std::vector<int>& positive) {
  const double all = std::accumulate(positive.begin(), positive.end(), 0);
  Points points;
  double tp = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    tp += positive[order[i]];
    points.emplace_back(tp / all, tp / static_cast<double>(i + 1));
  }
  return points;
}

// Every distinct score a point.
Points PointsGrouped(const std::vector<double>& scores,
                     const std::vector<int>& positive) {
  const double all = std::accumulate(positive.begin(), positive.end(), 0);
  const std::set<double, std::greater<>> levels(scores.begin(), scores.end());
  Points points;
  for (const double level : levels) {
    double tp = 0;
    double n = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (scores[i] < level) continue;
      n += 1;
      tp += positive[i];
    }
    points.emplace_back(tp / all, tp / n);
  }
  return points;
}

Points PointsOf(Ties ties, const std::vector<double>& scores,
                const std::vector<int>& positive) {
  if (ties == Ties::kGrouped) return PointsGrouped(scores, positive);
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0U);
  if (ties == Ties::kReverse) std::reverse(order.begin(), order.end());
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
    if (scores[a] != scores[b]) return scores[a] > scores[b];
    if (ties == Ties::kBest) return positive[a] > positive[b];
    if (ties == Ties::kWorst) return positive[a] < positive[b];
    return false;
  });
  return PointsInOrder(order, positive);
}

// torchmetrics' way: a precision and a recall at each threshold, from 0 up, and
// (recall 0) behind the last.
double BinnedAp(int bins, std::vector<double> scores,
                const std::vector<int>& positive, bool sigmoid) {
  const double all = std::accumulate(positive.begin(), positive.end(), 0);
  if (sigmoid) {
    for (double& score : scores) score = 1 / (1 + std::exp(-score));
  }
  double sum = 0;
  double last_recall = 0;
  for (int k = bins - 1; k >= 0; --k) {
    double tp = 0;
    double n = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (scores[i] < k / (bins - 1.0)) continue;
      n += 1;
      tp += positive[i];
    }
    if (n > 0) sum += (tp / all - last_recall) * tp / n;
    last_recall = tp / all;
  }
  return sum;
}

double BestFrom(const Points& points, double recall) {
  double best = 0;
  for (const auto& [r, p] : points) {
    if (r >= recall - 1e-12) best = std::max(best, p);
  }
  return best;
}

}  // namespace

ScoreMatrix Case::view() const {
  return {.values = std::span<const double>(scores),
          .rows = rows,
          .classes = classes};
}

Case OneClass(std::vector<double> scores, std::vector<std::uint8_t> positive,
              std::vector<std::uint8_t> known) {
  const auto rows = static_cast<std::int64_t>(scores.size());
  return {rows, 1, std::move(scores), std::move(positive), std::move(known)};
}

Case RandomCase(ChanceStream& chance, std::int64_t rows, std::int64_t classes,
                std::uint32_t levels, bool masked) {
  Case out{.rows = rows, .classes = classes};
  std::vector<int> percent;
  for (std::int64_t c = 0; c < classes; ++c) {
    percent.push_back(std::clamp(chance.Range(-20, 120), 0, 100));
  }
  for (std::int64_t i = 0; i < rows * classes; ++i) {
    const auto c = static_cast<std::size_t>(i % classes);
    out.scores.push_back(chance.Below(levels) / 2.0);
    out.positive.push_back(chance.Chance(percent[c]) ? 1 : 0);
    if (masked) out.known.push_back(chance.Chance(80) ? 1 : 0);
  }
  return out;
}

std::vector<Definition> Definitions(std::initializer_list<const char*> ids,
                                    const LabelPolicy& policy) {
  std::vector<Definition> out;
  for (const char* id : ids) out.push_back(ParseDefinition(id, policy));
  return out;
}

Evaluation EvaluateCase(const Case& problem,
                        const std::vector<Definition>& definitions,
                        int threads) {
  return Evaluate(problem.view(), problem.labels(), {}, definitions,
                  {.threads = threads});
}

std::optional<double> ApOf(const Case& problem, const char* id) {
  return EvaluateCase(problem, Definitions({id})).results.at(0).ap.at(0);
}

double NaiveAp(const Definition& definition, const std::vector<double>& scores,
               const std::vector<int>& positive, bool sigmoid) {
  if (definition.family == ApFamily::kBinned) {
    return BinnedAp(definition.bins, scores, positive, sigmoid);
  }
  const auto points = PointsOf(definition.ties, scores, positive);
  double sum = 0;
  double last_recall = 0;
  double last_precision = 1;
  for (const auto& [recall, precision] : points) {
    const double rise = recall - last_recall;
    switch (definition.family) {
      case ApFamily::kStep:
      case ApFamily::kRank:
        sum += rise * precision;
        break;
      case ApFamily::kVoc10:
        sum += rise * BestFrom(points, recall);
        break;
      case ApFamily::kTrapezoid:
        sum += rise * (precision + last_precision) / 2;
        break;
      case ApFamily::kVoc07:
      case ApFamily::kBinned:
        break;
    }
    last_recall = recall;
    last_precision = precision;
  }
  if (definition.family != ApFamily::kVoc07) return sum;
  for (int k = 0; k <= 10; ++k) sum += BestFrom(points, k / 10.0) / 11;
  return sum;
}

}  // namespace tailmark::testing
