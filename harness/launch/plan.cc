#include "harness/launch/plan.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "harness/base/dependency.h"
#include "harness/base/error.h"
#include "harness/launch/declared_cost.h"
#include "harness/record/grid.h"

namespace tailmark {
namespace {

// A method whose runs start from runs that start from runs ... beyond this has
// declared a circle.
constexpr int kDeepest = 8;

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
    const auto points = ExpandGrid(sources.dataset_options(use.use),
                                   use.options, {}, "", use.use);
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

bool RunsOn(const MethodUse& method, const DatasetUse& dataset) {
  return method.on.empty() || std::find(method.on.begin(), method.on.end(),
                                        dataset.name) != method.on.end();
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
  spec.identity.selection_every = recipe.protocol.selection_every;
  spec.identity.validation = recipe.protocol.validation;
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
      data_ = &each;
      for (const MethodUse& use : recipe_.methods) {
        if (RunsOn(use, *each.use)) AddMethod(each, use);
      }
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
      if (!use.selection.empty()) {
        task.spec.identity.selection = use.selection;
        task.spec.identity.selection_every = use.selection_every;
      }
      if (!use.preset.empty()) task.spec.tags.push_back("preset:" + use.preset);
      FillIdentity(data, method, point, task.spec);
      task.spec.place.threads = use.limits.threads;
      task.spec.place.gpu_bytes = use.limits.gpu_bytes;
      if (!method.broken.empty()) {
        task.state = RunState::kSkipped;
        task.reason = method.broken;
      } else if (!data.missing.empty()) {
        task.state = RunState::kSkipped;
        task.reason = data.missing;
      } else if (const std::string why =
                     NotApplicable(data, method, point.options);
                 !why.empty()) {
        task.state = RunState::kNotApplicable;
        task.reason = why;
      }
      for (const std::uint64_t seed : use.seeds) AddRow(method, task, seed);
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
    id.episodes_sha256 = data.facts.episodes_sha256;
    // What does not train has no epochs to choose among.
    if (!method.trains) {
      id.selection = "last";
      id.selection_every = 1;
      id.validation = 0;
    }
    if (method.test_feedback &&
        AllHold(*method.test_feedback, method.options, point.options)) {
      spec.tags.emplace_back(kFeedbackTag);
    }
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

  std::string NotApplicable(const OpenData& data, const MethodEntry& method,
                            const OptionMap& options) {
    if (NeedsCaptions(method, options) && !data.facts.captions) {
      return StrCat(method.name, " needs captions, which ", data.label,
                    " does not have");
    }
    const std::string& precision = recipe_.numerics.precision;
    if (std::find(method.precisions.begin(), method.precisions.end(),
                  precision) == method.precisions.end()) {
      return StrCat(method.name, " cannot compute in ", precision);
    }
    const bool episodes = !data.facts.episodes_sha256.empty();
    if (episodes && recipe_.protocol.validation > 0) {
      return StrCat(data.label,
                    " has episodes, whose supports have no image to spare for "
                    "validation");
    }
    if (method.trains && !episodes && data.facts.train_images == 0) {
      return StrCat(method.name, " trains, and ", data.label,
                    " has no training images");
    }
    if (method.needs_text && !Weights().text) {
      return StrCat(method.name, " needs a text tower, which ", Weights().name,
                    " does not have");
    }
    return "";
  }

  void AddRow(const MethodEntry& method, PlanTask task, std::uint64_t seed) {
    task.spec.seed = seed;
    task.spec.identity.needs = AddNeeds(method, task, 1);
    const auto it = Seal(task);
    if (it == index_.end()) return Append(std::move(task));
    const PlanTask known = plan_.tasks[it->second];
    if (known.row()) {
      plan_.notes.push_back(StrCat(task.label, ", seed ", seed,
                                   ": the recipe names this run twice"));
      return;
    }
    // Planned as what another one starts from: its place is here.
    task.spec.place.keep_state = true;
    plan_.tasks.erase(plan_.tasks.begin() +
                      static_cast<std::ptrdiff_t>(it->second));
    Append(std::move(task));
    index_.clear();
    for (std::size_t i = 0; i < plan_.tasks.size(); ++i) {
      index_[plan_.tasks[i].key] = i;
    }
  }

  /// What the run `of` starts from, planned before it, each once.
  std::vector<RunNeed> AddNeeds(const MethodEntry& method, const PlanTask& of,
                                int depth) {
    if (depth > kDeepest) {
      throw ConfigError(StrCat("method '", method.name,
                               "' starts from itself: its dependencies go in "
                               "a circle"));
    }
    std::vector<RunNeed> needs;
    for (const NeededRun& needed : NeededRuns(
             method.depends, method.options, of.spec.identity.method_options)) {
      PlanTask task = NeededTask(of, needed);
      task.spec.identity.needs = AddNeeds(method, task, depth + 1);
      const auto it = Seal(task);
      needs.push_back({needed.role, task.recipe, task.key});
      if (it != index_.end()) {
        plan_.tasks[it->second].spec.place.keep_state = true;
      } else if (task.state == RunState::kPlanned) {
        Append(std::move(task));
      }
    }
    return needs;
  }

  static PlanTask NeededTask(const PlanTask& of, const NeededRun& needed) {
    PlanTask task = of;
    task.label = StrCat(of.label, ": ", needed.role);
    RunIdentity& id = task.spec.identity;
    for (const auto& [name, value] : needed.options) {
      if (id.method_options.at(name) == value) continue;
      task.origins[name] = StrCat("needed as ", needed.role);
    }
    id.method_options = needed.options;
    id.scores = needed.scores;
    // There are no test scores to choose by.
    if (!id.scores && id.selection == "best_on_test") {
      id.selection = "last";
      id.selection_every = 1;
    }
    std::erase_if(task.spec.tags, [](const std::string& tag) {
      return tag.starts_with("preset:");
    });
    if (task.row()) task.spec.tags.emplace_back(kTaskTag);
    task.spec.place.keep_state = true;
    return task;
  }

  /// Gives the task its ids; where such a run is planned already.
  std::map<std::string, std::size_t>::const_iterator Seal(PlanTask& task) {
    task.recipe = RecipeId(task.spec.identity);
    task.key = RunKey(task.spec);
    return index_.find(task.key);
  }

  void Append(PlanTask task) {
    index_[task.key] = plan_.tasks.size();
    Estimate(task);
    plan_.tasks.push_back(std::move(task));
  }

  /// As runs like it were, else as its method declares.
  void Estimate(PlanTask& task) {
    task.rss_bytes = task.limits.rss_bytes;
    task.gpu_bytes = task.limits.gpu_bytes;
    if (task.rss_bytes > 0) task.memory_from = "limit";
    const auto known =
        sources_.estimate ? sources_.estimate(task.spec) : std::nullopt;
    const MethodEntry& method = catalog_.Find(task.spec.identity.method);
    if (method.cost && task.state == RunState::kPlanned && Reckonable(task)) {
      const DeclaredCost cost =
          Reckon(*method.cost, method.options,
                 task.spec.identity.method_options, FactsOf(task));
      Declare(cost, !known, task);
    }
    if (!known) return;
    task.estimate_s = known->seconds;
    task.estimate_from = "recorded";
    if (known->rss_bytes == 0) return;
    task.rss_bytes = known->rss_bytes;
    task.memory_from = "recorded";
  }

  /// Nothing is said of an encoder whose shape is not known.
  bool Reckonable(const PlanTask& task) const {
    return task.spec.identity.weights_sha256.empty() ||
           (weights_ && weights_->shape);
  }

  CostFacts FactsOf(const PlanTask& task) const {
    const RunIdentity& id = task.spec.identity;
    const PlannedData& data = data_->facts;
    CostFacts facts{.train_images = static_cast<double>(data.train_images),
                    .test_images = static_cast<double>(data.test_images),
                    .classes = static_cast<double>(data.classes),
                    .episodes = static_cast<double>(data.episodes),
                    .scores = id.scores,
                    .device_type = id.device_type,
                    .precision = id.precision,
                    .tf32 = id.tf32,
                    .threads = static_cast<double>(task.spec.place.threads)};
    if (data.episodes > 0) {
      facts.base_images = facts.train_images;
      facts.train_images = data.supports;
    }
    facts.train_images *= 1 - id.validation;
    if (id.selection == "best_on_test") {
      facts.scored_every = static_cast<double>(id.selection_every);
    }
    const auto& tags = task.spec.tags;
    if (std::find(tags.begin(), tags.end(), kFeedbackTag) != tags.end()) {
      facts.scored_every = 1;
    }
    if (!id.weights_sha256.empty() && weights_ && weights_->shape) {
      facts.encoder = *weights_->shape;
    }
    return facts;
  }

  /// What is shared falls to the first run of those that share it.
  void Declare(const DeclaredCost& cost, bool time, PlanTask& task) {
    task.rss_bytes = task.rss_bytes > 0
                         ? std::min(task.rss_bytes, cost.rss_bytes)
                         : cost.rss_bytes;
    task.memory_from = "declared";
    if (task.gpu_bytes == 0) task.gpu_bytes = cost.gpu_bytes;
    double seconds = cost.seconds;
    for (const auto& [name, more] : cost.shared) {
      if (shared_.emplace(FeatureGroup(task), name).second) seconds += more;
    }
    if (!time) return;
    task.estimate_s = seconds;
    task.estimate_from = "declared";
  }

  const Recipe& recipe_;
  const Catalog& catalog_;
  const PlanSources& sources_;
  RunSpec base_;
  std::optional<PlannedWeights> weights_;
  std::map<std::string, std::size_t> index_;  // Key -> place in the plan.
  const OpenData* data_ = nullptr;            // Of what is being planned.
  std::set<std::pair<std::string, std::string>> shared_;  // Group, name.
  Plan plan_;
};

}  // namespace

std::string FeatureGroup(const PlanTask& task) {
  const RunIdentity& id = task.spec.identity;
  if (id.weights_sha256.empty()) return "";
  return StrCat(id.dataset, "\n", id.manifest_sha256, "\n",
                id.train_list_sha256, "\n", id.test_list_sha256, "\n",
                id.pipeline, "\n", id.pipeline_version, "\n", id.weights_sha256,
                "\n", id.device_type);
}

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

}  // namespace tailmark
