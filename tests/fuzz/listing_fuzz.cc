// Label lists (CSV and COCO-style JSON), class lists and counts: any bytes give
// a list that keeps its promises or a DataError.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_set>

#include "datasets/folder/class_list.h"
#include "datasets/folder/csv.h"
#include "datasets/folder/listing.h"
#include "harness/base/error.h"

namespace tailmark::folder {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void ReadImages(std::string_view text, const ListingRules& rules) {
  try {
    const Listing listing = ReadListing(text, "list", rules);
    std::unordered_set<std::string> paths;
    for (const ListedImage& image : listing.images) {
      Require(WhatIsWrongWithPath(image.path).empty());
      Require(WhatIsWrongWithSha256(image.sha256).empty());
      Require(FindBadUtf8(image.path) == std::string_view::npos);
      Require(paths.insert(image.path).second);
      Require(rules.test_labels || image.labels.empty() ||
              image.role == SplitRole::kTrain);
    }
  } catch (const DataError&) {
  }
}

void ReadClasses(std::string_view text) {
  try {
    for (const auto& each : ParseCounts(text, "counts")) {
      Require(each.count >= 0 && WhatIsWrongWithClass(each.name).empty());
    }
  } catch (const DataError&) {
  }
  try {
    for (const auto& name : ParseClassNames(text, "classes")) {
      Require(WhatIsWrongWithClass(name).empty());
    }
  } catch (const DataError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ReadImages(text, {.delimiter = "|", .test_labels = true});
  ReadImages(text, {.delimiter = " ", .prefix = "a/"});
  ReadClasses(text);
  return 0;
}

}  // namespace tailmark::folder
