#include "harness/cli/planning.h"

#include <algorithm>

#include "datasets/images/pipeline.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/log.h"
#include "harness/base/progress.h"
#include "harness/base/suggest.h"
#include "harness/cli/known_weights.h"
#include "harness/cli/plugins.h"
#include "harness/cli/score_rows.h"
#include "harness/launch/slurm.h"
#include "harness/record/build_info.h"
#include "harness/record/encoder_shape.h"
#include "harness/record/weights.h"
#include "results/query.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

/// What an encoder folder's config.json says.
Json ReadConfig(const fs::path& weights) {
  const fs::path config = weights / "config.json";
  if (!fs::is_regular_file(config)) return Json::object();
  const Json json = ReadJson(config);
  return json.is_object() ? json : Json::object();
}

/// The pipeline an encoder asks for: a crop to the size of its pictures.
std::string PipelineOf(const Json& config) {
  const Json vision = config.value("vision_config", Json::object());
  const Json size =
      vision.is_object() ? vision.value("image_size", Json()) : Json();
  return size.is_number_integer() ? StrCat("clip-", size.get<std::int64_t>())
                                  : "clip-224";
}

PlanSources MakeSources(DataAccess& data, const Store* store) {
  PlanSources sources;
  sources.dataset_options = [&data](const std::string& name) {
    return data.registry().Find(name).info.options;
  };
  sources.data = [&data](const DatasetUse& use, const OptionMap& options,
                         std::int64_t limit) {
    return data.Facts(use, options, limit);
  };
  sources.weights = FindWeights;
  sources.pipeline = [](const std::string& name) {
    PipelineByName(name);
    return kPipelineVersion;
  };
  if (store != nullptr) {
    sources.estimate =
        [store, &data](const RunSpec& spec) -> std::optional<PlannedCost> {
      const auto known =
          EstimateRun(*store, RecipeId(spec.identity), spec.identity.method,
                      spec.identity.dataset);
      if (!known) return std::nullopt;
      PlannedCost cost{.seconds = known->wall_s, .rss_bytes = known->peak_rss};
      // Of other options or data the time goes by the number of images: that is
      // how a run on a few says what all of them will cost.
      if (known->basis == "recipe" || known->images <= 0) return cost;
      double images = 0;
      if (!spec.identity.test_list_sha256.empty()) {
        for (const SplitFacts& split : data.FactsOf(spec).splits) {
          images += static_cast<double>(split.rows);
        }
      }
      if (images > 0) cost.seconds *= images / known->images;
      return cost;
    };
  }
  return sources;
}

}  // namespace

std::string WordOf(const PlanTask& task) {
  return task.state == RunState::kPlanned ? "new"
                                          : std::string(NameOf(task.state));
}

OrderedJson SummaryOf(const PlanTask& task) {
  return {{"key", task.key},
          {"recipe", task.recipe},
          {"method", task.spec.identity.method},
          {"label", task.label},
          {"dataset", task.spec.identity.dataset},
          {"seed", task.spec.seed},
          {"state", WordOf(task)},
          {"reason", task.reason.empty() ? OrderedJson(nullptr)
                                         : OrderedJson(task.reason)},
          {"estimate_s", task.estimate_s ? OrderedJson(*task.estimate_s)
                                         : OrderedJson(nullptr)},
          {"estimate_from", OriginWord(task.estimate_from)}};
}

std::string TimeOf(const PlanTask& task) {
  if (!task.estimate_s) return "-";
  const std::string time = FormatSeconds(*task.estimate_s);
  return task.estimate_from == "declared" ? time + " declared" : time;
}

namespace {

std::optional<StoredRun> Stored(const Store& store,
                                const std::optional<RunRow>& row) {
  if (!row) return std::nullopt;
  return StoredRun{.state = row->state,
                   .build = row->build,
                   .reason = row->reason,
                   .has_state = [bundles = store.bundles(), key = row->key] {
                     return !FindWholeState(bundles, key).empty();
                   }};
}

void MarkFromStore(Plan& plan, const Store& store, const PlanOptions& options) {
  const std::string otherwise = GetEnv("CI") ? "same-build" : "same-recipe";
  const Reuse reuse =
      options.force
          ? Reuse::kNone
          : ReuseFromName(options.reuse.empty() ? otherwise : options.reuse);
  const Rerun rerun =
      options.rerun.empty() ? Rerun() : RerunFromText(options.rerun);
  MarkReused(
      plan, reuse, rerun,
      [&](const PlanTask& task) {
        const auto rows = Runs(store, {.key = task.key});
        return rows.empty() ? std::nullopt : Stored(store, rows.front());
      },
      [&](const PlanTask& task) {
        return Stored(store, DoneRun(store, task.recipe, task.spec.seed));
      });
}

}  // namespace

