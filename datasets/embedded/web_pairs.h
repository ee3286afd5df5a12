#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/images/image.h"

/// The pictures, captions and words that nano-CLIP is pre-trained on. They show
/// the classes of data set `embedded`, but are drawn with other knobs, from
/// another stream of chance, and carry captions instead of labels.
namespace tailmark::embedded {

/// Of the data set: raise it when any byte of any picture or label may change.
inline constexpr int kVersion = 2;
/// Of the pairs: raise it when any byte of any pair may change.
inline constexpr int kPairsVersion = 1;
/// Every picture is [48, 48, 3].
inline constexpr int kSide = 48;
/// Captions have at most this many words: 24 tokens with start and end.
inline constexpr int kMaxCaptionWords = 22;

/// A picture with the words that stood beside it.
struct WebPair {
  Image image;
  /// Lower-case words parted by single spaces; "." and "," are words.
  std::string caption;
};

/// Pair number `index` of the endless list that `seed` names. A pure function
/// of its arguments, the same on every platform; may be called from any thread.
WebPair DrawWebPair(std::uint64_t seed, std::uint64_t index);

/// The 99 words in id order: <pad>, <unk>, sorted words, <start>, <end>. The
/// end token has the largest id, as in CLIP's vocabulary.
const std::vector<std::string>& Vocabulary();

/// The 24 class names, most frequent in training first.
const std::vector<std::string>& ClassNames();
/// A second name of each class.
const std::vector<std::string>& Synonyms();
/// The 8 prompts of a zero-shot ensemble, "{}" for the class name; the first is
/// the single prompt.
const std::vector<std::string>& ZeroShotTemplates();

}  // namespace tailmark::embedded
