#pragma once

#include <string>

#include "harness/base/json.h"

namespace tailmark {

/// What this program was built from, baked in by ci/cmake/BuildInfo.cmake.
struct BuildInfo {
  std::string version;  ///< Of the project.
  /// SHA-256 over the sources that can move a score (harness/base, harness/api,
  /// harness/run, datasets, methods): the `build` of every key. Works without
  /// .git, and does not change with comments in the rest of the tree.
  std::string digest;
  std::string git_sha;  ///< "" outside a checkout.
  std::string branch;
  bool dirty = false;  ///< Those sources differ from the commit.
  /// Of `git diff HEAD` over those sources, "" when clean. The diff itself lies
  /// in share/tailmark/build.diff.
  std::string diff_sha256;
  std::string compiler;
  std::string flags;
  std::string build_type;
  std::string torch_version;  ///< LibTorch of the build; "" without the engine.
};

/// Link tailmark::build_info for it.
const BuildInfo& ThisBuild();

Json ToJson(const BuildInfo& info);
BuildInfo BuildInfoFromJson(const Json& json);

}  // namespace tailmark
