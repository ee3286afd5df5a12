#include "harness/cli/data_status.h"

#include "harness/base/error.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

/// Why the images of an opened data set cannot be read.
std::string WhatIsMissing(const DatasetInfo& info, std::int64_t images,
                          const std::vector<std::string>& missing,
                          const fs::path& root) {
  return StrCat(missing.size(), " of ", images, " images",
                root.empty() ? "" : " below ", root.string(), ", the first is ",
                missing.front(), "; tailmark data fetch ", info.name,
                " gets them, --root ", info.name, "=FOLDER looks elsewhere");
}

}  // namespace

DataStatus StatusOf(const DatasetInfo& info, const fs::path& root,
                    DataAccess& data) {
  DataStatus status;
  try {
    const OpenedData& opened =
        data.Open({.name = info.name,
                   .options = ResolveOptions(info.options, {}),
                   .root = root});
    const Dataset& dataset = *opened.dataset;
    status.classes = static_cast<std::int64_t>(dataset.classes().size());
    status.train_images = dataset.train().size();
    status.test_images = dataset.test().size();
    const auto missing = dataset.MissingFiles();
    status.missing_images = static_cast<std::int64_t>(missing.size());
    if (!missing.empty()) {
      status.missing = WhatIsMissing(info, status.images(), missing, root);
    }
  } catch (const Error& error) {
    status.missing = error.what();
  }
  return status;
}

}  // namespace tailmark
