#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace tailmark::lists {

/// The committed lists of published splits; the README beside this header has
/// their formats. All functions throw DataError "FILE:LINE: ...".

/// A line of classes.txt.
struct PublishedClass {
  std::string name;
  std::int64_t train_positives = 0;
  std::int64_t test_positives = 0;
  std::int64_t category = 0;  ///< COCO's id; 0: none.
};
std::vector<PublishedClass> ReadClasses(const std::filesystem::path& file);

/// Images with their labels: train.txt.
struct LabelledImages {
  std::vector<std::string> paths;  ///< Below the data set's root.
  LabelMatrix labels;
};
LabelledImages ReadLabelledImages(const std::filesystem::path& file,
                                  std::size_t classes);

/// Paths of a file that has one image a line: test_ids.txt, test_empty.txt.
std::vector<std::string> ReadImages(const std::filesystem::path& file);

/// [rows, classes] of a file that has the class indices of one image a line:
/// test_labels.txt, test_difficult.txt.
LabelMatrix ReadLabelRows(const std::filesystem::path& file, std::size_t rows,
                          std::size_t classes);

/// A line of support.txt: an image of a support and its novel classes.
struct SupportImage {
  std::int64_t shots = 1;
  int episode = 1;
  std::string image;  ///< Below the root; COCO: a position in a file.
  std::vector<std::int64_t> classes;
};
std::vector<SupportImage> ReadSupports(const std::filesystem::path& file,
                                       std::size_t classes);

/// Whole numbers below `limit`, apart by blanks or ends of lines: novel.txt,
/// query_laso.txt.
std::vector<std::int64_t> ReadNumbers(const std::filesystem::path& file,
                                      std::size_t limit);

}  // namespace tailmark::lists
