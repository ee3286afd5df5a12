#include "methods/partition/label_graph.h"

#include <algorithm>
#include <cmath>

#include "harness/base/error.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace {

constexpr std::string_view kNames[] = {"together", "apart"};

void CountRow(std::span<const std::uint8_t> row, LabelCounts& counts) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] == 0) continue;
    ++counts.images[i];
    for (std::size_t j = 0; j < row.size(); ++j) {
      if (j != i && row[j] != 0) ++counts.together[i * row.size() + j];
    }
  }
}

// sqrt is exact to the last bit everywhere, pow is not.
double Power(double base, double exponent) {
  return exponent == 0.5 ? std::sqrt(base) : std::pow(base, exponent);
}

double Conditional(const LabelCounts& counts, std::size_t i, std::size_t j,
                   bool smooth) {
  const auto both =
      static_cast<double>(counts.together[i * counts.classes + j]);
  const auto given = static_cast<double>(counts.images[j]);
  if (smooth) return (both + 0.5) / (given + 1.0);
  return given > 0 ? both / given : 0.0;
}

}  // namespace

LabelCounts CountLabels(std::span<const std::uint8_t> labels,
                        std::size_t classes,
                        std::span<const std::size_t> picked) {
  LabelCounts counts{
      .classes = classes,
      .images = std::vector<std::int64_t>(classes, 0),
      .together = std::vector<std::int64_t>(classes * classes, 0)};
  const std::size_t rows = classes == 0 ? 0 : labels.size() / classes;
  if (picked.empty()) {
    for (std::size_t row = 0; row < rows; ++row) {
      CountRow(labels.subspan(row * classes, classes), counts);
    }
  } else {
    for (const std::size_t row : picked) {
      CountRow(labels.subspan(row * classes, classes), counts);
    }
  }
  return counts;
}

std::string_view NameOf(GraphKind kind) {
  return kNames[static_cast<std::size_t>(kind)];
}

GraphKind GraphKindByName(std::string_view name) {
  for (const auto kind : {GraphKind::kTogether, GraphKind::kApart}) {
    if (NameOf(kind) == name) return kind;
  }
  const std::vector<std::string> known(std::begin(kNames), std::end(kNames));
  throw ConfigError(UnknownName("label graph", name, known));
}

SquareMatrix LabelGraph(const LabelCounts& counts, GraphKind kind,
                        double exponent, bool smooth) {
  const bool apart = kind == GraphKind::kApart;
  SquareMatrix edges(counts.classes);
  for (std::size_t i = 0; i < counts.classes; ++i) {
    for (std::size_t j = 0; j < counts.classes; ++j) {
      if (i == j) {
        edges.At(i, j) = apart ? 1.0 : 0.0;
        continue;
      }
      const double one = Power(Conditional(counts, i, j, smooth), exponent);
      const double other = Power(Conditional(counts, j, i, smooth), exponent);
      edges.At(i, j) =
          apart ? ((1.0 - one) + (1.0 - other)) / 2.0 : (one + other) / 2.0;
    }
  }
  return edges;
}

}  // namespace tailmark
