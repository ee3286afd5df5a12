#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/lists/listed_dataset.h"

namespace tailmark::lists {

/// Where captions of training images lie, below the data set's root: one line
/// an image, in the order of the training split.
inline constexpr const char* kCaptionsFile = "captions/train.txt";

/// "a photo of a cat, a dog and a person": the classes of each row, in the
/// order of the classes. A row without a label is "a photo".
std::vector<std::string> CaptionsOfLabels(
    const LabelMatrix& labels, const std::vector<ClassInfo>& classes);

/// Reads a file of `rows` lines; no line may be empty. Throws DataError.
std::vector<std::string> ReadCaptions(const std::filesystem::path& file,
                                      std::int64_t rows);

/// Gives a data set its captions. `source`: "none"; "labels", CaptionsOfLabels;
/// "file", kCaptionsFile below `root`, which `tailmark data captions` writes.
void AddCaptions(Listed& listed, const std::string& source,
                 const std::filesystem::path& root);

}  // namespace tailmark::lists
