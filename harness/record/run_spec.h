#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/json.h"
#include "harness/base/options.h"

namespace tailmark {

/// A run that another one starts from: its saved state goes into the other's
/// Fit() under this role.
struct RunNeed {
  std::string role;
  std::string recipe;  ///< RecipeId of the needed run.
  std::string key;     ///< RunKey of it: same seed, same build.
};

/// Everything that may change a score, except seed and build; hashed into the
/// recipe id. Batch size is among `method_options`.
struct RunIdentity {
  std::string method;
  int method_version = 1;
  std::string method_artifact;  ///< SHA-256 of a plugin; "" for builtins.
  OptionMap method_options;     ///< Resolved: every field present.

  std::string dataset;
  int dataset_version = 1;
  OptionMap dataset_options;  ///< Resolved.
  std::string manifest_sha256;
  std::string label_policy;
  std::string train_list_sha256;  ///< ListHash: ids and label bits in order.
  std::string test_list_sha256;
  std::int64_t limit =
      0;  ///< First N rows of each split; 0: all. Brands `partial`.

  std::string pipeline;  ///< "clip-224"; "" when the method takes no images.
  int pipeline_version = 1;
  std::string weights_name;  ///< "nano-clip"; "" when none are used.
  std::string weights_sha256;

  std::string device_type = "cpu";  ///< "cpu" or "cuda".
  std::string precision = "fp32";
  bool tf32 = false;
  std::string deterministic = "strict";  ///< "strict" or "off".
  std::string selection = "last";  ///< "last", "validation", "best_on_test".
  /// Of best_on_test: every so many epochs are scored, and the last.
  std::int64_t selection_every = 1;
  std::string episodes_sha256;  ///< EpisodesHash; "": no few-shot protocol.
  /// Share of the training images held out for validation; 0: none.
  double validation = 0;
  /// False: a task that leaves its state for others and scores nothing.
  bool scores = true;
  std::vector<RunNeed> needs;  ///< As MethodInfo::depends lists them.
};

/// Where and how it is executed: never in a key.
struct RunPlace {
  std::string device = "cpu";  ///< "cpu", "cuda:1".
  int threads = 1;
  std::filesystem::path data_root;  ///< "" for made data.
  std::filesystem::path weights;    ///< The weights folder or file.
  std::filesystem::path cache;      ///< Feature cache; "" for none.
  std::filesystem::path plugin;     ///< Of the method; "" for a builtin.
  /// Where the bundles of the needed runs lie, each in a folder of its key.
  std::filesystem::path bundles;
  std::int64_t gpu_bytes = 0;  ///< Limit of GPU memory; 0: none.
  bool keep_state = false;     ///< Leave the fitted state in the bundle.
  double stop_after_s = 0;     ///< Exit 75 with a checkpoint; 0: never.
  std::int64_t stop_after_epochs = 0;  ///< The same after so many; 0: never.
  std::int64_t stop_after_steps = 0;   ///< Batches of training images.
};

/// One run: what `tailmark-worker run SPEC BUNDLE` reads. JSON on disk, schema
/// "tailmark-run/1".
struct RunSpec {
  RunIdentity identity;
  std::uint64_t seed = 0;
  std::string build;  ///< BuildInfo::digest of the worker it was planned for.
  RunPlace place;
  /// For people: campaign name, brands ("partial"), preset name. Not hashed.
  std::string campaign;
  std::vector<std::string> tags;
};

/// Hash of the identity: groups seeds. The keys of `needs` are left out, which
/// seed and build follow from.
std::string RecipeId(const RunIdentity& identity);
/// Hash of (recipe id, seed, build, keys of `needs`): names a result.
std::string RunKey(const RunSpec& spec);

/// The tag of a task that other runs start from and no recipe names: no row of
/// a table.
inline constexpr std::string_view kTaskTag = "task";
/// The tag of a run whose schedule asks for test scores as it trains.
inline constexpr std::string_view kFeedbackTag = "test_feedback";
bool IsRow(const RunSpec& spec);  ///< It has no such tag.

Json ToJson(const RunIdentity& identity);
Json ToJson(const RunSpec& spec);
/// Both throw DataError on a missing or unknown member, naming it.
RunIdentity RunIdentityFromJson(const Json& json);
RunSpec RunSpecFromJson(const Json& json);
RunSpec ReadRunSpec(const std::filesystem::path& path);

}  // namespace tailmark
