#pragma once

#include <string>

#include "datasets/lists/list_files.h"
#include "tests/datasets/folder_sample.h"

namespace tailmark {

/// As many images as COCO's train2014 has, beginning with the official ids; the
/// support images have their novel classes, and "person" every third image.
lists::LabelledImages StandInTrain2014();
/// The same as an instances_train2014.json.
std::string StandInInstances(const lists::LabelledImages& images);
/// Writes what `tailmark data fetch` makes of it.
void WriteStandInTrain2014(const TempFolder& folder);

}  // namespace tailmark
