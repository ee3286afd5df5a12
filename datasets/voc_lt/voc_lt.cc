#include "datasets/voc_lt/voc_lt.h"

#include "datasets/lists/captions.h"
#include "datasets/lists/listed_dataset.h"

namespace tailmark::voc_lt {
namespace {

std::unique_ptr<Dataset> Open(const DatasetSpec& spec) {
  lists::Listed listed = lists::ReadListed("voc-lt", "datasets/voc_lt");
  lists::AddCaptions(listed, FromMap<Options>(spec.options).captions,
                     spec.root);
  listed.label_policy = "difficult=positive,empty=keep";
  return lists::OpenListed(std::move(listed), spec);
}

}  // namespace

DatasetRegistry::Entry VocLtEntry() {
  return {.info = {.name = "voc-lt",
                   .version = 1,
                   .summary = "VOC-LT: 1,142 long-tailed training images of "
                              "VOC2012, 4,952 test images of VOC2007, 20 "
                              "classes",
                   .needs_root = true,
                   .fetchable = true,
                   .options = DescribeOptions<Options>()},
          .open = Open};
}

}  // namespace tailmark::voc_lt
