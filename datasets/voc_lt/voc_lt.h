#pragma once

#include "datasets/dataset.h"

namespace tailmark::voc_lt {

/// Data set `voc-lt`: 1,142 images of VOC2012 trainval with a long tail, all of
/// VOC2007 test as test.
DatasetRegistry::Entry VocLtEntry();

}  // namespace tailmark::voc_lt
