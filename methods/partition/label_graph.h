#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tailmark {

/// A symmetric matrix of doubles, [size, size], row by row.
struct SquareMatrix {
  explicit SquareMatrix(std::size_t n = 0) : size(n), values(n * n, 0.0) {}
  double& At(std::size_t i, std::size_t j) { return values[i * size + j]; }
  double At(std::size_t i, std::size_t j) const { return values[i * size + j]; }

  std::size_t size;
  std::vector<double> values;
};

/// Which training images show what, C classes.
struct LabelCounts {
  std::size_t classes = 0;
  std::vector<std::int64_t> images;    ///< [C] n_c: images with class c.
  std::vector<std::int64_t> together;  ///< [C, C] M: with both; diagonal 0.
};

/// Counts of `labels` [rows, classes], 0 or 1, row by row. `picked`: the rows
/// to count, with repetition (a bootstrap draw); empty: each row once.
LabelCounts CountLabels(std::span<const std::uint8_t> labels,
                        std::size_t classes,
                        std::span<const std::size_t> picked = {});

/// What an edge means: seen together (co-occurrence, "CGP" of PSD,
/// "correlative" of ML-VPT) or apart (dis-occurrence, "DGP",
/// "discriminative").
enum class GraphKind : std::uint8_t { kTogether, kApart };
std::string_view NameOf(GraphKind kind);  ///< "together", "apart"
/// Throws ConfigError with the nearest name.
GraphKind GraphKindByName(std::string_view name);

/// The graph of labels of PSD (Xu et al., arXiv 2205.10986; its release,
/// partition/generate_with_adj.py):
///
///   P_ij = M_ij / n_j          columns: how often i is there when j is
///   B_ij = P_ij^exponent  (together),  1 - P_ij^exponent  (apart)
///   A = (B + B^T) / 2
///
/// The diagonal is 0 (together) or 1 (apart), as the release has it; no
/// partition looks at it. A class that no image shows has P = 0. `smooth`:
/// P_ij = (M_ij + 1/2) / (n_j + 1) off the diagonal.
SquareMatrix LabelGraph(const LabelCounts& counts, GraphKind kind,
                        double exponent, bool smooth = false);

}  // namespace tailmark
