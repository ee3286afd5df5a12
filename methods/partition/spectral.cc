#include "methods/partition/spectral.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "harness/base/error.h"
#include "harness/base/seeds.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace {

constexpr std::string_view kRules[] = {"inertia", "cut", "ch"};

/// Points [n, width] and one run of k-means over them.
struct Points {
  std::size_t count;
  std::size_t width;
  std::vector<double> values;

  const double* At(std::size_t i) const { return values.data() + i * width; }
};

double SquaredDistance(const double* a, const double* b, std::size_t width) {
  double sum = 0;
  for (std::size_t i = 0; i < width; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

struct Clustering {
  std::vector<int> parts;
  double inertia = std::numeric_limits<double>::infinity();
};

/// k-means++ (Arthur, Vassilvitskii 2007) with the best of a few candidates at
/// each step: indices of the first centres.
std::vector<double> FirstCentres(const Points& points, std::size_t k,
                                 ChanceStream& chance) {
  const auto n = points.count;
  std::vector<double> centres;
  const auto add = [&](std::size_t i) {
    centres.insert(centres.end(), points.At(i), points.At(i) + points.width);
  };
  add(chance.Below(static_cast<std::uint32_t>(n)));
  std::vector<double> nearest(n);
  for (std::size_t i = 0; i < n; ++i) {
    nearest[i] = SquaredDistance(points.At(i), centres.data(), points.width);
  }
  const int tries = 2 + static_cast<int>(std::log(static_cast<double>(k)));
  while (centres.size() < k * points.width) {
    double total = 0;
    for (const double d : nearest) total += d;
    std::vector<double> best;
    std::size_t chosen = 0;
    double lowest = std::numeric_limits<double>::infinity();
    for (int t = 0; t < tries; ++t) {
      double left = chance.Unit() * total;
      std::size_t candidate = 0;
      while (candidate + 1 < n && left >= nearest[candidate]) {
        left -= nearest[candidate++];
      }
      std::vector<double> then(n);
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) {
        then[i] = std::min(
            nearest[i],
            SquaredDistance(points.At(i), points.At(candidate), points.width));
        sum += then[i];
      }
      if (sum < lowest) {
        lowest = sum;
        best = std::move(then);
        chosen = candidate;
      }
    }
    nearest = std::move(best);
    add(chosen);
  }
  return centres;
}

/// Moves every point to its nearest centre; true when any moved.
bool Assign(const Points& points, const std::vector<double>& centres,
            Clustering& out) {
  const std::size_t k = centres.size() / points.width;
  bool moved = false;
  out.inertia = 0;
  for (std::size_t i = 0; i < points.count; ++i) {
    int best = 0;
    double lowest = std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < k; ++c) {
      const double d = SquaredDistance(
          points.At(i), centres.data() + c * points.width, points.width);
      if (d < lowest) {
        lowest = d;
        best = static_cast<int>(c);
      }
    }
    moved = moved || out.parts[i] != best;
    out.parts[i] = best;
    out.inertia += lowest;
  }
  return moved;
}

/// Centres become means; one without points takes the point farthest from its
/// own centre.
void Recentre(const Points& points, const Clustering& now,
              std::vector<double>& centres) {
  const std::size_t k = centres.size() / points.width;
  std::vector<double> size(k, 0.0);
  std::vector<double> sums(centres.size(), 0.0);
  for (std::size_t i = 0; i < points.count; ++i) {
    const auto c = static_cast<std::size_t>(now.parts[i]);
    size[c] += 1;
    for (std::size_t j = 0; j < points.width; ++j) {
      sums[c * points.width + j] += points.At(i)[j];
    }
  }
  std::size_t farthest = 0;
  double most = -1;
  for (std::size_t i = 0; i < points.count; ++i) {
    const double d = SquaredDistance(
        points.At(i),
        centres.data() + static_cast<std::size_t>(now.parts[i]) * points.width,
        points.width);
    if (d > most) {
      most = d;
      farthest = i;
    }
  }
  for (std::size_t c = 0; c < k; ++c) {
    for (std::size_t j = 0; j < points.width; ++j) {
      centres[c * points.width + j] = size[c] > 0
                                          ? sums[c * points.width + j] / size[c]
                                          : points.At(farthest)[j];
    }
  }
}

