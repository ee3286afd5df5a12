#pragma once

#include <filesystem>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "datasets/dataset.h"

namespace tailmark::folder {

/// Paths are relative to the data set's root.
struct Options {
  std::string labels;
  std::string train;
  std::string test;
  std::string classes;
  std::string counts;
  std::string label_delimiter = "|";
  std::string labels_are = "names";
  std::string prefix;

  static constexpr auto Fields() {
    return std::tuple{
        Field{"labels", &Options::labels,
              "CSV (path,labels[,split][,sha256]) or COCO-style JSON with the "
              "images of all splits; without a split column all are test"},
        Field{"train", &Options::train,
              "instead of `labels`: the list of the training split"},
        Field{"test", &Options::test,
              "instead of `labels`: the list of the test split"},
        Field{"classes", &Options::classes,
              "class names, one a line, which fixes their order; else that of "
              "`counts`, of the JSON's categories, or the training labels "
              "sorted"},
        Field{"counts", &Options::counts,
              "CSV class,count of training positives, or builtin:coco-lt, "
              "builtin:voc-lt; else they are counted"},
        Field{"label_delimiter", &Options::label_delimiter,
              "what parts the labels of a CSV field"},
        Field{"labels_are", &Options::labels_are,
              "names of classes or their indices from 0",
              OneOf{"names|indices"}},
        Field{"prefix", &Options::prefix,
              "only images whose path starts like this"}};
  }
};

/// What the label files say, checked.
struct Index {
  std::vector<ClassInfo> classes;
  Split train;
  Split test;
  LabelMatrix train_labels;
  LabelMatrix test_labels;  ///< Empty unless asked for.
  std::unordered_map<std::string, std::string> sha256;  ///< By path.
  bool coco = false;  ///< Labels come from annotated objects.
};

/// Reads and joins the files that `options` names. Labels of test images are
/// dropped unread unless `test_labels`. Throws ConfigError for options that do
/// not fit each other, DataError with file, line and column for the files.
Index ReadIndex(const Options& options, const std::filesystem::path& root,
                bool test_labels);

}  // namespace tailmark::folder
