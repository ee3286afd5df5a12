#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/cli/data_access.h"
#include "harness/launch/plan.h"
#include "harness/record/catalog.h"
#include "harness/record/recipe.h"

namespace tailmark {

/// Scores that somebody else made, as a row of a recipe: "scores:FILE.npy" with
/// what says what it is beside it, FILE.json or meta.json:
///
///   {"schema": "tailmark-scores/1", "name": "their-model", "version": 1,
///    "summary": "...", "classes": ["person", ...], "ids": "ids.txt",
///    "scale": "logit", "pipeline": "foreign"}
///
/// [N, C] float16, float32 or float64; `ids` has one image a line, in the order
/// of the rows (FILE.ids.txt or ids.txt when left out); `classes` names the
/// columns. `pipeline` "harness" says that the images were decoded and resized
/// as here; all else is branded.
struct ScoreFileInfo {
  std::filesystem::path scores;
  std::filesystem::path meta;
  std::filesystem::path ids;
  std::string name;
  int version = 1;
  std::string summary;
  std::vector<std::string> classes;
  std::string scale = "unknown";
  std::string pipeline = "foreign";
  std::string sha256;  ///< Of all three files.
};
/// Throws DataError naming file and member.
ScoreFileInfo ReadScoreFile(const std::filesystem::path& scores);

/// One image a row. Throws DataError.
std::vector<std::string> ReadScoreIds(const ScoreFileInfo& info);

/// Whether a run is one of those: its plugin is such a file.
bool IsScoreFile(const std::filesystem::path& plugin);

/// Turns the `scores:` rows of a recipe into methods of `catalog`, one for each
/// file that the reference means ("*.npy" may be many). No code runs, so nobody
/// is asked. Throws ConfigError when there is no such file, or a name is taken.
void AddScoreRows(Recipe& recipe, Catalog& catalog);
/// Whether the recipe holds nothing else, so that it needs no engine.
bool OnlyScoreRows(const Recipe& recipe);

/// Writes the sealed bundle of such a task where a worker would have left it.
/// Rows are matched by id and columns by class name, never by position. Throws
/// DataError when an image or a class of the test split is absent or named
/// twice, or a row or column is none of it.
void MakeScoreBundle(const PlanTask& task, DataAccess& data,
                     const std::filesystem::path& bundles);

}  // namespace tailmark
