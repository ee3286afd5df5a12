#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "datasets/lists/list_files.h"
#include "datasets/lists/listed_dataset.h"

namespace tailmark::lists {

/// classes.txt and novel.txt of a shared folder: groups base and novel, no
/// counts.
std::vector<ClassInfo> ReadFewShotClasses(const std::filesystem::path& folder);

/// The path of an image of support.txt.
using SupportPath = std::function<std::string(const SupportImage&)>;

/// The supports of `shots`, in order; the caller names the protocol. Labels of
/// base classes are not known. Throws ConfigError when there are none of
/// `shots`.
Episodes MakeEpisodes(const std::filesystem::path& folder, std::int64_t shots,
                      const std::vector<ClassInfo>& classes,
                      const SupportPath& path_of);

/// Makes an ordinary data set of the base classes: drops the others and their
/// columns of the training labels, and the episodes.
void KeepBaseOnly(Listed& listed);

/// Counts positives of the training labels into the classes.
void CountTraining(Listed& listed);

}  // namespace tailmark::lists
