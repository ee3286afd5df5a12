#include <iostream>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/log.h"
#include "harness/base/suggest.h"
#include "harness/cli/data_status.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/planning.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"
#include "harness/metrics/definition.h"
#include "harness/metrics/profile.h"
#include "harness/record/catalog.h"
#include "results/lint.h"
#include "results/published.h"
#include "results/query.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

struct ListOptions {
  std::string what = "methods";
  std::vector<std::string> roots;  ///< "folder=/data"
  bool json = false;
};

const std::vector<std::string> kWhat = {"methods",     "datasets", "protocols",
                                        "definitions", "profiles", "published",
                                        "presets",     "recipes"};

/// Without the engine there is no catalogue: the methods that a store has runs
/// of.
OrderedJson MethodsOfStore(const GlobalOptions& global) {
  std::map<std::string, int> versions;
  if (StoreExists(StoreFolder(global))) {
    const Store store(StoreFolder(global), {.read_only = true});
    for (const RunRow& run : Runs(store)) {
      int& version = versions[run.method];
      version = std::max(version, run.method_version);
    }
  }
  OrderedJson rows = OrderedJson::array();
  for (const auto& [name, version] : versions) {
    rows.push_back({{"name", name},
                    {"version", version},
                    {"summary", "has runs in the store"},
                    {"status", "needs-engine"}});
  }
  return rows;
}

OrderedJson Methods(const GlobalOptions& global) {
  Catalog catalog;
  try {
    catalog = LoadCatalog();
  } catch (const DataError& error) {
    LogWarning(error.what());
    return MethodsOfStore(global);
  }
  OrderedJson rows = OrderedJson::array();
  for (const MethodEntry& method : catalog.methods) {
    std::vector<std::string> presets;
    for (const PresetEntry& preset : method.presets) {
      presets.push_back(preset.name);
    }
    rows.push_back({{"name", method.name},
                    {"version", method.version},
                    {"summary", method.summary},
                    {"status", "ready"},
                    {"family", method.family},
                    {"input", method.input},
                    {"presets", presets}});
  }
  return rows;
}

OrderedJson Presets() {
  OrderedJson rows = OrderedJson::array();
  for (const MethodEntry& method : LoadCatalog().methods) {
    for (const PresetEntry& preset : method.presets) {
      rows.push_back({{"name", preset.name},
                      {"version", method.version},
                      {"summary", preset.summary},
                      {"method", method.name},
                      {"kind", preset.kind}});
    }
  }
  return rows;
}

std::map<std::string, fs::path> RootsOf(const std::vector<std::string>& given) {
  std::map<std::string, fs::path> roots;
  for (const std::string& each : given) {
    const auto equals = each.find('=');
    if (equals == each.npos) {
      throw ConfigError(StrCat("--root ", each, ": write --root NAME=FOLDER"));
    }
    roots[each.substr(0, equals)] = fs::absolute(each.substr(equals + 1));
  }
  return roots;
}

OrderedJson DatasetRow(const DatasetInfo& info, const fs::path& root,
                       DataAccess& data) {
  const DataStatus status = StatusOf(info, root, data);
  OrderedJson row = {{"name", info.name},
                     {"version", info.version},
                     {"summary", info.summary},
                     {"status", "ready"},
                     {"missing", nullptr},
                     {"classes", nullptr},
                     {"images", OrderedJson::object()}};
  if (status.classes > 0) {
    row["classes"] = status.classes;
    row["images"] = {{"train", status.train_images},
                     {"test", status.test_images}};
  }
  if (!status.missing.empty()) {
    row["status"] = "needs-data";
    row["missing"] = status.missing;
  }
  return row;
}

OrderedJson Datasets(const ListOptions& options) {
  const auto roots = RootsOf(options.roots);
  DataAccess data;
  OrderedJson rows = OrderedJson::array();
  for (const std::string& name : data.registry().Names()) {
    const DatasetInfo& info = data.registry().Find(name).info;
    const auto root = roots.find(name);
    rows.push_back(DatasetRow(
        info, root != roots.end() ? root->second : DefaultDataRoot(info),
        data));
  }
  return rows;
}

