#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "datasets/dataset.h"

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

/// Spec of data set `folder` at `root`, options resolved.
DatasetSpec FolderSpec(const std::filesystem::path& root,
                       const OptionMap& options);

}  // namespace tailmark
