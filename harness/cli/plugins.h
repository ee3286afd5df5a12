#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/launch/plan.h"
#include "harness/launch/subprocess.h"
#include "harness/record/catalog.h"
#include "harness/record/plugin_reference.h"
#include "harness/record/recipe.h"

namespace tailmark {

/// The files and folders whose code may run: those of --allow-plugin, and those
/// of "allow_plugins" in the user's config ($XDG_CONFIG_HOME or ~/.config, then
/// tailmark/config.json). Throws DataError for a config that is none.
std::vector<std::filesystem::path> AllowedPlugins(
    const std::vector<std::string>& given);

/// How long a worker may take; 0: as long as it wants.
struct WorkerPatience {
  double wall_s = 0;     ///< Seconds, in all.
  double silence_s = 0;  ///< Seconds without a word or a write to `life`.
  std::filesystem::path life{};
};

/// Runs `tailmark-worker ARGUMENTS...` to its end, calls `meanwhile` again and
/// again until then, and ends what it leaves behind.
ProcessEnd RunWorker(const std::vector<std::string>& arguments,
                     const WorkerPatience& patience,
                     const std::function<void()>& meanwhile = {});

/// Throws ConfigError, which says how to allow it, when `reference` is not in
/// `allowed`.
void RequireAllowed(const std::vector<std::filesystem::path>& allowed,
                    const PluginReference& reference);

/// What a plugin's file says of its methods. Its code runs in a worker of its
/// own, so that whatever it does there is an error here. Throws DataError or
/// ConfigError with the worker's words. What a worker said is kept in
/// `cache`, unless that is "", until the worker changes, the plugin, a file
/// that it names, or a shared object beside it.
std::vector<MethodEntry> AskPlugin(const PluginReference& reference,
                                   const std::filesystem::path& cache = {});

/// Asks each plugin that `recipe` names, puts its method into `catalog`, and
/// lets the recipe's rows go by the method's name. Throws ConfigError for a
/// plugin that is not in `allowed`, a method it does not have, and a name that
/// is taken. One that is there and cannot be loaded is an error too, unless
/// they `may_fail`: then it stands in the catalogue as broken.
void AddPlugins(const std::vector<std::filesystem::path>& allowed,
                bool may_fail, const std::filesystem::path& cache,
                Recipe& recipe, Catalog& catalog);

/// Says of each plugin's run what kind it is ("kind=process"), and `foreign`
/// when it decodes images by itself: what results show.
void TagPlugins(Plan& plan);

}  // namespace tailmark
