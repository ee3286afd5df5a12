#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/json.h"
#include "harness/record/bundle.h"
#include "harness/record/catalog.h"
#include "harness/record/encoder_shape.h"
#include "harness/record/recipe.h"
#include "harness/record/run_spec.h"

namespace tailmark {

/// What a plan has to know of a data set with its options resolved.
struct PlannedData {
  int version = 1;
  std::string manifest_sha256;
  std::string label_policy;
  std::string train_list_sha256;  ///< Of the first `limit` rows.
  std::string test_list_sha256;
  std::string episodes_sha256;    ///< "": no few-shot protocol.
  std::int64_t train_images = 0;  ///< Of episodes: of the base classes.
  bool captions = false;
  std::int64_t test_images = 0;
  std::int64_t classes = 0;
  std::int64_t episodes = 0;  ///< 0: no few-shot protocol.
  double supports = 0;        ///< Images of an episode, on the average.
};

/// What a plan has to know of an encoder's weights.
struct PlannedWeights {
  std::string name;
  std::string sha256;
  std::filesystem::path path;
  std::string pipeline;  ///< What they ask for: "clip-224".
  bool text = true;      ///< They have a text tower.
  /// How much work they are; nothing: not known.
  std::optional<EncoderShape> shape{};
};

/// What runs like one took.
struct PlannedCost {
  double seconds = 0;
  std::int64_t rss_bytes = 0;  ///< At its peak; 0: unknown.
};

/// Where the planner gets its facts; `tailmark` fills it in.
struct PlanSources {
  /// The data set's option table. Throws ConfigError for an unknown name.
  std::function<FieldTable(const std::string& dataset)> dataset_options;
  /// Throws DataError when the files are not there: the cells are skipped.
  std::function<PlannedData(const DatasetUse& use, const OptionMap& options,
                            std::int64_t limit)>
      data;
  /// Of `Recipe::weights`. Throws ConfigError or DataError.
  std::function<PlannedWeights(const std::string& weights)> weights;
  /// Version of a named pipeline. Throws ConfigError for an unknown one.
  std::function<int(const std::string& name)> pipeline;
  /// What such a run took before; nothing when none is known.
  std::function<std::optional<PlannedCost>(const RunSpec& spec)> estimate;
};

/// One cell of a campaign, or a task that cells start from.
struct PlanTask {
  std::string label;  ///< The row's name: "linear_probe-db", "probe lr=0.1".
  RunSpec spec;
  std::string recipe;  ///< RecipeId(spec.identity)
  std::string key;     ///< RunKey(spec)
  /// kPlanned; kSkipped (data absent) or kNotApplicable (declared by the
  /// method), both with a reason; kDone once MarkReused() found it.
  RunState state = RunState::kPlanned;
  std::string reason;
  std::optional<double> estimate_s;
  /// Who says so: "recorded" (runs like it), "declared" (the method), "" when
  /// nobody does.
  std::string estimate_from;
  /// Memory it is thought to need: as recorded of such runs, else as the method
  /// declares, but not beyond the limit that the recipe gives it, else that
  /// limit. Bytes; 0: nothing is known.
  std::int64_t rss_bytes = 0;
  /// The same on the GPU, where nothing is recorded and the recipe's limit goes
  /// before the declaration.
  std::int64_t gpu_bytes = 0;
  std::string memory_from;  ///< Of rss_bytes; as above, or "limit".
  Limits limits;
  std::map<std::string, std::string> origins;  ///< Option -> who said so.

  /// False: no row of the recipe, only what rows start from.
  bool row() const { return IsRow(spec); }
};

/// What tasks with the same frozen features have in common: they find them in
/// one cache. "" for a task that looks at no image.
std::string FeatureGroup(const PlanTask& task);

/// "recorded", "declared" or, of "", "unknown".
std::string OriginWord(const std::string& from);
/// What is left to do: "12 to run, about 3:20:00 of one worker (5 recorded, 7
/// declared) and 2 of unknown time".
std::string CostOf(std::span<const PlanTask> tasks);

struct Plan {
  std::string campaign;
  Protocol protocol;
  /// In the order of the recipe; what only others start from stands before the
  /// first of them.
  std::vector<PlanTask> tasks;
  std::vector<std::string> notes;  ///< What a user should hear of.
};

/// Data sets x methods x grid x seeds, each with its key, and the runs they
/// start from (MethodInfo::depends), each once. Cells that are the same run are
/// planned once, with a note. `cache` is where feature caches go.
/// Throws ConfigError for anything the recipe names that is not there.
Plan MakePlan(const Recipe& recipe, const Catalog& catalog,
              const PlanSources& sources, const std::filesystem::path& cache);

/// The first of "cpu", "cuda", "cuda:1": what goes into a key. Throws
/// ConfigError for another word.
std::string DeviceType(const std::string& device);

/// plan.json: an immutable list of tasks, without states. PlanFromJson throws
/// DataError, also when a key is not that of its spec.
Json ToJson(const Plan& plan);
Plan PlanFromJson(const Json& json);

/// same-build: a finished run of this very key. same-recipe: one of the recipe
/// and seed under any build. none: nothing.
enum class Reuse : std::uint8_t { kSameBuild, kSameRecipe, kNone };
Reuse ReuseFromName(std::string_view name);  ///< Throws ConfigError.

/// What the store has of a cell.
struct StoredRun {
  RunState state = RunState::kDone;
  std::string build;
  std::string reason;
  /// Whether its bundle is there, whole, with the fitted state: asked only of
  /// what something starts from, since it reads all of it. Empty: no.
  std::function<bool()> has_state;
};
/// What to run again of what has an entry in the store. Default: all that is
/// not done. `stale`: done, but under another build.
struct Rerun {
  bool failed = true;
  bool missing = true;
  bool stale = false;
};
/// "failed,missing,stale" in any choice. Throws ConfigError.
Rerun RerunFromText(std::string_view text);

/// Sets kDone on what need not run, and its build to that of the run found, so
/// that its key is the stored one; kSkipped with a reason on what `rerun`
/// leaves out. What a run starts from is taken from the store only with its
/// state, undamaged and of the same build, and is kDone too when nothing that
/// is still to run starts from it. `same_key` and `same_recipe` look into the
/// store.
void MarkReused(
    Plan& plan, Reuse reuse, const Rerun& rerun,
    const std::function<std::optional<StoredRun>(const PlanTask&)>& same_key,
    const std::function<std::optional<StoredRun>(const PlanTask&)>&
        same_recipe);

}  // namespace tailmark