/// One start of k-means.
Clustering KMeans(const Points& points, std::size_t k, ChanceStream chance) {
  constexpr int kMaxRounds = 300;
  auto centres = FirstCentres(points, k, chance);
  Clustering now{.parts = std::vector<int>(points.count, -1)};
  for (int round = 0; round < kMaxRounds; ++round) {
    if (!Assign(points, centres, now)) break;
    Recentre(points, now, centres);
  }
  return now;
}

/// The K eigenvectors as points, row i divided by sqrt(d_i).
Points Embedding(const SquareMatrix& edges, const Eigen& eigen, std::size_t k) {
  const auto degrees = Degrees(edges);
  Points points{.count = edges.size, .width = k, .values = {}};
  for (std::size_t i = 0; i < edges.size; ++i) {
    const double scale = degrees[i] > 0 ? 1.0 / std::sqrt(degrees[i]) : 1.0;
    for (std::size_t c = 0; c < k; ++c) {
      points.values.push_back(eigen.vectors.At(i, c) * scale);
    }
  }
  return points;
}

/// The cheapest parts offered; a tie is a tie of the last bits: the first
/// stays.
struct Best {
  std::vector<int> parts;
  double cost = std::numeric_limits<double>::infinity();

  void Offer(std::vector<int> other, double its) {
    if (!parts.empty() && its >= cost - 1e-12 * std::abs(cost)) return;
    parts = std::move(other);
    cost = its;
  }
};

}  // namespace

std::string_view NameOf(KeepRule rule) {
  return kRules[static_cast<std::size_t>(rule)];
}

KeepRule KeepRuleByName(std::string_view name) {
  for (const auto rule :
       {KeepRule::kInertia, KeepRule::kCut, KeepRule::kCalinskiHarabasz}) {
    if (NameOf(rule) == name) return rule;
  }
  const std::vector<std::string> known(std::begin(kRules), std::end(kRules));
  throw ConfigError(UnknownName("rule for the best clustering", name, known));
}

std::vector<int> SpectralParts(const SquareMatrix& edges,
                               const SpectralOptions& options) {
  return SpectralParts(edges, SymmetricEigen(NormalisedLaplacian(edges)),
                       options);
}

std::vector<int> SpectralParts(const SquareMatrix& edges, const Eigen& eigen,
                               const SpectralOptions& options) {
  const std::size_t k = std::min(
      static_cast<std::size_t>(std::max(options.parts, 1)), edges.size);
  if (k <= 1) return std::vector<int>(edges.size, 0);
  const Points points = Embedding(edges, eigen, k);
  Best kept;
  for (int restart = 0; restart < options.restarts; ++restart) {
    const std::uint64_t seed = DeriveSeed(options.seed, "partition/kmeans",
                                          static_cast<std::uint64_t>(restart));
    Best run;
    for (int init = 0; init < options.inits; ++init) {
      Clustering found = KMeans(
          points, k, ChanceStream(seed, 0, static_cast<std::uint64_t>(init)));
      NumberBySize(found.parts);
      const double cost = options.keep == KeepRule::kCut
                              ? NormalisedCut(edges, found.parts)
                              : found.inertia;
      run.Offer(std::move(found.parts), cost);
    }
    const double cost = options.keep == KeepRule::kCalinskiHarabasz
                            ? -CalinskiHarabasz(edges, run.parts)
                            : run.cost;
    kept.Offer(std::move(run.parts), cost);
  }
  return kept.parts;
}

}  // namespace tailmark
