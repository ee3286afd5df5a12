#pragma once

#include "datasets/dataset.h"

namespace tailmark {

struct ContactSheetOptions {
  int per_class = 3;  ///< Pictures of each class, 1..16.
  int tile = 96;      ///< Pixels a side, 32..512.
  int columns = 4;    ///< Classes side by side, 1..16.
};

/// One picture of many: for each class, under the heading of its group, the
/// first pictures of `split` that show it, the names of all their labels below.
/// `labels` are those of `split`. Throws ConfigError for options out of range
/// or a sheet that would be too large, DataError from Dataset::LoadImage.
Image ContactSheet(const Dataset& dataset, const Split& split,
                   const LabelMatrix& labels,
                   const ContactSheetOptions& options = {});

/// The picture scaled to fit a square, whole and centred, the rest grey: each
/// pixel is the mean of what it covers, or the nearest one when enlarged.
Image FitInto(const Image& image, int side);

}  // namespace tailmark
