#include "harness/metrics/sorted_class.h"

#include <algorithm>

#include "harness/metrics/cells.h"
#include "harness/metrics/ranking.h"

namespace tailmark {
namespace {

constexpr std::uint32_t kDropped = 0xFFFFFFFFU;

// Row -> its number among the images that count.
std::vector<std::uint32_t> Numbers(const std::vector<std::uint8_t>& dropped,
                                   std::int64_t rows, std::int64_t& images) {
  std::vector<std::uint32_t> numbers(static_cast<std::size_t>(rows));
  std::uint32_t next = 0;
  for (std::size_t row = 0; row < numbers.size(); ++row) {
    const bool out = !dropped.empty() && dropped[row] != 0;
    numbers[row] = out ? kDropped : next++;
  }
  images = next;
  return numbers;
}

void FindSpans(SortedClass& sorted) {
  const auto n = static_cast<std::uint32_t>(sorted.rows.size());
  for (std::uint32_t begin = 0; begin < n;) {
    std::uint32_t end = begin + 1;
    while (end < n && sorted.starts[end] == 0) ++end;
    TieSpan span{
        .begin = begin,
        .end = end,
        .first_positive = static_cast<std::uint32_t>(sorted.positives.size())};
    for (std::uint32_t i = begin; i < end; ++i) {
      if (sorted.positive[i] != 0) sorted.positives.push_back(sorted.rows[i]);
    }
    span.positives = static_cast<std::uint32_t>(sorted.positives.size()) -
                     span.first_positive;
    if (span.positives > 0) sorted.spans.push_back(span);
    begin = end;
  }
}

}  // namespace

SortedMatrix SortClasses(const ScoreMatrix& scores, const LabelSpans& labels,
                         const LabelPolicy& policy) {
  const CellKinds kinds = KindsUnder(policy.difficult);
  const auto width = static_cast<std::size_t>(scores.classes);
  SortedMatrix out;
  const auto numbers =
      Numbers(DroppedRows(labels, scores.rows, scores.classes, policy),
              scores.rows, out.images);
  out.classes.resize(width);
  ColumnRanker ranker(scores);
  Ranking ranking;
  for (std::size_t c = 0; c < width; ++c) {
    const auto column = static_cast<std::int64_t>(c);
    if (column % ColumnRanker::kBlock == 0) ranker.Load(column);
    ranker.Rank(column, ranking);
    SortedClass& sorted = out.classes[c];
    std::uint8_t start = 0;
    for (std::size_t i = 0; i < ranking.rows.size(); ++i) {
      const std::size_t row = ranking.rows[i];
      const CellKind kind = kinds[CellBits(labels, row * width + c)];
      start |= ranking.starts[i];
      if (kind == kIgnoredCell || numbers[row] == kDropped) continue;
      sorted.rows.push_back(numbers[row]);
      sorted.starts.push_back(start);
      sorted.positive.push_back(kind == kPositiveCell ? 1 : 0);
      start = 0;
    }
    FindSpans(sorted);
  }
  return out;
}

}  // namespace tailmark
