#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "datasets/dataset.h"
#include "datasets/folder/test_labels.h"
#include "harness/base/error.h"

namespace tailmark {

/// A folder that goes away with its owner.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void Write(std::string_view file, std::string_view text) const;
  /// A 4 x 3 PNG whose pixels all have the value `shade`.
  void WritePicture(std::string_view file, int shade) const;

 private:
  std::filesystem::path path_;
};

/// Three training and two test pictures of cat, dog and owl, in `folder`.
void WriteAnimals(const TempFolder& folder);

/// The first sixteen images of each split of a data set whose lists ship with
/// Tailmark.
void WriteStandIns(const TempFolder& folder,
                   const DatasetRegistry::Entry& entry);

/// Spec of a data set of ours, options resolved.
DatasetSpec BuiltinSpec(const std::string& name, const OptionMap& options = {},
                        const std::filesystem::path& root = {});
std::unique_ptr<Dataset> OpenBuiltin(const DatasetSpec& spec);

/// Spec of data set `folder` at `root`, options resolved.
DatasetSpec FolderSpec(const std::filesystem::path& root,
                       const OptionMap& options);

std::unique_ptr<Dataset> OpenFolder(const DatasetSpec& spec);

/// A temporary root for data set `folder`.
class Folder : public ::testing::Test {
 protected:
  std::unique_ptr<Dataset> OpenWith(const OptionMap& options) const {
    return OpenFolder(FolderSpec(files_.path(), options));
  }
  LabelMatrix TestLabelsWith(const OptionMap& options) const {
    return FolderTestLabels(FolderSpec(files_.path(), options));
  }
  std::string ErrorWith(const OptionMap& options) const {
    try {
      TestLabelsWith(options);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  std::string ErrorOfCsv(std::string_view csv, OptionMap options = {}) const {
    files_.Write("bad.csv", csv);
    options.emplace("labels", std::string("bad.csv"));
    const std::string what = ErrorWith(options);
    const std::string root = files_.path().string() + "/";
    return what.starts_with(root) ? what.substr(root.size()) : what;
  }

  TempFolder files_;
};

}  // namespace tailmark
