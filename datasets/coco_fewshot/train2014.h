#pragma once

#include <filesystem>

#include "datasets/lists/list_files.h"

namespace tailmark::coco_fewshot {

/// COCO's train2014 as the user's instances_train2014.json lists it: images in
/// the file's order, all 80 labels by rule `coco-objects/1`. Supports are
/// positions in it. `tailmark data fetch coco-fewshot` makes the file below the
/// data set's root.
inline constexpr const char* kTrain2014File = "lists/train2014.txt";

/// The list, checked: 82,783 images that begin as the official file does, and
/// each support image has the novel classes that were committed. Throws
/// DataError "FILE: ...".
lists::LabelledImages ReadTrain2014(const std::filesystem::path& file);

/// What the file has to say, from paths and labels; checked as above.
void WriteTrain2014(const std::filesystem::path& file,
                    const lists::LabelledImages& images);

}  // namespace tailmark::coco_fewshot
