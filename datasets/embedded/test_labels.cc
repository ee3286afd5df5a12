#include "datasets/embedded/test_labels.h"

#include "datasets/embedded/benchmark.h"
#include "datasets/embedded/embedded.h"
#include "datasets/embedded/few_shot.h"
#include "datasets/episodes.h"

namespace tailmark {

LabelMatrix EmbeddedTestLabels(const DatasetSpec& spec) {
  const auto options = FromMap<embedded::Options>(spec.options);
  return embedded::ToMatrix(embedded::LabelSetsOf(
      embedded::Part::kTest, static_cast<std::uint64_t>(options.data_seed)));
}

LabelMatrix EmbeddedFewShotTestLabels(const DatasetSpec& spec) {
  const auto options = FromMap<embedded::FewShotOptions>(spec.options);
  const auto sets = embedded::LabelSetsOf(
      embedded::Part::kTest, static_cast<std::uint64_t>(options.data_seed));
  const bool only_base = options.base == "only";
  std::vector<embedded::LabelSet> query;
  for (const std::size_t row : embedded::QueryRows(sets, !only_base)) {
    query.push_back(sets[row]);
  }
  LabelMatrix labels = embedded::ToMatrix(query);
  if (!only_base) return labels;
  std::vector<std::int64_t> columns;
  for (int c = 0; c < embedded::kClasses; ++c) {
    if (!embedded::IsNovel(c)) columns.push_back(c);
  }
  return TakeColumns(labels, columns);
}

}  // namespace tailmark
