#include "harness/cli/reproducing.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/scored_data.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

/// "reproduce-hp-dval-table1".
std::string CampaignName(const std::string& id, bool stand_in) {
  std::string name = "reproduce-";
  for (const char c : id) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) || c == '_') {
      name += static_cast<char>(std::tolower(u));
    } else if (name.back() != '-') {
      name += '-';
    }
  }
  while (name.back() == '-') name.pop_back();
  return name + (stand_in ? "-stand-in" : "");
}

/// A data set with options gets a name that says them: the name is part of a
/// run's key and must not hang on what else is asked for.
Json NamedData(Json data) {
  if (!data.contains("options")) return data;
  std::string name = data.at("use").get<std::string>();
  for (const auto& [key, value] : data.at("options").items()) {
    name += StrCat("-", key, "-",
                   value.is_string() ? value.get<std::string>() : value.dump());
  }
  data["name"] = name;
  return data;
}

/// Objects merged member by member, all else replaced.
void Overlay(const Json& over, Json& json) {
  for (const auto& [key, value] : over.items()) {
    if (value.is_object() && json.contains(key) && json[key].is_object()) {
      Overlay(value, json[key]);
    } else {
      json[key] = value;
    }
  }
}

std::string NameOfData(const Json& data) {
  return data.value("name", data.at("use").get<std::string>());
}

/// Puts `value` into the list unless an equal one is there.
void AddOnce(Json& list, const Json& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) {
    list.push_back(value);
  }
}

/// Adds a method with its data set to a recipe; its name there.
std::string AddMethod(const Json& method, const Json& data, Json& recipe) {
  const Json named = NamedData(data);
  AddOnce(recipe["datasets"], named);
  Json entry = method;
  entry["on"] = Json::array({NameOfData(named)});
  const std::string base = entry.at("name").get<std::string>();
  std::string name = StrCat(base, "-", NameOfData(named));
  // Two settings of one method on one data set are two rows.
  for (int number = 2;; ++number) {
    entry["name"] = name;
    bool taken = false;
    for (const Json& each : recipe["methods"]) {
      if (each == entry) return name;
      taken = taken || each.at("name") == name;
    }
    if (!taken) break;
    name = StrCat(base, "-", number, "-", NameOfData(named));
  }
  recipe["methods"].push_back(entry);
  return name;
}

/// A file that is gone at the end of the scope.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& name)
      : folder_(fs::temp_directory_path() /
                StrCat("tailmark-", ::getpid(), "-", name)) {
    fs::create_directories(folder_);
  }
  ~ScratchFile() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  ScratchFile(const ScratchFile&) = delete;

  fs::path path(const std::string& name) const { return folder_ / name; }

 private:
  fs::path folder_;
};

/// Tasks of `from` that `into` does not have yet.
void Merge(Plan from, Plan& into) {
  if (into.tasks.empty()) {
    into.campaign = from.campaign;
    into.protocol = from.protocol;
  }
  for (PlanTask& task : from.tasks) {
    const bool there = std::any_of(
        into.tasks.begin(), into.tasks.end(),
        [&](const PlanTask& other) { return other.key == task.key; });
    if (!there) into.tasks.push_back(std::move(task));
  }
  for (std::string& note : from.notes) into.notes.push_back(std::move(note));
}

/// What the tasks of one method of a recipe say of the rows that it makes.
void Keep(const std::vector<PlanTask>& tasks, const WrittenRecipe& written,
          PlannedReproduction& out) {
  for (const PlanTask& task : tasks) {
    if (!task.row()) continue;
    const auto makes = written.makes.find(task.label);
    if (makes == written.makes.end()) continue;
    for (const auto& [row, column] : makes->second) {
      // A recipe without its data has no hashes yet, so its id is none.
      if (task.reason.empty()) {
        out.made[row][column] = task.recipe;
      } else {
        out.not_run[row] = task.reason;
      }
    }
  }
}

/// Why the weights of a recipe, or those of --set, are not here; "" when they
/// are.
std::string WhyNoWeights(const Json& recipe,
                         const std::vector<std::string>& set) {
  std::string weights = recipe.at("weights").get<std::string>();
  constexpr std::string_view kSet = "weights=";
  for (const std::string& each : set) {
    if (each.starts_with(kSet)) weights = each.substr(kSet.size());
  }
  try {
    FindWeights(weights);
    return "";
  } catch (const ConfigError& error) {
    return error.what();
  } catch (const DataError& error) {
    return error.what();
  }
}

OrderedJson ToJson(const ReproducedCell& cell) {
  const PublishedTest& test = cell.test;
  OrderedJson out = {{"column", cell.printed.column},
                     {"printed", cell.printed.value},
                     {"decimals", cell.printed.decimals},
                     {"verdict", NameOf(test.verdict)},
                     {"runs", test.runs},
                     {"mean", NumberOrNull(test.mean)},
                     {"sd", NumberOrNull(test.sd)},
                     {"difference", NumberOrNull(test.difference)},
                     {"prediction", nullptr},
                     {"p_equivalent", NumberOrNull(test.p_equivalent)},
                     {"margin", test.margin},
                     {"definition", cell.definition},
                     {"scores", cell.scores},
                     {"ours", NumberOrNull(cell.ours)},
                     {"recipe", cell.recipe},
                     {"reason", test.reason}};
  if (test.prediction) {
    out["prediction"] = {test.prediction->lo, test.prediction->hi};
  }
  return out;
}

}  // namespace