OrderedJson Definitions() {
  OrderedJson rows = OrderedJson::array();
  for (const DefinitionInfo& info : KnownDefinitions()) {
    rows.push_back({{"name", info.name},
                    {"version", info.version},
                    {"summary", info.summary}});
  }
  return rows;
}

OrderedJson Profiles() {
  OrderedJson rows = OrderedJson::array();
  for (const Profile& profile : KnownProfiles()) {
    rows.push_back({{"name", profile.name},
                    {"version", 1},
                    {"summary", profile.summary},
                    {"definition", IdOf(profile.definition)},
                    {"selection", profile.selection},
                    {"not_imitated", profile.not_imitated}});
  }
  return rows;
}

OrderedJson Protocols() {
  return OrderedJson::array(
      {{{"name", "standard"},
        {"version", 1},
        {"summary",
         "Train on the training split, score the test split once, after the "
         "last epoch; groups head >= 100, medium 20-99, tail < 20 training "
         "images"}}});
}

/// "primary", or "primary, second_hand" for a table that mixes them.
std::string StatusOf(const PublishedTable& table) {
  std::string status;
  for (const char* each : {"primary", "second_hand", "author_log"}) {
    if (std::any_of(
            table.rows.begin(), table.rows.end(),
            [&](const PublishedRow& row) { return row.status == each; })) {
      status += (status.empty() ? "" : ", ") + std::string(each);
    }
  }
  return status;
}

/// Published tables that come with Tailmark, one row each.
OrderedJson PublishedTables() {
  OrderedJson rows = OrderedJson::array();
  for (const Published& published : ReadAllPublished()) {
    const auto findings = Lint(published);
    for (const PublishedTable& table : published.tables) {
      const auto count = std::count_if(
          findings.begin(), findings.end(),
          [&](const LintFinding& each) { return each.table == table.id; });
      rows.push_back({{"name", StrCat(published.name, ":", table.id)},
                      {"version", published.version},
                      {"summary", table.title},
                      {"status", StatusOf(table)},
                      {"paper", published.paper},
                      {"source", table.where},
                      {"rows", table.rows.size()},
                      {"findings", count}});
    }
  }
  return rows;
}

OrderedJson Recipes() {
  OrderedJson rows = OrderedJson::array();
  for (const std::string& name : RecipeNames()) {
    const fs::path path = RecipePath(name);
    const Json json = ReadJson(path);
    rows.push_back({{"name", name},
                    {"version", 1},
                    {"summary", json.value("summary", "")},
                    {"path", path.string()}});
  }
  return rows;
}

OrderedJson Rows(const ListOptions& options, const GlobalOptions& global) {
  if (options.what == "methods") return Methods(global);
  if (options.what == "datasets") return Datasets(options);
  if (options.what == "protocols") return Protocols();
  if (options.what == "definitions") return Definitions();
  if (options.what == "profiles") return Profiles();
  if (options.what == "published") return PublishedTables();
  if (options.what == "presets") return Presets();
  if (options.what == "recipes") return Recipes();
  throw ConfigError(UnknownName("listing", options.what, kWhat));
}

int List(const ListOptions& options, const GlobalOptions& global) {
  const OrderedJson rows = Rows(options, global);
  if (options.json) {
    std::cout << rows.dump(2) << "\n";
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table = {
      {"NAME", "VERSION", "STATUS", "SUMMARY"}};
  for (const OrderedJson& row : rows) {
    const std::string name = row.contains("method")
                                 ? row["method"].get<std::string>() + ":" +
                                       row["name"].get<std::string>()
                                 : row["name"].get<std::string>();
    table.push_back({name, row["version"].dump(),
                     row.value("status", std::string("ready")),
                     row["summary"].get<std::string>()});
  }
  std::cout << TextTable(table);
  return kExitOk;
}

}  // namespace

Verb ListVerb(const GlobalOptions& global) {
  auto options = std::make_shared<ListOptions>();
  return {.name = "list",
          .summary =
              "What there is: methods, datasets, protocols, "
              "definitions, profiles, published, presets or recipes",
          .example = "tailmark list methods --json",
          .declare =
              [options](Args& args) {
                args.Positional("WHAT", options->what, false,
                                "What to list (default: methods)");
                args.Repeated("--root", options->roots, "NAME=FOLDER",
                              "Where the files of a data set lie");
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options, &global] { return List(*options, global); }};
}

}  // namespace tailmark
