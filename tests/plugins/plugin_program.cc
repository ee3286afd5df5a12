#include "tests/plugins/plugin_program.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark {
namespace fs = std::filesystem;

// Not among temporary files: those may be in /dev/shm, where a plugin in a
// sandbox may write.
PluginProgram::PluginProgram()
    : scratch_(TM_BIN_DIR "/../scratch"), program(scratch_.path()) {
  program.ShareFeatures();
  program.environment["XDG_CONFIG_HOME"] = (folder() / "xdg").string();
}

void PluginProgram::WriteRecipe(const Json& methods, const Json& more) const {
  Json all = {"label_prior"};
  for (const Json& each : methods) all.push_back(each);
  WriteOnly(all, more);
}

void PluginProgram::WriteOnly(const Json& methods, const Json& more) const {
  Json recipe = {{"schema", "tailmark-campaign/1"}, {"campaign", "plugin"},
                 {"datasets", {"embedded"}},        {"weights", "nano-clip"},
                 {"pipeline", "as-is-48"},          {"methods", methods}};
  recipe.update(more);
  WriteFileAtomic(folder() / "r.json", recipe.dump(1));
}

Said PluginProgram::RunAll(const std::vector<std::string>& more) const {
  std::vector<std::string> words = {"run",    "r.json",         "--limit", "96",
                                    "--json", "--allow-plugin", "/"};
  words.insert(words.end(), more.begin(), more.end());
  return program(words);
}

Json PluginProgram::RowOf(const Json& method, const Json& more) const {
  WriteOnly(Json::array({method}), more);
  const Json rows = Rows(1);
  return rows.empty() ? Json::object() : rows[0];
}

Json PluginProgram::RowBesideThePrior(const Json& method) const {
  WriteRecipe(Json::array({method}));
  const Json rows = Rows(2);
  if (rows.empty()) return Json::object();
  EXPECT_EQ(rows[0]["state"], "done") << rows[0];
  return rows[1];
}

Json PluginProgram::Rows(std::size_t number) const {
  const Said said = RunAll();
  const Json answer = said.json();
  const Json runs = answer.is_object() ? answer.value("runs", Json()) : Json();
  EXPECT_EQ(runs.size(), number) << said.err;
  return runs.size() == number ? runs : Json::array();
}

bool PluginProgram::Shell(const std::string& line) const {
  const auto path = program.environment.find("PATH");
  const std::string first =
      path == program.environment.end() ? "" : "PATH='" + path->second + "'; ";
  return std::system(StrCat(first, "cd '", folder().string(), "' && { ", line,
                            "; } >/dev/null 2>&1")
                         .c_str()) == 0;
}

bool PluginProgram::UsePythonWith(const std::string& module) {
  const std::string path = GetEnv("PATH").value_or("");
  std::vector<std::string> places = {path};
  if (const std::string beside = TM_TORCH_PYTHON; !beside.empty()) {
    places.push_back(StrCat(beside, ":", path));
  }
  for (const std::string& place : places) {
    program.environment["PATH"] = place;
    // Not loaded: torch takes seconds.
    if (Shell(StrCat("python3 -c 'import importlib.util as of, sys; "
                     "sys.exit(of.find_spec(\"",
                     module, "\") is None)'"))) {
      return true;
    }
  }
  return false;
}

Json PluginProgram::RecordOfPlugin() const {
  for (const auto& entry :
       fs::recursive_directory_iterator(program.store() / "bundles")) {
    if (entry.path().filename() != "run.json") continue;
    Json found = ReadJson(entry.path());
    const Json place = found["spec"]["place"];
    if (!place["plugin"].get<std::string>().empty()) return found;
  }
  ADD_FAILURE() << "no run of a plugin";
  return Json::object();
}

double TotalOf(const Json& row) {
  return row["metrics"].begin().value()["total"].get<double>();
}

}  // namespace tailmark
