#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/json.h"
#include "harness/record/plugin_reference.h"
#include "harness/record/sourced_json.h"

namespace tailmark {

/// A value as written, not yet checked against an option table, and who wrote
/// it.
struct WrittenValue {
  Json value;
  Origin origin;
};
using WrittenOptions = std::map<std::string, WrittenValue, std::less<>>;

/// What a run may use before it is stopped. 0: no limit.
struct Limits {
  double wall_s = 0;
  double cpu_s = 0;      ///< Of the worker and what it starts.
  double silence_s = 0;  ///< Without a sign of life.
  std::int64_t rss_bytes = 0;
  std::int64_t gpu_bytes = 0;  ///< Of LibTorch's allocator on the GPU.
  int threads = 1;             ///< Of one worker.
  /// State ("killed", "oom", ...) -> how often it is tried again.
  std::map<std::string, int> retries;
};

/// A data set as a recipe names it.
struct DatasetUse {
  std::string use;   ///< Its name in the registry.
  std::string name;  ///< What the recipe calls it; `use` when it does not.
  /// What results call it: "embedded", "folder:holidays".
  std::string FullName() const { return name == use ? use : use + ":" + name; }
  WrittenOptions options;
  std::filesystem::path root;  ///< "" for made data.
  /// Why it cannot be used, when an environment variable in `root` is unset.
  std::string missing;
};

/// A method as a recipe names it; lists of options are axes of a grid.
struct MethodUse {
  /// Its name in the catalogue. Of a plugin, what the recipe wrote until its
  /// file has been asked.
  std::string use;
  std::string name;
  std::optional<PluginReference> plugin;  ///< Nothing for a builtin.
  std::string preset;                     ///< "" for none.
  Origin preset_origin;
  WrittenOptions options;
  /// Names of the data sets it runs on, as the recipe calls them; empty: all.
  std::vector<std::string> on;
  std::vector<std::uint64_t> seeds;
  /// "last" or "best_on_test" in place of the protocol's rule; "": that one.
  std::string selection;
  std::int64_t selection_every = 1;
  Limits limits;
};

struct Protocol {
  std::string selection = "last";  ///< "last", "validation", "best_on_test".
  /// Of best_on_test: every so many epochs are candidates, and the last.
  std::int64_t selection_every = 1;
  double validation = 0;  ///< Share of the training images held out.
  std::string definition = "ap.step";
  std::vector<std::string> also;
};

struct Numerics {
  std::string device = "cpu";  ///< "cpu", "cuda", "cuda:1", "auto".
  std::string precision = "fp32";
  bool tf32 = false;
  std::string deterministic = "strict";
};

/// A campaign: data sets x methods x grid x seeds.
struct Recipe {
  std::string campaign;
  std::vector<DatasetUse> datasets;
  std::vector<MethodUse> methods;
  std::string weights;  ///< "nano-clip" or a path; "" for none.
  /// What it is called in results; the folder's name when not given.
  std::string weights_name;
  std::string pipeline;  ///< "": clip-<size> as the weights want it.
  Protocol protocol;
  Numerics numerics;
  std::int64_t limit = 0;
  SourcedJson source;  ///< As merged, for `plan --explain`.
};

/// What the command line adds to a recipe file.
struct RecipeOverrides {
  std::vector<std::string> set;   ///< "a.b=1"
  std::vector<std::string> only;  ///< "method=lmpt", "dataset=embedded"
  std::string seeds;              ///< "0-4"; "" leaves the recipe's.
  std::string device;             ///< "" leaves the recipe's.
  std::optional<std::int64_t> limit;
};

/// Reads a recipe and everything it includes. `--set` paths start with a member
/// of the recipe ("numerics.tf32"), "methods.NAME", "datasets.NAME", or with
/// the name of a method or data set, and then mean its options. Throws
/// ConfigError that begins with the file, DataError for a file that is no JSON.
Recipe LoadRecipe(const std::filesystem::path& path,
                  const RecipeOverrides& overrides);

}  // namespace tailmark
