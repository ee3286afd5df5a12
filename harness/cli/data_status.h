#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "harness/cli/data_access.h"

namespace tailmark {

/// Whether a data set can be used here, with its default options.
struct DataStatus {
  std::int64_t classes = 0;  ///< 0: it could not be opened.
  std::int64_t train_images = 0;
  std::int64_t test_images = 0;
  std::int64_t images = 0;  ///< Those of all splits and episodes, each once.
  std::int64_t missing_images = 0;
  std::string missing;  ///< What to do about it; "" when it is ready.
};

/// Opens it, which reads lists but no image. `root` as in DatasetSpec.
DataStatus StatusOf(const DatasetInfo& info, const std::filesystem::path& root,
                    DataAccess& data);

}  // namespace tailmark
