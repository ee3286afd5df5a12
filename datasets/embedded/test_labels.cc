#include "datasets/embedded/test_labels.h"

#include "datasets/embedded/benchmark.h"
#include "datasets/embedded/embedded.h"

namespace tailmark {

LabelMatrix EmbeddedTestLabels(const DatasetSpec& spec) {
  const auto options = FromMap<embedded::Options>(spec.options);
  return embedded::ToMatrix(embedded::LabelSetsOf(
      embedded::Part::kTest, static_cast<std::uint64_t>(options.data_seed)));
}

}  // namespace tailmark
