#pragma once

#include <cstdint>
#include <vector>

#include "datasets/embedded/labels.h"
#include "datasets/images/image.h"

namespace tailmark::embedded {

/// The benchmark's lists of pictures.
enum class Part : std::uint8_t {
  kTrain,     ///< Long-tailed: the counts of kClassTable.
  kTest,      ///< 120 positives of every class.
  kBalanced,  ///< About as many pictures as kTrain, 150 positives a class.
};

/// What each picture of a part shows. Sequential by nature (the urn), and
/// cheap: drawing is not.
std::vector<LabelSet> LabelSetsOf(Part part, std::uint64_t seed);

/// One picture, [48, 48, 3], and the context it shows, which is not always that
/// of its labels. Both depend on (part, seed, index, labels) only.
Image DrawPicture(Part part, std::uint64_t seed, std::uint64_t index,
                  const LabelSet& labels, bool camera);
Context ContextOf(Part part, std::uint64_t seed, std::uint64_t index,
                  const LabelSet& labels);

/// The same for a picture of no part, from a stream of its own.
struct PictureStream {
  std::uint64_t seed = 0;
  std::uint64_t domain = 0;
  std::uint64_t index = 0;
};
Image DrawPicture(const PictureStream& stream, const LabelSet& labels,
                  bool camera);

}  // namespace tailmark::embedded
