#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/json.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {

/// The real programs, with a folder, a store and a user's config of their own.
class PluginProgram {
 public:
  PluginProgram();

  const std::filesystem::path& folder() const { return scratch_.path(); }
  /// r.json: the prior and `methods`, on the embedded data; `more` on top.
  void WriteRecipe(const Json& methods,
                   const Json& more = Json::object()) const;
  /// Runs r.json on the first 96 images of each split; every plugin may run.
  Said RunAll(const std::vector<std::string>& more = {}) const;
  /// Runs `method` alone; its row. Fails the test when there is none.
  Json RowOf(const Json& method, const Json& more = Json::object()) const;
  /// Runs the prior and `method`; the row of the latter. Fails the test when
  /// there is none or the prior is not done.
  Json RowBesideThePrior(const Json& method) const;
  /// Makes the programs' `python3` one that has this module: that of PATH, or
  /// the one whose LibTorch this build uses. False: neither has it.
  bool UsePythonWith(const std::string& module);
  /// Runs a line in folder(), with the programs' PATH; true when it went well.
  bool Shell(const std::string& line) const;
  /// The record of the only plugin's run in the store's bundles.
  Json RecordOfPlugin() const;

 private:
  void WriteOnly(const Json& methods, const Json& more) const;
  /// Of RunAll(), or an empty array when there are not `number`.
  Json Rows(std::size_t number) const;
  ScratchFolder scratch_;

 public:
  Program program;
};

/// mAP of a row, in percent.
double TotalOf(const Json& row);

}  // namespace tailmark
