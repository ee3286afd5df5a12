#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "datasets/dataset.h"

namespace tailmark {

/// Ground truth of test splits. A library of its own (tailmark::test_labels)
/// that only `tailmark` links: tests/tree/test_labels_test.cc looks for its
/// symbols in the worker and must find none.
class TestLabelRegistry {
 public:
  using Loader = std::function<LabelMatrix(const DatasetSpec&)>;

  void Add(std::string name, Loader loader);
  /// Labels of the test split, row by row as Dataset::test() lists it. Throws
  /// ConfigError for an unknown data set, DataError for a broken file.
  LabelMatrix Load(const DatasetSpec& spec) const;

 private:
  std::map<std::string, Loader, std::less<>> loaders_;
};

/// Every built-in data set's test labels.
TestLabelRegistry BuiltinTestLabels();

}  // namespace tailmark
