#pragma once

#include "datasets/dataset.h"

namespace tailmark::folder {

/// Data set `folder`: images below a root, with labels from CSV or COCO-style
/// JSON. The README beside this header shows the formats.
DatasetRegistry::Entry FolderEntry();

}  // namespace tailmark::folder
