#include "harness/launch/plan.h"

#include <algorithm>
#include <array>
#include <set>

#include "harness/base/error.h"
#include "harness/base/suggest.h"
#include "harness/record/grid.h"

namespace tailmark {
namespace {

/// One point of a data set's grid, opened, or why it cannot be.
struct OpenData {
  const DatasetUse* use = nullptr;
  OptionMap options;
  PlannedData facts;
  std::string missing;
  std::string label;  ///< "embedded", "embedded seed=2".
};

/// What tells the points of a grid apart: "lr=0.1 epochs=3".
std::string GridLabel(const std::string& name,
                      const std::vector<GridPoint>& points,
                      const GridPoint& point) {
  std::string label = name;
  for (const auto& [option, value] : point.options) {
    bool varies = false;
    for (const GridPoint& other : points) {
      varies = varies || other.options.at(option) != value;
    }
    if (varies) label += StrCat(" ", option, "=", ToText(value));
  }
  return label;
}

std::vector<OpenData> OpenAll(const Recipe& recipe,
                              const PlanSources& sources) {
  std::vector<OpenData> all;
  for (const DatasetUse& use : recipe.datasets) {
    const auto points =
        ExpandGrid(sources.dataset_options(use.use), use.options);
    for (const GridPoint& point : points) {
      OpenData data{.use = &use,
                    .options = point.options,
                    .missing = use.missing,
                    .label = GridLabel(use.name, points, point)};
      if (data.missing.empty()) {
        try {
          data.facts = sources.data(use, point.options, recipe.limit);
        } catch (const DataError& error) {
          data.missing = error.what();
        }
      }
      all.push_back(std::move(data));
    }
  }
  return all;
}

/// What every cell of the recipe shares.
RunSpec BaseSpec(const Recipe& recipe, const Catalog& catalog,
                 const std::filesystem::path& cache) {
  RunSpec spec;
  spec.build = catalog.build.digest;
  spec.campaign = recipe.campaign;
  spec.identity.limit = recipe.limit;
  spec.identity.device_type = DeviceType(recipe.numerics.device);
  spec.identity.precision = recipe.numerics.precision;
  spec.identity.tf32 = recipe.numerics.tf32;
  spec.identity.deterministic = recipe.numerics.deterministic;
  spec.identity.selection = recipe.protocol.selection;
  spec.place.device = recipe.numerics.device;
  spec.place.cache = cache;
  if (recipe.limit > 0) spec.tags.push_back("partial");
  return spec;
}

class Planner {
 public:
  Planner(const Recipe& recipe, const Catalog& catalog,
          const PlanSources& sources, const std::filesystem::path& cache)
      : recipe_(recipe), catalog_(catalog), sources_(sources) {
    plan_.campaign = recipe.campaign;
    plan_.protocol = recipe.protocol;
    base_ = BaseSpec(recipe, catalog, cache);
  }

  Plan Make() {
    const std::vector<OpenData> data = OpenAll(recipe_, sources_);
    for (const OpenData& each : data) {
      for (const MethodUse& use : recipe_.methods) AddMethod(each, use);
    }
    return std::move(plan_);
  }

 private:
  const PlannedWeights& Weights() {
    if (!weights_) {
      if (recipe_.weights.empty()) {
        throw ConfigError(
            "the recipe has no \"weights\", which a method that looks at "
            "images needs; write \"weights\": \"nano-clip\" or a folder");
      }
      weights_ = sources_.weights(recipe_.weights);
      if (!recipe_.weights_name.empty()) weights_->name = recipe_.weights_name;
      if (!recipe_.pipeline.empty()) weights_->pipeline = recipe_.pipeline;
    }
    return *weights_;
  }

  void AddMethod(const OpenData& data, const MethodUse& use) {
    const MethodEntry& method = catalog_.Find(use.use);
    const auto points = ExpandMethod(method, use);
    for (const GridPoint& point : points) {
      PlanTask task;
      task.label = GridLabel(use.name, points, point);
      task.limits = use.limits;
      task.origins = point.origins;
      task.spec = base_;
      if (!use.preset.empty()) task.spec.tags.push_back("preset:" + use.preset);
      FillIdentity(data, method, point, task.spec);
      task.spec.place.threads = use.limits.threads;
      if (!data.missing.empty()) {
        task.state = RunState::kSkipped;
        task.reason = data.missing;
      } else if (const std::string why = NotApplicable(data, method);
                 !why.empty()) {
        task.state = RunState::kNotApplicable;
        task.reason = why;
      }
      for (const std::uint64_t seed : use.seeds) AddSeed(task, seed);
    }
  }

