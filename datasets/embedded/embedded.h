#pragma once

#include <cstdint>
#include <tuple>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/embedded/labels.h"

namespace tailmark::embedded {

struct Options {
  std::int64_t data_seed = 1;
  bool balanced = false;
  bool camera = true;

  static constexpr auto Fields() {
    return std::tuple{
        Field{"data_seed", &Options::data_seed,
              "names the draw of labels and pictures",
              Between(0, 9007199254740992.0)},
        Field{"balanced", &Options::balanced,
              "150 training pictures of every class instead of the long tail; "
              "the groups stay those of the long tail"},
        Field{"camera", &Options::camera,
              "pictures have the dark scan lines and the colour cast that "
              "pre-training pictures lack"}};
  }
};

/// Data set `embedded`: made 48 x 48 scenes of 24 classes, 8 of them head, 8
/// medium, 8 tail. A functional benchmark, not evidence about any paper.
DatasetRegistry::Entry EmbeddedEntry();

/// Label sets as a matrix, [sets, 24].
LabelMatrix ToMatrix(const std::vector<LabelSet>& sets);

}  // namespace tailmark::embedded
