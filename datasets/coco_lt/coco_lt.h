#pragma once

#include <tuple>

#include "datasets/dataset.h"

namespace tailmark::coco_lt {

struct Options {
  std::string empty = "keep";
  std::string captions = "none";

  static constexpr auto Fields() {
    return std::tuple{
        Field{"empty", &Options::empty,
              "the 48 test images without a label: `keep` tests 5,000 images, "
              "`drop` 4,952, as LMPT's zero-shot script does",
              OneOf{"keep|drop"}},
        Field{"captions", &Options::captions,
              "of the training images: `none`; `labels`, made from their "
              "classes; `file`, captions/train.txt below the root, which "
              "tailmark data captions writes",
              OneOf{"none|labels|file"}}};
  }
};

/// Data set `coco-lt`: 1,909 images of COCO's train2017 with a long tail, all
/// of val2017 as test.
DatasetRegistry::Entry CocoLtEntry();

}  // namespace tailmark::coco_lt
