#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace tailmark {

/// A data set whose lists ship with Tailmark, opened for its files.
struct Fetchable {
  std::string name;
  std::filesystem::path root;
  std::unique_ptr<Dataset> dataset;
  std::vector<std::string> paths;  ///< Train, then test.
};

/// An empty `root` is the default one. Throws ConfigError for a data set that
/// there is nothing to fetch for.
Fetchable OpenFetchable(const std::string& name, const std::string& root);

}  // namespace tailmark
