#include <algorithm>
#include <cmath>
#include <map>

#include "methods/partition/spectral.h"

namespace tailmark {
namespace {

int NumParts(std::span<const int> parts) {
  return parts.empty() ? 0 : 1 + *std::max_element(parts.begin(), parts.end());
}

double Pairs(double n) { return n * (n - 1.0) / 2.0; }

}  // namespace

double NormalisedCut(const SquareMatrix& edges, std::span<const int> parts) {
  const auto degrees = Degrees(edges);
  double sum = 0;
  for (int part = 0; part < NumParts(parts); ++part) {
    double volume = 0;
    double leaving = 0;
    for (std::size_t i = 0; i < edges.size; ++i) {
      if (parts[i] != part) continue;
      volume += degrees[i];
      for (std::size_t j = 0; j < edges.size; ++j) {
        if (parts[j] != part) leaving += edges.At(i, j);
      }
    }
    sum += volume > 0 ? leaving / volume : 1.0;
  }
  return sum;
}

double CalinskiHarabasz(const SquareMatrix& edges, std::span<const int> parts) {
  const std::size_t n = edges.size;
  const int k = NumParts(parts);
  if (k < 2 || static_cast<std::size_t>(k) >= n) return 0.0;
  std::vector<std::vector<double>> centre(static_cast<std::size_t>(k),
                                          std::vector<double>(n, 0.0));
  std::vector<double> size(static_cast<std::size_t>(k), 0.0);
  std::vector<double> mean(n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    const auto part = static_cast<std::size_t>(parts[i]);
    size[part] += 1;
    for (std::size_t j = 0; j < n; ++j) {
      centre[part][j] += edges.At(i, j);
      mean[j] += edges.At(i, j) / static_cast<double>(n);
    }
  }
  double between = 0;
  for (std::size_t part = 0; part < centre.size(); ++part) {
    for (std::size_t j = 0; j < n; ++j) {
      centre[part][j] /= std::max(size[part], 1.0);
      const double d = centre[part][j] - mean[j];
      between += size[part] * d * d;
    }
  }
  double within = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const double d =
          edges.At(i, j) - centre[static_cast<std::size_t>(parts[i])][j];
      within += d * d;
    }
  }
  if (within == 0) return 1.0;
  return between * (static_cast<double>(n) - k) / (within * (k - 1));
}

double AdjustedRand(std::span<const int> a, std::span<const int> b) {
  std::map<std::pair<int, int>, double> both;
  std::map<int, double> left;
  std::map<int, double> right;
  for (std::size_t i = 0; i < a.size(); ++i) {
    both[{a[i], b[i]}] += 1;
    left[a[i]] += 1;
    right[b[i]] += 1;
  }
  double index = 0;
  double rows = 0;
  double columns = 0;
  for (const auto& [cell, n] : both) index += Pairs(n);
  for (const auto& [part, n] : left) rows += Pairs(n);
  for (const auto& [part, n] : right) columns += Pairs(n);
  const double all = Pairs(static_cast<double>(a.size()));
  const double expected = all > 0 ? rows * columns / all : 0.0;
  const double most = (rows + columns) / 2.0;
  return most == expected ? 1.0 : (index - expected) / (most - expected);
}

void NumberBySize(std::vector<int>& parts) {
  struct Of {
    int old;
    std::size_t size;
    std::size_t first;
  };
  std::vector<Of> found;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto it =
        std::find_if(found.begin(), found.end(),
                     [&](const Of& each) { return each.old == parts[i]; });
    if (it == found.end()) {
      found.push_back({parts[i], 1, i});
    } else {
      ++it->size;
    }
  }
  std::sort(found.begin(), found.end(), [](const Of& a, const Of& b) {
    return a.size != b.size ? a.size > b.size : a.first < b.first;
  });
  for (int& part : parts) {
    part = static_cast<int>(
        std::find_if(found.begin(), found.end(),
                     [&](const Of& each) { return each.old == part; }) -
        found.begin());
  }
}

}  // namespace tailmark
