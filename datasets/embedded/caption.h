#pragma once

#include <array>
#include <string>
#include <string_view>

#include "datasets/embedded/labels.h"
#include "datasets/embedded/scene.h"

namespace tailmark::embedded {

/// Every word of a caption that names no class, colour or place.
inline constexpr std::array<std::string_view, 20> kCaptionPhrases = {
    "a photo of",
    "a picture of",
    "an image of",
    "a drawing of",
    "a blurry photo of",
    "a dark photo of",
    "a blurred photo of",
    "a dim photo of",
    "this is",
    "there is",
    "a view of",
    "a scene with",
    "a close photo of",
    "small tiny large",
    "and",
    "near",
    "beside",
    ",",
    "on a background",
    "."};

/// What somebody on the web would have written: incomplete, now and then wrong,
/// and naming what one expects to see whether it is there or not.
/// `may_say_small` marks a picture of small objects.
std::string DrawWebCaption(const Scene& scene, bool may_say_small,
                           ChanceStream& chance);

/// "a photo of a mug , a person and a ball in the kitchen": complete and
/// correct.
std::string BenchmarkCaption(const LabelSet& labels, Context shown);

}  // namespace tailmark::embedded
