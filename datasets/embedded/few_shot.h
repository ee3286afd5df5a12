#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/embedded/labels.h"
#include "datasets/images/image.h"

namespace tailmark::embedded {

inline constexpr int kFewShotEpisodes = 10;

struct FewShotOptions {
  std::int64_t shots = 1;
  std::string base = "with";
  std::int64_t data_seed = 1;
  bool camera = true;

  static constexpr auto Fields() {
    return std::tuple{
        Field{"shots", &FewShotOptions::shots,
              "positives of each novel class in a support; the protocol's are "
              "1 and 5",
              Between(1, 20)},
        Field{"base", &FewShotOptions::base,
              "`with` a base training set, `without` one, or `only` the base "
              "classes: their training and test pictures, no episode",
              OneOf{"with|without|only"}},
        Field{"data_seed", &FewShotOptions::data_seed,
              "names the draw of labels and pictures",
              Between(0, 9007199254740992.0)},
        Field{"camera", &FewShotOptions::camera,
              "pictures have the dark scan lines and the colour cast that "
              "pre-training pictures lack"}};
  }
};

/// Data set `embedded-fewshot`: the 8 tail classes of `embedded` are novel, the
/// others base. Ten supports, each drawn for itself; query: the test pictures
/// with a novel class. Functional, not evidence: nano-CLIP has seen every
/// class's name and pictures in pre-training.
DatasetRegistry::Entry EmbeddedFewShotEntry();

bool IsNovel(int klass);  ///< Tail classes of the long-tailed split.

/// Positions in the test part that are scored, ascending: pictures with a novel
/// class, or with a base class.
std::vector<std::size_t> QueryRows(const std::vector<LabelSet>& test,
                                   bool novel);

/// What the pictures of a support show, `shots` times each novel class; now and
/// then a base class is in the picture too. Episodes count from 1.
std::vector<LabelSet> SupportSets(std::uint64_t seed, std::int64_t shots,
                                  int episode);
/// Picture `index` of a support, [48, 48, 3].
Image DrawSupportPicture(const FewShotOptions& options, int episode,
                         std::size_t index, const LabelSet& labels);

}  // namespace tailmark::embedded