fs::path StoreFolder(const GlobalOptions& global) {
  if (!global.store.empty()) return fs::absolute(global.store);
  return fs::absolute(GetEnv("TAILMARK_STORE").value_or("tailmark-store"));
}

fs::path CacheFolder(const GlobalOptions& global) {
  const auto given = GetEnv("TAILMARK_CACHE");
  return given ? fs::absolute(*given) : StoreFolder(global) / "cache";
}

fs::path CacheIfThere(const GlobalOptions& global) {
  const bool there =
      GetEnv("TAILMARK_CACHE") || StoreExists(StoreFolder(global));
  return there ? CacheFolder(global) : fs::path();
}

Store OpenStoreToRead(const GlobalOptions& global) {
  const fs::path folder = StoreFolder(global);
  if (!StoreExists(folder)) {
    throw ConfigError(StrCat("no store in ", folder.string(),
                             "; give --store DIR, or make one with tailmark "
                             "run quickstart"));
  }
  return Store(folder, {.read_only = true});
}

std::optional<Catalog> CatalogIfThere() {
  try {
    return LoadCatalog();
  } catch (const DataError&) {
    return std::nullopt;
  }
}

std::vector<std::string> RecipeNames() {
  std::vector<std::string> names;
  std::error_code code;
  fs::path folder;
  try {
    folder = SharedFile("harness/recipes");
  } catch (const DataError&) {
    return names;
  }
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    if (entry.path().extension() == ".json") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

fs::path RecipePath(const std::string& recipe) {
  if (fs::is_regular_file(recipe)) return fs::absolute(recipe);
  const std::vector<std::string> names = RecipeNames();
  if (std::find(names.begin(), names.end(), recipe) != names.end()) {
    return SharedFile(fs::path("harness/recipes") / (recipe + ".json"));
  }
  if (recipe.find('/') != recipe.npos || recipe.ends_with(".json")) {
    throw ConfigError(StrCat(recipe, ": no such recipe file"));
  }
  throw ConfigError(UnknownName("recipe", recipe, names));
}

void DeclarePlanOptions(Args& args, PlanOptions& options) {
  args.Positional("RECIPE", options.recipe, true,
                  "A recipe file, or the name of one of ours");
  args.Repeated("--set", options.overrides.set, "A.B=VALUE",
                "Set a value of the recipe: linear_probe.lr=0.1");
  args.Repeated("--only", options.overrides.only, "WHAT=NAME",
                "Keep method=NAME or dataset=NAME: the entry of that name, "
                "or else all that use it");
  args.Option("--seeds", options.overrides.seeds, "SEEDS",
              "0-4 or 0,2 instead of the recipe's seeds");
  args.Option("--rerun", options.rerun, "STATES",
              "Which of failed,missing,stale to run");
  args.Repeated("--allow-plugin", options.allow_plugins, "PATH",
                "Run the code of this plugin, or of all in this folder");
  DeclareHowToRun(args, options);
}

void DeclareHowToRun(Args& args, PlanOptions& options) {
  args.Option("--limit", options.limit, "N",
              "Only the first N images of each split; brands the result");
  args.Option("--device", options.overrides.device, "DEVICE",
              "cpu, cuda, cuda:N or auto");
  args.Option("--threads", options.threads, "N", "Threads of one worker");
  args.Option("--reuse", options.reuse, "POLICY",
              "same-build, same-recipe or none");
  args.Flag("--no-acceleration", options.no_acceleration,
            "The plain way of every method that has a faster one");
  args.Flag("--force", options.force, "Run also what is finished");
}

std::string RunCommand(const PlanOptions& options) {
  std::string command = "tailmark run " + ShellWord(options.recipe);
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) command += " " + name + " " + ShellWord(value);
  };
  for (const std::string& each : options.overrides.set) add("--set", each);
  for (const std::string& each : options.overrides.only) add("--only", each);
  for (const std::string& each : options.allow_plugins) {
    add("--allow-plugin", each);
  }
  add("--seeds", options.overrides.seeds);
  add("--limit", options.limit ? std::to_string(*options.limit) : "");
  add("--device", options.overrides.device);
  add("--threads", options.threads ? std::to_string(*options.threads) : "");
  if (options.no_acceleration) command += " --no-acceleration";
  return command;
}

