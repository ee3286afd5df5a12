#include "harness/cli/data_status.h"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <vector>

#include "datasets/episodes.h"
#include "harness/base/error.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

/// Ids of all images that are read, as far as the lists are there.
std::unordered_set<std::string> ImagesOf(const Dataset& dataset) {
  std::unordered_set<std::string> ids;
  const auto add = [&](const Split& split) {
    ids.insert(split.ids.begin(), split.ids.end());
  };
  add(dataset.train());
  add(dataset.test());
  try {
    const Episodes* episodes = dataset.episodes();
    if (episodes == nullptr) return ids;
    for (const Episode& each : episodes->episodes) add(each.support);
  } catch (const DataError&) {
    // Their list is what is missing.
  }
  return ids;
}

/// Why the images of an opened data set cannot be read.
std::string WhatIsMissing(const DatasetInfo& info, const DataStatus& status,
                          const std::vector<std::string>& missing,
                          const fs::path& root) {
  // What is no image is a list, described in words.
  if (status.missing_images < std::ssize(missing)) return missing.front();
  return StrCat(status.missing_images, " of ", status.images, " images",
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
    const auto images = ImagesOf(dataset);
    status.images = std::ssize(images);
    const auto missing = dataset.MissingFiles();
    status.missing_images =
        std::count_if(missing.begin(), missing.end(),
                      [&](const auto& each) { return images.contains(each); });
    if (!missing.empty()) {
      status.missing = WhatIsMissing(info, status, missing, root);
    }
  } catch (const Error& error) {
    status.missing = error.what();
  }
  return status;
}

}  // namespace tailmark
