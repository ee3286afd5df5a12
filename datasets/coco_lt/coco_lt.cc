#include "datasets/coco_lt/coco_lt.h"

#include <unordered_set>

#include "datasets/lists/captions.h"
#include "datasets/lists/listed_dataset.h"
#include "harness/base/environment.h"

namespace tailmark::coco_lt {
namespace {

constexpr const char* kFolder = "datasets/coco_lt";

// Which test images are empty is a list of its own, since who opens a data set
// does not read test labels.
void DropEmpty(Split& test) {
  const auto listed = lists::ReadImages(SharedFile(kFolder) / "test_empty.txt");
  const std::unordered_set<std::string> empty(listed.begin(), listed.end());
  std::erase_if(test.ids, [&](const auto& id) { return empty.contains(id); });
}

std::unique_ptr<Dataset> Open(const DatasetSpec& spec) {
  const auto options = FromMap<Options>(spec.options);
  lists::Listed listed = lists::ReadListed("coco-lt", kFolder);
  if (options.empty == "drop") DropEmpty(listed.test);
  lists::AddCaptions(listed, options.captions, spec.root);
  listed.label_policy = "difficult=positive,empty=" + options.empty;
  return lists::OpenListed(std::move(listed), spec);
}

}  // namespace

DatasetRegistry::Entry CocoLtEntry() {
  return {.info = {.name = "coco-lt",
                   .version = 1,
                   .summary = "COCO-LT: 1,909 long-tailed training images of "
                              "COCO 2017, 5,000 test images, 80 classes",
                   .needs_root = true,
                   .fetchable = true,
                   .options = DescribeOptions<Options>()},
          .open = Open};
}

}  // namespace tailmark::coco_lt
