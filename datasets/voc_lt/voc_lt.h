#pragma once

#include <tuple>

#include "datasets/dataset.h"

namespace tailmark::voc_lt {

struct Options {
  std::string captions = "none";

  static constexpr auto Fields() {
    return std::tuple{
        Field{"captions", &Options::captions,
              "of the training images: `none`; `labels`, made from their "
              "classes; `file`, captions/train.txt below the root, which "
              "tailmark data captions writes",
              OneOf{"none|labels|file"}}};
  }
};

/// Data set `voc-lt`: 1,142 images of VOC2012 trainval with a long tail, all of
/// VOC2007 test as test.
DatasetRegistry::Entry VocLtEntry();

}  // namespace tailmark::voc_lt
