#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/dataset.h"

namespace tailmark::folder {

/// A label as it was written.
struct ListedLabel {
  std::string text;
  std::int64_t column = 0;
};

/// One image of a list.
struct ListedImage {
  std::string path;  ///< Below the data set's root, with '/'.
  SplitRole role = SplitRole::kTest;
  std::vector<ListedLabel> labels;
  std::string sha256;     ///< As the list states it; "" when it does not.
  std::int64_t line = 0;  ///< 0: the list is JSON.
};

/// The images of one file, in its order.
struct Listing {
  std::string name;  ///< What messages call the file.
  std::vector<ListedImage> images;
  /// The classes in the order that the file itself fixes; COCO-style JSON does,
  /// CSV does not.
  std::vector<std::string> categories;
};

struct ListingRules {
  std::string delimiter = "|";  ///< Between the labels of one CSV field.
  std::string prefix;           ///< Only images whose path starts like this.
  /// The split of every image. None: a column or member `split` says it,
  /// "train", "test" or "ignore", and without one it is test.
  std::optional<SplitRole> role;
  /// False: labels of test images are dropped unread.
  bool test_labels = false;
};

/// Parses COCO-style JSON when the first character is a brace, else CSV:
///   CSV   a header with `path` (or `file`), `labels`, and optionally `split`
///         and `sha256`, then one image a line;
///   JSON  {"images": [{"id", "file_name", optional "split", "sha256"}],
///          "annotations": [{"image_id", "category_id"}],
///          "categories": [{"id", "name"}]}; other members are skipped.
/// Throws DataError with NAME, line and column (JSON: the member's place) for
/// anything else, for a path that is listed twice and for one that leads out of
/// the root.
Listing ReadListing(std::string_view text, const std::string& name,
                    const ListingRules& rules);

// ---- For the two parsers ---------------------------------------------------

Listing ReadCsvListing(std::string_view text, const std::string& name,
                       const ListingRules& rules);
Listing ReadCocoListing(std::string_view text, const std::string& name,
                        const ListingRules& rules);

/// Why a path cannot be used, or "".
std::string WhatIsWrongWithPath(std::string_view path);
/// Why a stated SHA-256 cannot be one, or "".
std::string WhatIsWrongWithSha256(std::string_view sha256);
/// "train" or "test"; none for "ignore". `known` is false for other words.
struct SplitWord {
  bool known = true;
  std::optional<SplitRole> role;
};
SplitWord SplitFromWord(std::string_view word);
inline constexpr std::string_view kSplitWords = "train, test or ignore";

}  // namespace tailmark::folder
