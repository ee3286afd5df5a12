#pragma once

#include <tuple>

#include "datasets/dataset.h"

namespace tailmark::coco_fewshot {

struct Options {
  std::int64_t shots = 1;
  std::string query = "plain";
  std::string base = "without";

  static constexpr auto Fields() {
    return std::tuple{
        Field{"shots", &Options::shots,
              "least positives of each novel class in a support, 1 or 5",
              Between(1, 5)},
        Field{"query", &Options::query,
              "`plain`: each of the 15,927 images of val2014 with a novel "
              "class once; `laso`: 40,504 class-balanced draws of them, as "
              "LaSO's sampler makes. Not comparable",
              OneOf{"plain|laso"}},
        Field{"base", &Options::base,
              "`with` a base training set, `without` one, or `only` the base "
              "classes: their training and test images, no episode",
              OneOf{"with|without|only"}}};
  }
};

/// Data set `coco-fewshot`: LaSO's protocol over COCO 2014, 64 base and 16
/// novel classes, ten episodes of 1 and of 5 shots.
DatasetRegistry::Entry CocoFewShotEntry();

}  // namespace tailmark::coco_fewshot
