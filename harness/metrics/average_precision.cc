#include "harness/metrics/average_precision.h"

#include <algorithm>

#include "harness/base/error.h"

namespace tailmark {
namespace {

// A point of the precision-recall curve where recall rises, by `rise` positives
// to `tp` of them among the first `n` images. Points between have the same
// recall and less precision, so that no definition but the trapezoid sees them.
struct Point {
  std::int64_t tp;
  std::int64_t n;
  std::int64_t rise;

  double precision() const {
    return static_cast<double>(tp) / static_cast<double>(n);
  }
};
using Curve = std::vector<Point>;

Curve GroupedCurve(const Hits& hits) {
  Curve curve;
  curve.reserve(hits.groups.size());
  for (const TieGroup& g : hits.groups) {
    curve.push_back({g.positives_above + g.positives, g.images_above + g.images,
                     g.positives});
  }
  return curve;
}

// One point a positive; `place` gives the place, from 1, of a tie group's i-th
// positive within the group. `first` is the group's first index in hits.ranks.
template <class Place>
Curve OrderedCurve(const Hits& hits, Place place) {
  Curve curve;
  curve.reserve(hits.ranks.size());
  std::size_t first = 0;
  for (const TieGroup& g : hits.groups) {
    for (std::int64_t i = 1; i <= g.positives; ++i) {
      curve.push_back(
          {g.positives_above + i, g.images_above + place(g, first, i), 1});
    }
    first += static_cast<std::size_t>(g.positives);
  }
  return curve;
}

Curve CurveOf(const Hits& hits, Ties ties) {
  // Place within its group of positive number i, counted from 1.
  const auto input = [&](const TieGroup& g, std::size_t first,
                         std::int64_t i) -> std::int64_t {
    const auto rank = hits.ranks[first + static_cast<std::size_t>(i - 1)];
    return rank - g.images_above;
  };
  switch (ties) {
    case Ties::kGrouped:
      return GroupedCurve(hits);
    case Ties::kInput:
      return OrderedCurve(hits, input);
    case Ties::kReverse:
      return OrderedCurve(
          hits, [&](const TieGroup& g, std::size_t first, std::int64_t i) {
            return g.images + 1 - input(g, first, g.positives + 1 - i);
          });
    case Ties::kBest:
      return OrderedCurve(
          hits, [](const TieGroup&, std::size_t, std::int64_t i) { return i; });
    case Ties::kWorst:
      return OrderedCurve(hits,
                          [](const TieGroup& g, std::size_t, std::int64_t i) {
                            return g.images - g.positives + i;
                          });
    case Ties::kExpected:
      break;
  }
  TM_CHECK(false, "a mean over orders has no curve");
}

// Step and rank are one sum over different curves.
double MeanPrecision(const Curve& curve, std::int64_t positives) {
  double sum = 0;
  for (const Point& p : curve) {
    sum += static_cast<double>(p.rise) * static_cast<double>(p.tp) /
           static_cast<double>(p.n);
  }
  return sum / static_cast<double>(positives);
}

// In a random order of a group of t images with r positives, place j holds a
// positive with probability r/t, and then (j-1)(r-1)/(t-1) positives stand
// before it within the group.
double ExpectedRank(const Hits& hits) {
  double sum = 0;
  for (const TieGroup& g : hits.groups) {
    const std::int64_t t = g.images;
    const std::int64_t r = g.positives;
    if (t == 1) {
      sum += static_cast<double>(g.positives_above + 1) /
             static_cast<double>(g.images_above + 1);
      continue;
    }
    double group = 0;
    for (std::int64_t j = 1; j <= t; ++j) {
      // Whole numbers below 2^63, times t - 1.
      const std::int64_t found =
          (g.positives_above + 1) * (t - 1) + (j - 1) * (r - 1);
      group += static_cast<double>(found) /
               static_cast<double>((t - 1) * (g.images_above + j));
    }
    sum += static_cast<double>(r) * group / static_cast<double>(t);
  }
  return sum / static_cast<double>(hits.positives());
}

double Voc10(const Curve& curve, std::int64_t positives) {
  double sum = 0;
  double best = 0;
  for (auto p = curve.rbegin(); p != curve.rend(); ++p) {
    best = std::max(best, p->precision());
    sum += static_cast<double>(p->rise) * best;
  }
  return sum / static_cast<double>(positives);
}

// Recall >= k/10 is asked in whole numbers: 0.1 * 3 > 0.3 in binary.
double Voc07(const Curve& curve, std::int64_t positives) {
  double sum = 0;
  double best = 0;
  std::int64_t k = 10;
  for (auto p = curve.rbegin(); p != curve.rend(); ++p) {
    for (; 10 * p->tp < k * positives; --k) sum += best;
    best = std::max(best, p->precision());
  }
  for (; k >= 0; --k) sum += best;
  return sum / 11;
}

double Trapezoid(const Hits& hits) {
  double sum = 0;
  for (const TieGroup& g : hits.groups) {
    const double before = g.images_above == 0
                              ? 1.0
                              : static_cast<double>(g.positives_above) /
                                    static_cast<double>(g.images_above);
    const double after = static_cast<double>(g.positives_above + g.positives) /
                         static_cast<double>(g.images_above + g.images);
    sum += static_cast<double>(g.positives) * (before + after) / 2;
  }
  return sum / static_cast<double>(hits.positives());
}

}  // namespace

void FindHits(std::span<const std::uint32_t> rows,
              std::span<const std::uint8_t> starts,
              std::span<const std::uint8_t> positive, Hits& hits) {
  const std::size_t n = rows.size();
  hits.images = static_cast<std::int64_t>(n);
  // No branch on the label, which nothing predicts.
  hits.ranks.resize(n + 1);
  std::size_t found = 0;
  for (std::size_t i = 0; i < n; ++i) {
    hits.ranks[found] = static_cast<std::uint32_t>(i + 1);
    found += positive[rows[i]];
  }
  hits.ranks.resize(found);
  hits.groups.clear();
  for (std::size_t hit = 0; hit < found;) {
    std::size_t begin = hits.ranks[hit] - 1;
    std::size_t end = begin + 1;
    while (starts[begin] == 0) --begin;
    while (end < n && starts[end] == 0) ++end;
    std::size_t next = hit + 1;
    while (next < found && hits.ranks[next] <= end) ++next;
    hits.groups.push_back({.images_above = static_cast<std::int64_t>(begin),
                           .positives_above = static_cast<std::int64_t>(hit),
                           .images = static_cast<std::int64_t>(end - begin),
                           .positives = static_cast<std::int64_t>(next - hit)});
    hit = next;
  }
}

double AveragePrecision(ApFamily family, Ties ties, const Hits& hits) {
  TM_CHECK(hits.positives() > 0 && IsValid(family, ties));
  switch (family) {
    case ApFamily::kStep:
    case ApFamily::kBinned:
      return MeanPrecision(CurveOf(hits, ties), hits.positives());
    case ApFamily::kRank:
      if (ties == Ties::kExpected) return ExpectedRank(hits);
      return MeanPrecision(CurveOf(hits, ties), hits.positives());
    case ApFamily::kVoc10:
      return Voc10(CurveOf(hits, ties), hits.positives());
    case ApFamily::kVoc07:
      return Voc07(CurveOf(hits, ties), hits.positives());
    case ApFamily::kTrapezoid:
      return Trapezoid(hits);
  }
  TM_CHECK(false, "unknown family");
}

}  // namespace tailmark
