#pragma once

#include <tuple>

#include "datasets/dataset.h"

namespace tailmark::voc07_fewshot {

struct Options {
  std::int64_t shots = 1;
  std::string base = "without";

  static constexpr auto Fields() {
    return std::tuple{
        Field{"shots", &Options::shots,
              "positives of each novel class in a support, 1 or 5",
              Between(1, 5)},
        Field{"base", &Options::base,
              "`with` a base training set, `without` one, or `only` the base "
              "classes: their training and test images, no episode",
              OneOf{"with|without|only"}}};
  }
};

/// Data set `voc07-fewshot`: 14 base and 6 novel classes of VOC2007, ten
/// episodes of 1 and of 5 shots.
DatasetRegistry::Entry Voc07FewShotEntry();

}  // namespace tailmark::voc07_fewshot
