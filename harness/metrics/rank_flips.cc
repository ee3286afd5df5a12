#include "harness/metrics/rank_flips.h"

#include <algorithm>
#include <cmath>

#include "harness/base/error.h"
#include "harness/metrics/cells.h"

namespace tailmark {
namespace {

std::vector<double> Column(const ScoreMatrix& scores, std::size_t c) {
  std::vector<double> out(static_cast<std::size_t>(scores.rows));
  const auto width = static_cast<std::size_t>(scores.classes);
  std::visit(
      [&](auto values) {
        for (std::size_t row = 0; row < out.size(); ++row) {
          out[row] = static_cast<double>(values[row * width + c]);
        }
      },
      scores.values);
  return out;
}

// Images and positives whose score is at least that of `row`.
struct Place {
  double images = 0;
  double positives = 0;
};
Place PlaceOf(const std::vector<double>& scores,
              const std::vector<std::uint8_t>& kinds, std::size_t row) {
  Place place;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (kinds[i] == kIgnoredCell || scores[i] < scores[row]) continue;
    place.images += 1;
    place.positives += kinds[i] == kPositiveCell ? 1 : 0;
  }
  return place;
}

class ClassWalk {
 public:
  ClassWalk(std::size_t c, std::vector<double> a, std::vector<double> b,
            std::vector<std::uint8_t> kinds, std::size_t most)
      : c_(static_cast<std::int64_t>(c)),
        a_(std::move(a)),
        b_(std::move(b)),
        kinds_(std::move(kinds)),
        most_(most) {}

  ClassFlips Walk(std::vector<FlippedPair>& pairs) {
    const auto positives = static_cast<std::int64_t>(
        std::count(kinds_.begin(), kinds_.end(), kPositiveCell));
    const auto negatives = static_cast<std::int64_t>(
        std::count(kinds_.begin(), kinds_.end(), kNegativeCell));
    flips_.pairs = positives * negatives;
    for (std::size_t row = 0; row < kinds_.size(); ++row) {
      flips_.largest = std::max(flips_.largest, std::abs(b_[row] - a_[row]));
      if (kinds_[row] == kPositiveCell) {
        DoPositive(row, static_cast<double>(positives), pairs);
      }
    }
    return flips_;
  }

 private:
  void DoPositive(std::size_t row, double positives,
                  std::vector<FlippedPair>& pairs) {
    double gain = -1;
    double loss = -1;
    // What the place is worth: precision at this positive with and without the
    // other image above it.
    const auto worth = [&](const std::vector<double>& scores) {
      const Place place = PlaceOf(scores, kinds_, row);
      return place.images < 2
                 ? 0.0
                 : 100 * place.positives / (place.images * (place.images - 1)) /
                       positives;
    };
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      if (kinds_[i] != kNegativeCell) continue;
      const bool above_a = a_[row] > a_[i];
      const bool above_b = b_[row] > b_[i];
      if (above_a == above_b) continue;
      (above_b ? flips_.gained : flips_.lost) += 1;
      double& effect = above_b ? gain : loss;
      if (effect < 0) effect = worth(above_b ? a_ : b_);
      Keep(pairs, {.class_index = c_,
                   .positive_row = static_cast<std::int64_t>(row),
                   .negative_row = static_cast<std::int64_t>(i),
                   .gained = above_b,
                   .effect = effect});
    }
  }

  void Keep(std::vector<FlippedPair>& pairs, const FlippedPair& pair) const {
    const auto larger = [](const FlippedPair& x, const FlippedPair& y) {
      return x.effect > y.effect;
    };
    if (pairs.size() == most_ &&
        (most_ == 0 || pairs.back().effect >= pair.effect)) {
      return;
    }
    pairs.insert(std::upper_bound(pairs.begin(), pairs.end(), pair, larger),
                 pair);
    if (pairs.size() > most_) pairs.pop_back();
  }

  std::int64_t c_;
  std::vector<double> a_, b_;
  std::vector<std::uint8_t> kinds_;
  std::size_t most_;
  ClassFlips flips_;
};

void FinishDrift(std::vector<double>& moves, ScoreDrift& drift) {
  drift.moved = static_cast<std::int64_t>(std::count_if(
      moves.begin(), moves.end(), [](double d) { return d > 0; }));
  if (moves.empty()) return;
  const auto at = static_cast<std::size_t>(
      std::ceil(0.99 * static_cast<double>(moves.size())) - 1);
  const auto nth = moves.begin() + static_cast<std::ptrdiff_t>(at);
  std::nth_element(moves.begin(), nth, moves.end());
  drift.p99 = *nth;
  drift.largest = *std::max_element(moves.begin(), moves.end());
}

}  // namespace

ScoreDrift FindDrift(const ScoreMatrix& a, const ScoreMatrix& b,
                     const LabelSpans& labels, const LabelPolicy& policy,
                     std::size_t most) {
  if (a.rows != b.rows || a.classes != b.classes) {
    throw DataError(StrCat("scores [", a.rows, ", ", a.classes,
                           "] cannot be compared with [", b.rows, ", ",
                           b.classes, "]"));
  }
  const CellKinds kinds = KindsUnder(policy.difficult);
  const auto dropped = DroppedRows(labels, a.rows, a.classes, policy);
  const auto width = static_cast<std::size_t>(a.classes);
  ScoreDrift drift;
  std::vector<double> moves;
  for (std::size_t c = 0; c < width; ++c) {
    auto x = Column(a, c);
    auto y = Column(b, c);
    std::vector<std::uint8_t> cells(x.size());
    for (std::size_t row = 0; row < x.size(); ++row) {
      // Equal infinities have moved by nothing.
      moves.push_back(x[row] == y[row] ? 0 : std::abs(y[row] - x[row]));
      const bool out = !dropped.empty() && dropped[row] != 0;
      cells[row] = out ? static_cast<std::uint8_t>(kIgnoredCell)
                       : static_cast<std::uint8_t>(
                             kinds[CellBits(labels, row * width + c)]);
    }
    drift.classes.push_back(
        ClassWalk(c, std::move(x), std::move(y), std::move(cells), most)
            .Walk(drift.pairs));
  }
  FinishDrift(moves, drift);
  return drift;
}

}  // namespace tailmark
