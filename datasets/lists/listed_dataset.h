#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/episodes.h"
#include "datasets/lists/list_files.h"

namespace tailmark::lists {

/// A data set whose lists ship with Tailmark and whose images the user has, or
/// gets with `tailmark data fetch`.
struct Listed {
  std::string name;
  std::vector<ClassInfo> classes;
  Split train;
  Split test;
  LabelMatrix train_labels;
  std::string label_policy;
  std::vector<std::string> captions;  ///< One a training image, or none.
  std::optional<Episodes> episodes;   ///< Of a few-shot protocol.
  /// A list that the user's own files must give first, and how to get it; ""
  /// when nothing is lacking. Until then there are no episodes.
  std::string lacking;
};

/// classes.txt, train.txt and test_ids.txt of a shared folder
/// ("datasets/coco_lt"); label_policy is left to the caller. Throws DataError.
Listed ReadListed(const std::string& name, const std::string& folder);

/// Opens without looking at the images, so that counts can be shown without
/// them; manifest_sha256() throws DataError saying how many are missing.
std::unique_ptr<Dataset> OpenListed(Listed listed, const DatasetSpec& spec);

/// The ids of `split` that are no files below `root`, in order.
std::vector<std::string> MissingOf(const Split& split,
                                   const std::filesystem::path& root);

}  // namespace tailmark::lists
