#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "methods/partition/label_graph.h"

namespace tailmark {

/// All eigenvalues, ascending, and their unit vectors: vectors.At(i, k) is
/// component i of the k-th. By Jacobi rotations: slow for large matrices,
/// accurate to the last bits, and the same on every machine.
struct Eigen {
  std::vector<double> values;
  SquareMatrix vectors;
};
/// REQUIRES: symmetric.
Eigen SymmetricEigen(SquareMatrix matrix);

/// I - D^-1/2 A D^-1/2 with A's diagonal left out. A node without edges has a
/// row of zeros.
SquareMatrix NormalisedLaplacian(const SquareMatrix& edges);

/// d_i = sum over j != i of A_ij.
std::vector<double> Degrees(const SquareMatrix& edges);

/// Sum over parts of (edge weight that leaves the part) / (degrees in it);
/// smaller is better. A part without edges adds 1. `parts` [n]: 0..K-1.
double NormalisedCut(const SquareMatrix& edges, std::span<const int> parts);

/// Calinski and Harabasz' score with the rows of `edges` as points, larger is
/// better; 0 with fewer than two parts.
double CalinskiHarabasz(const SquareMatrix& edges, std::span<const int> parts);

/// Hubert and Arabie's adjusted Rand index of two partitions of the same
/// things: 1 when they are equal up to names, about 0 by chance.
double AdjustedRand(std::span<const int> a, std::span<const int> b);

/// Which of several k-means runs to keep.
enum class KeepRule : std::uint8_t {
  kInertia,  ///< Lowest k-means objective.
  kCut,      ///< Lowest normalised cut, of all starts.
  /// Highest Calinski-Harabasz score of the rows of A, what PSD's release
  /// does; it favours parts of one class.
  kCalinskiHarabasz
};
std::string_view NameOf(KeepRule rule);  ///< "inertia", "cut", "ch"
/// Throws ConfigError with the nearest name.
KeepRule KeepRuleByName(std::string_view name);

struct SpectralOptions {
  int parts = 2;
  int restarts = 4;  ///< Whole clusterings to choose from.
  int inits = 20;    ///< k-means++ starts of each.
  KeepRule keep = KeepRule::kInertia;
  std::uint64_t seed = 0;
};

/// Normalised cut by spectral relaxation, as PSD's release calls it: the
/// eigenvectors of the K smallest eigenvalues of the normalised Laplacian (the
/// trivial one too), row i divided by sqrt(d_i), k-means. Parts are numbered by
/// size, largest first, then by their smallest member. [n] of 0..K-1; fewer
/// parts when there are fewer classes.
std::vector<int> SpectralParts(const SquareMatrix& edges,
                               const SpectralOptions& options);

/// The same with the eigenvectors at hand, for whoever asks many times.
std::vector<int> SpectralParts(const SquareMatrix& edges, const Eigen& eigen,
                               const SpectralOptions& options);

/// Renames parts by size, largest first, then by smallest member; names without
/// members vanish.
void NumberBySize(std::vector<int>& parts);

}  // namespace tailmark
