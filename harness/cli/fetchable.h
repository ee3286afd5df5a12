#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/fetch/data_manifest.h"
#include "datasets/fetch/mirrors.h"
#include "harness/base/json.h"
#include "harness/cli/args.h"

namespace tailmark {

/// A data set whose lists ship with Tailmark, opened for its files.
struct Fetchable {
  std::string name;
  std::filesystem::path root;
  std::unique_ptr<Dataset> dataset;
  /// Each once: supports of few-shot episodes, train, test; then the files of
  /// annotations that VOC's archives have of them, if asked for.
  std::vector<std::string> paths;
  /// Why `paths` has no supports yet, or "".
  std::string lacking;
};

/// What the verbs about files have in common.
struct FetchableArgs {
  std::string name;
  std::string root;  ///< Empty: the default one.
  /// Options of the data set, OPTION=VALUE; with them other images are needed.
  std::vector<std::string> set;
  /// What else: "annotations", "captions".
  std::vector<std::string> with;

  void Declare(Args& args);
  void DeclareWith(Args& args);  ///< --with
};

/// The folder that `args` names. Throws ConfigError for a data set that there
/// is nothing to fetch for.
std::filesystem::path RootOf(const FetchableArgs& args);
Fetchable OpenFetchable(const FetchableArgs& args);

/// Those of the packed files of `mirrors` that `args.with` asks for. Throws
/// ConfigError for a word that means nothing for this data set.
std::vector<fetch::PackedFile> PackedOf(const FetchableArgs& args,
                                        const fetch::Mirrors& mirrors);

/// What is wrong with images: a table of at most `most` lines, 0 for all, and
/// JSON.
std::string ProblemTable(const std::vector<fetch::Problem>& problems,
                         std::size_t most);
OrderedJson ProblemsJson(const std::vector<fetch::Problem>& problems);

}  // namespace tailmark
