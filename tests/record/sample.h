#pragma once

#include <filesystem>
#include <string>

#include "harness/record/bundle.h"

namespace tailmark {

/// A folder below the test's own temporary folder, empty, removed at the end.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::filesystem::path& in = {});
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A spec with every member different from its default.
RunSpec SampleSpec();
/// Writes run.json, ids.txt and scores [2, 3] for SampleSpec() into `folder`
/// and seals it; the record that was written.
RunRecord WriteSampleBundle(const std::filesystem::path& folder);

}  // namespace tailmark
