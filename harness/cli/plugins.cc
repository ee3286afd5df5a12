#include "harness/cli/plugins.h"

#include <algorithm>
#include <map>

#include "harness/base/digest.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/interrupt.h"
#include "harness/base/suggest.h"
#include "harness/base/temporary_folder.h"
#include "harness/cli/score_rows.h"
#include "harness/launch/fork_server.h"
#include "harness/launch/subprocess.h"
#include "harness/launch/task_run.h"
#include "harness/plugin/kind.h"
#include "harness/record/json_members.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr double kDescribePatience = 60;  // Seconds to say what it is.

/// How a worker that could not answer ended, in its own words where it has
/// some.
std::string WhyNot(const PluginReference& reference, const ProcessEnd& end) {
  std::string text = end.tail;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (end.exit_code && *end.exit_code != 0 && !text.empty()) return text;
  const std::string how =
      end.cause == EndCause::kWallTime
          ? StrCat("said nothing for ", kDescribePatience, " s")
      : end.signal ? StrCat("ended with signal ", *end.signal)
                   : StrCat("ended with code ", end.exit_code.value_or(0));
  return StrCat(reference.path.string(), ": asked for its methods, it ", how,
                text.empty() ? "" : "; it said: " + text);
}

fs::path UserConfig() {
  if (const auto folder = GetEnv("XDG_CONFIG_HOME")) {
    return fs::path(*folder) / "tailmark/config.json";
  }
  if (const auto home = GetEnv("HOME")) {
    return fs::path(*home) / ".config/tailmark/config.json";
  }
  return {};
}

bool IsAllowed(const std::vector<fs::path>& allowed, const fs::path& file) {
  const fs::path plugin = fs::weakly_canonical(file);
  return std::any_of(allowed.begin(), allowed.end(), [&](const fs::path& each) {
    const auto end =
        std::mismatch(each.begin(), each.end(), plugin.begin(), plugin.end());
    return end.first == each.end();
  });
}

MethodEntry Choose(const PluginReference& reference,
                   const std::vector<MethodEntry>& methods) {
  if (reference.method.empty() && methods.size() == 1) return methods.front();
  std::vector<std::string> names;
  for (const MethodEntry& method : methods) {
    if (method.name == reference.method) return method;
    names.push_back(method.name);
  }
  if (reference.method.empty()) {
    throw ConfigError(StrCat(reference.path.string(), " has ", names.size(),
                             " methods; add #NAME of one: ", names.front(),
                             names.size() > 1 ? ", ..." : ""));
  }
  throw ConfigError(StrCat(reference.path.string(), ": ",
                           UnknownName("method", reference.method, names)));
}