PlannedWeights FindWeights(const std::string& weights) {
  PlannedWeights found;
  found.path = WeightsPath(weights);
  const Json config = ReadConfig(found.path);
  found.name = weights == "nano-clip"
                   ? weights
                   : found.path.lexically_normal().filename().string();
  found.sha256 = WeightsSha256(found.path);
  found.pipeline = PipelineOf(config);
  found.text = config.empty() || config.contains("text_config");
  try {
    found.shape = EncoderShapeOf(found.path);
  } catch (const DataError&) {
    // What is wrong with them is the worker's to say, in the run's row.
  }
  return found;
}

std::string ResolveDevice(const std::string& device, const Catalog& catalog) {
  if (device != "auto") return device;
  const bool engine =
      catalog.build.torch_version.find("CUDA") != std::string::npos;
  const bool driver =
      fs::exists("/proc/driver/nvidia/version") || fs::exists("/dev/nvidiactl");
  return engine && driver ? "cuda" : "cpu";
}

namespace {

/// Sets `acceleration` to false wherever there is such an option. Throws
/// ConfigError where there is none: what was asked for would not happen.
void TakeThePlainWay(const Catalog& catalog, Recipe& recipe) {
  bool any = false;
  for (MethodUse& use : recipe.methods) {
    const auto method =
        std::find_if(catalog.methods.begin(), catalog.methods.end(),
                     [&](const auto& each) { return each.name == use.use; });
    if (method == catalog.methods.end()) continue;
    for (const FieldInfo& field : method->options) {
      if (field.name != "acceleration") continue;
      use.options[field.name] = {false, {"--no-acceleration", {}}};
      any = true;
    }
  }
  if (!any) {
    throw ConfigError(
        "--no-acceleration: no method of this recipe has an option "
        "'acceleration'; `tailmark describe METHOD` lists what each has");
  }
}

}  // namespace

Campaign MakeCampaign(PlanOptions options, const GlobalOptions& global,
                      DataAccess& data, const Store* store) {
  options.overrides.limit = options.limit;
  Campaign campaign{
      .recipe = LoadRecipe(RecipePath(options.recipe), options.overrides),
      .plan = {}};
  Recipe& recipe = campaign.recipe;
  // Scores that are there need no engine.
  Catalog catalog = OnlyScoreRows(recipe) && !CatalogIfThere()
                        ? Catalog{.build = ThisBuild(), .methods = {}}
                        : LoadCatalog();
  AddScoreRows(recipe, catalog);
  AddPlugins(AllowedPlugins(options.allow_plugins), options.plugins_may_fail,
             CacheIfThere(global), recipe, catalog);
  if (options.no_acceleration) TakeThePlainWay(catalog, recipe);
  recipe.numerics.device = ResolveDevice(recipe.numerics.device, catalog);
  for (DatasetUse& use : recipe.datasets) {
    if (!use.root.empty() || !use.missing.empty()) continue;
    use.root = DefaultDataRoot(data.registry().Find(use.use).info);
  }
  if (options.threads) {
    if (*options.threads < 1 || *options.threads > 4096) {
      throw ConfigError(
          StrCat("--threads ", *options.threads, " is outside [1, 4096]"));
    }
    for (MethodUse& use : recipe.methods) {
      use.limits.threads = static_cast<int>(*options.threads);
    }
  }
  campaign.plan =
      MakePlan(recipe, catalog, MakeSources(data, store), CacheFolder(global));
  TagPlugins(campaign.plan);
  if (store != nullptr) MarkFromStore(campaign.plan, *store, options);
  for (const std::string& note : campaign.plan.notes) LogWarning(note);
  return campaign;
}

}  // namespace tailmark