std::vector<WrittenRecipe> WriteRecipes(const std::vector<PublishedCell>& cells,
                                        const RowRecipes& recipes,
                                        const std::string& id, bool stand_in) {
  std::vector<WrittenRecipe> written;
  std::vector<Json> overlays;
  for (const PublishedCell& cell : cells) {
    for (const RowRecipe* entry : recipes.Of(cell.table, cell.row)) {
      const Json& method = stand_in ? entry->stand_in : entry->method;
      if (method.is_null()) continue;
      // A stand-in keeps the protocol of its row.
      Json overlay = entry->recipe;
      if (stand_in) {
        overlay = Json::object();
        if (entry->recipe.contains("protocol")) {
          overlay["protocol"] = entry->recipe["protocol"];
        }
        Overlay(recipes.stand_in, overlay);
      }
      auto at = std::find(overlays.begin(), overlays.end(), overlay);
      if (at == overlays.end()) {
        Json json = recipes.recipe;
        Overlay(overlay, json);
        json["schema"] = "tailmark-campaign/1";
        json["campaign"] = CampaignName(id, stand_in);
        json["datasets"] = Json::array();
        json["methods"] = Json::array();
        written.push_back({.json = std::move(json), .makes = {}});
        overlays.push_back(overlay);
        at = overlays.end() - 1;
      }
      WrittenRecipe& recipe =
          written[static_cast<std::size_t>(at - overlays.begin())];
      const std::string name = AddMethod(
          method, stand_in ? entry->stand_in_data : entry->data, recipe.json);
      recipe.makes[name].emplace_back(IdOf(cell), entry->column);
    }
  }
  return written;
}

PlannedReproduction PlanReproduction(const std::vector<PublishedCell>& cells,
                                     const RowRecipes& recipes,
                                     const ReproduceOptions& options,
                                     const GlobalOptions& global,
                                     DataAccess& data, const Store* store) {
  PlannedReproduction out;
  for (const PublishedCell& cell : cells) {
    const auto entries = recipes.Of(cell.table, cell.row);
    std::string& why = out.not_run[IdOf(cell)];
    if (entries.empty()) {
      why = "no such method";
    } else if (!options.stand_in && !entries.front()->missing.empty()) {
      why = entries.front()->missing;
    }
  }
  const auto written =
      WriteRecipes(cells, recipes, options.id, options.stand_in);
  for (const WrittenRecipe& recipe : written) {
    out.recipes.push_back(recipe.json);
    if (const std::string why =
            WhyNoWeights(recipe.json, options.plan.overrides.set);
        !why.empty()) {
      for (const auto& [method, rows] : recipe.makes) {
        for (const auto& [row, column] : rows) out.not_run[row] = why;
      }
      continue;
    }
    const std::string name = recipe.json.at("campaign").get<std::string>();
    const ScratchFile scratch(name);
    PlanOptions plan = options.plan;
    plan.recipe = scratch.path(name + ".json").string();
    WriteFileAtomic(plan.recipe, recipe.json.dump(1) + "\n");
    Plan planned = MakeCampaign(plan, global, data, store).plan;
    Keep(planned.tasks, recipe, out);
    Merge(std::move(planned), out.plan);
  }
  return out;
}

int ExitCodeOf(const std::vector<ReproducedRow>& rows, bool failed) {
  const auto any = [&](std::initializer_list<Verdict> verdicts) {
    return std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
      return std::find(verdicts.begin(), verdicts.end(), row.verdict) !=
             verdicts.end();
    });
  };
  if (failed) return kExitRunFailed;
  if (any({Verdict::kBelow, Verdict::kAbove})) return kExitRegression;
  if (any({Verdict::kNotComparable, Verdict::kTableInconsistent})) {
    return kExitNotComparable;
  }
  return any({Verdict::kNotRun}) ? kExitNothing : kExitOk;
}

OrderedJson ToJson(const ReproducedRow& row) {
  OrderedJson cells = OrderedJson::array();
  for (const ReproducedCell& cell : row.cells) cells.push_back(ToJson(cell));
  OrderedJson lint = OrderedJson::array();
  for (const LintFinding& each : row.lint) {
    lint.push_back({{"rule", each.rule},
                    {"cell", each.cell},
                    {"explanation", each.explanation}});
  }
  return {
      {"id",
       StrCat(row.source, ":", row.table, ":", row.row, ":", row.dataset)},
      {"source", row.source},
      {"table", row.table},
      {"row", row.row},
      {"dataset", row.dataset},
      {"status", row.status},
      {"verdict", NameOf(row.verdict)},
      {"reason", row.reason},
      {"stand_in", row.stand_in},
      {"measured_on", row.measured_on.empty() ? OrderedJson(nullptr)
                                              : OrderedJson(row.measured_on)},
      {"profile", row.profile},
      {"selection", row.selection},
      {"our_definition", row.our_definition},
      {"group_mean", NumberOrNull(row.group_mean)},
      {"arithmetic", row.arithmetic},
      {"lint", std::move(lint)},
      {"cells", std::move(cells)}};
}

}  // namespace tailmark