/// Other shared objects in its folder, which it may link.
std::vector<fs::path> SharedObjectsBeside(const fs::path& plugin) {
  std::vector<fs::path> found;
  for (const auto& entry :
       fs::directory_iterator(fs::absolute(plugin).parent_path())) {
    const std::string name = entry.path().filename().string();
    if (name != plugin.filename() && name.find(".so") != name.npos &&
        entry.is_regular_file()) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// What a plugin is made of, as far as it says; empty where the worker has
/// something to say about that, or where it is too much to look at.
std::vector<fs::path> FilesOfPlugin(const fs::path& plugin) {
  constexpr std::size_t kMostBeside = 64;
  const std::string kind = KindOfPlugin(plugin).name;
  std::vector<fs::path> files = {plugin};
  Json names = Json::array();
  if (kind == "process") {
    files.push_back(SharedFile("harness/plugin/python/tailmark_method.py"));
    names = ReadJson(plugin).value("files", Json::array());
  } else if (kind == "torchscript" || kind == "aoti") {
    names = Json::array({ReadJson(plugin).value("file", Json())});
  } else {
    const auto beside = SharedObjectsBeside(plugin);
    if (beside.size() > kMostBeside) return {};
    files.insert(files.end(), beside.begin(), beside.end());
  }
  for (const Json& name : names) {
    if (!name.is_string()) return {};
    files.push_back(plugin.parent_path() / name.get<std::string>());
  }
  return files;
}

/// Where the worker's answer is kept, by the worker and the plugin's files; a
/// start of LibTorch is saved each time. "": not kept.
fs::path AnswerFile(const PluginReference& reference, const fs::path& cache) {
  if (cache.empty()) return {};
  try {
    const fs::path worker = WorkerProgram();
    std::string all =
        StrCat(fs::canonical(worker).string(), " ", fs::file_size(worker), " ",
               fs::last_write_time(worker).time_since_epoch().count());
    const auto files = FilesOfPlugin(reference.path);
    if (files.empty()) return {};
    for (const fs::path& each : files) {
      all += StrCat("\n", Sha256File(each), " ", each.filename().string());
    }
    return cache / "plugins" / (Sha256Hex(all) + ".json");
  } catch (const Error&) {
    return {};
  } catch (const fs::filesystem_error&) {
    return {};
  }
}

/// What is kept there; null: nothing.
Json Kept(const fs::path& file) {
  std::error_code code;
  if (file.empty() || !fs::is_regular_file(file, code)) return nullptr;
  try {
    return ReadJson(file);
  } catch (const Error&) {
    return nullptr;  // It is asked for again.
  }
}

void Keep(const fs::path& file, const Json& answer) {
  if (file.empty()) return;
  try {
    MakeFolders(file.parent_path());
    WriteFileAtomic(file, answer.dump(1) + "\n");
  } catch (const Error&) {
    // Where nothing can be written it is asked for each time.
  }
}

/// AskPlugin(), or an entry that says why it cannot be asked.
std::vector<MethodEntry> Ask(const PluginReference& reference, bool may_fail,
                             const fs::path& cache) {
  if (!may_fail || !fs::is_regular_file(reference.path)) {
    return AskPlugin(reference, cache);
  }
  const auto broken = [&](const char* why) {
    MethodEntry entry;
    entry.name = reference.method.empty() ? reference.path.stem().string()
                                          : reference.method;
    entry.input = "none";
    entry.plugin = reference.path;
    entry.broken = why;
    return std::vector{std::move(entry)};
  };
  try {
    return AskPlugin(reference, cache);
  } catch (const ConfigError& error) {
    return broken(error.what());
  } catch (const DataError& error) {
    return broken(error.what());
  }
}

}  // namespace

std::vector<fs::path> AllowedPlugins(const std::vector<std::string>& given) {
  std::vector<fs::path> allowed;
  for (const std::string& each : given) {
    allowed.push_back(fs::weakly_canonical(each));
  }
  const fs::path config = UserConfig();
  if (config.empty() || !fs::is_regular_file(config)) return allowed;
  const Json json = ReadJson(config);
  JsonMembers members(json, config.string());
  for (const std::string& each :
       members.Get<std::vector<std::string>>("allow_plugins", {})) {
    allowed.push_back(fs::weakly_canonical(config.parent_path() / each));
  }
  members.Finish();
  return allowed;
}

ProcessEnd RunWorker(const std::vector<std::string>& arguments,
                     const WorkerPatience& patience,
                     const std::function<void()>& meanwhile) {
  TemporaryFolder scratch;
  ProcessOptions options{.program = WorkerProgram(),
                         .arguments = {"--quiet"},
                         .log = scratch.path() / "log.txt",
                         .wall_s = patience.wall_s,
                         .silence_s = patience.silence_s,
                         .life = patience.life,
                         .grace_s = 2};
  options.arguments.insert(options.arguments.end(), arguments.begin(),
                           arguments.end());
  // A toy's arithmetic, and the same start as a run of one thread.
  options.environment = ThreadVariables(1);
  options.fork_loaded = WorkerServes();
  options.environment["TAILMARK_SCRATCH"] = scratch.path().string();
  Subprocess process(options);
  while (true) {
    if (const auto end = process.Poll()) return *end;
    ThrowIfInterrupted();
    if (meanwhile) meanwhile();
    Subprocess* const all[] = {&process};
    Subprocess::WaitForAny(all, 0.05);
  }
}

void RequireAllowed(const std::vector<fs::path>& allowed,
                    const PluginReference& reference) {
  if (IsAllowed(allowed, reference.path)) return;
  throw ConfigError(StrCat(
      reference.path.string(),
      ": is third-party code, which runs only when you say so: add "
      "--allow-plugin ",
      reference.path.string(), ", or its folder to \"allow_plugins\" in ",
      UserConfig().string()));
}

namespace {

/// What the worker says of it.
Json Answer(const PluginReference& reference) {
  TemporaryFolder scratch;
  const fs::path answer = scratch.path() / "catalog.json";
  const ProcessEnd end = RunWorker(
      {"catalog", answer.string(), "--plugin", reference.path.string()},
      {.wall_s = kDescribePatience});
  if (end.cause != EndCause::kExit || end.exit_code != 0) {
    throw ConfigError(WhyNot(reference, end));
  }
  return ReadJson(answer);
}

}  // namespace

std::vector<MethodEntry> AskPlugin(const PluginReference& reference,
                                   const fs::path& cache) {
  if (!fs::is_regular_file(reference.path)) {
    throw ConfigError(reference.path.string() + ": no such plugin");
  }
  const fs::path kept = AnswerFile(reference, cache);
  Json json = Kept(kept);
  if (json.is_null()) {
    json = Answer(reference);
    // Of what was there all the while, not of what was built meanwhile.
    if (AnswerFile(reference, cache) == kept) Keep(kept, json);
  }
  std::vector<MethodEntry> methods =
      CatalogFromJson(json.at("catalog")).methods;
  for (MethodEntry& method : methods) {
    method.plugin = reference.path;
    method.artifact_sha256 = json.at("artifact_sha256").get<std::string>();
  }
  return methods;
}

void AddPlugins(const std::vector<fs::path>& allowed, bool may_fail,
                const fs::path& cache, Recipe& recipe, Catalog& catalog) {
  std::map<fs::path, std::vector<MethodEntry>> asked;
  for (MethodUse& use : recipe.methods) {
    if (!use.plugin) continue;
    const PluginReference& reference = *use.plugin;
    RequireAllowed(allowed, reference);
    auto known = asked.find(reference.path);
    if (known == asked.end()) {
      known =
          asked.emplace(reference.path, Ask(reference, may_fail, cache)).first;
    }
    MethodEntry method = known->second.front();
    if (method.broken.empty()) {
      method = Choose(reference, known->second);
    } else {
      // Nobody knows what it would have taken.
      use.options.clear();
      use.preset.clear();
    }
    if (use.name == use.use) use.name = method.name;
    use.use = method.name;
    const auto same = std::find_if(
        catalog.methods.begin(), catalog.methods.end(),
        [&](const MethodEntry& each) { return each.name == method.name; });
    if (same == catalog.methods.end()) {
      catalog.methods.push_back(method);
    } else if (same->plugin != method.plugin) {
      throw ConfigError(
          StrCat("two methods are called '", method.name, "': that of ",
                 method.plugin.string(), " and ",
                 same->plugin.empty() ? "a builtin" : same->plugin.string(),
                 "; rename one"));
    }
  }
}

void TagPlugins(Plan& plan) {
  for (PlanTask& task : plan.tasks) {
    RunSpec& spec = task.spec;
    if (spec.place.plugin.empty() || task.state == RunState::kSkipped) continue;
    if (IsScoreFile(spec.place.plugin)) continue;
    const PluginKind kind = KindOfPlugin(spec.place.plugin);
    spec.tags.push_back("kind=" + kind.name);
    if (kind.foreign) spec.tags.emplace_back("foreign");
  }
}

}  // namespace tailmark