  void FillIdentity(const OpenData& data, const MethodEntry& method,
                    const GridPoint& point, RunSpec& spec) {
    RunIdentity& id = spec.identity;
    id.method = method.name;
    id.method_version = method.version;
    id.method_artifact = method.artifact_sha256;
    spec.place.plugin = method.plugin;
    id.method_options = point.options;
    id.dataset = data.use->FullName();
    id.dataset_version = data.facts.version;
    id.dataset_options = data.options;
    id.manifest_sha256 = data.facts.manifest_sha256;
    id.label_policy = data.facts.label_policy;
    id.train_list_sha256 = data.facts.train_list_sha256;
    id.test_list_sha256 = data.facts.test_list_sha256;
    spec.place.data_root = data.use->root;
    // A method that looks at no image is the same run whatever the weights.
    if (method.input == "none" && !method.needs_text) return;
    const PlannedWeights& weights = Weights();
    id.pipeline = weights.pipeline;
    id.pipeline_version = sources_.pipeline(weights.pipeline);
    id.weights_name = weights.name;
    id.weights_sha256 = weights.sha256;
    spec.place.weights = weights.path;
  }

  std::string NotApplicable(const OpenData& data, const MethodEntry& method) {
    if (method.needs_captions && !data.facts.captions) {
      return StrCat(method.name, " needs captions, which ", data.label,
                    " does not have");
    }
    const std::string& precision = recipe_.numerics.precision;
    if (std::find(method.precisions.begin(), method.precisions.end(),
                  precision) == method.precisions.end()) {
      return StrCat(method.name, " cannot compute in ", precision);
    }
    if (method.trains && data.facts.train_images == 0) {
      return StrCat(method.name, " trains, and ", data.label,
                    " has no training images");
    }
    if (method.needs_text && !Weights().text) {
      return StrCat(method.name, " needs a text tower, which ", Weights().name,
                    " does not have");
    }
    return "";
  }

  void AddSeed(PlanTask task, std::uint64_t seed) {
    task.spec.seed = seed;
    task.recipe = RecipeId(task.spec.identity);
    task.key = RunKey(task.spec);
    if (!keys_.insert(task.key).second) {
      plan_.notes.push_back(StrCat(task.label, ", seed ", seed,
                                   ": the recipe names this run twice"));
      return;
    }
    if (sources_.estimate) task.estimate_s = sources_.estimate(task.spec);
    plan_.tasks.push_back(std::move(task));
  }

  const Recipe& recipe_;
  const Catalog& catalog_;
  const PlanSources& sources_;
  RunSpec base_;
  std::optional<PlannedWeights> weights_;
  std::set<std::string> keys_;
  Plan plan_;
};

bool IsFailure(RunState state) {
  return state == RunState::kFailed || state == RunState::kTimeout ||
         state == RunState::kOom || state == RunState::kKilled ||
         state == RunState::kLost;
}

}  // namespace

Plan MakePlan(const Recipe& recipe, const Catalog& catalog,
              const PlanSources& sources, const std::filesystem::path& cache) {
  return Planner(recipe, catalog, sources, cache).Make();
}

std::string DeviceType(const std::string& device) {
  const std::string type = device.substr(0, device.find(':'));
  const std::string index =
      type.size() == device.size() ? "0" : device.substr(type.size() + 1);
  const bool number =
      !index.empty() && index.size() < 4 &&
      index.find_first_not_of("0123456789") == std::string::npos;
  if ((type == "cuda" && number) || device == "cpu") return type;
  throw ConfigError(
      StrCat("device '", device, "' is not one of cpu, cuda, cuda:N, auto"));
}

Reuse ReuseFromName(std::string_view name) {
  const std::vector<std::string> names = {"same-build", "same-recipe", "none"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Reuse>(i);
  }
  throw ConfigError(UnknownName("reuse policy", name, names));
}

Rerun RerunFromText(std::string_view text) {
  const std::vector<std::string> names = {"failed", "missing", "stale"};
  Rerun rerun{.failed = false, .missing = false, .stale = false};
  const std::array<bool*, 3> members = {&rerun.failed, &rerun.missing,
                                        &rerun.stale};
  while (true) {
    const std::string_view word = text.substr(0, text.find(','));
    bool found = false;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] != word) continue;
      *members[i] = true;
      found = true;
    }
    if (!found)
      throw ConfigError("--rerun: " + UnknownName("word", word, names));
    if (word.size() == text.size()) return rerun;
    text.remove_prefix(word.size() + 1);
  }
}

void MarkReused(
    Plan& plan, Reuse reuse, const Rerun& rerun,
    const std::function<std::optional<StoredRun>(const PlanTask&)>& same_key,
    const std::function<std::optional<StoredRun>(const PlanTask&)>&
        same_recipe) {
  for (PlanTask& task : plan.tasks) {
    if (task.state != RunState::kPlanned || reuse == Reuse::kNone) continue;
    std::optional<StoredRun> found = same_key(task);
    const bool this_build = found && found->state == RunState::kDone;
    if (!this_build && reuse == Reuse::kSameRecipe && !rerun.stale) {
      if (const auto other = same_recipe(task)) found = other;
    }
    if (found && found->state == RunState::kDone) {
      task.spec.build = found->build;
      task.key = RunKey(task.spec);
      task.state = RunState::kDone;
    } else if (found && IsFailure(found->state)
                   ? !rerun.failed
                   : !rerun.missing && !rerun.stale) {
      task.state = RunState::kSkipped;
      task.reason = found ? StrCat("left as it is (", NameOf(found->state),
                                   ") by --rerun: ", found->reason)
                          : "left out by --rerun";
    }
  }
}

}  // namespace tailmark
