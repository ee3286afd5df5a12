#pragma once

#include "datasets/dataset.h"

namespace tailmark {

/// Labels of the test images, [4,952, 20]. Where every object of a class is
/// marked difficult, positive is 1 and known is 0: the definition of AP decides
/// what that counts as. In tailmark::test_labels.
LabelMatrix VocLtTestLabels(const DatasetSpec& spec);

}  // namespace tailmark
