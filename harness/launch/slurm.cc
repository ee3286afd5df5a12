#include "harness/launch/slurm.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <span>

#include "harness/base/error.h"

namespace tailmark {
namespace {

constexpr double kSmall = 300;  // seconds

/// How many runs must end one after the other before each.
std::vector<int> StagesOf(const Plan& plan) {
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    index[plan.tasks[i].key] = i;
  }
  std::vector<int> stages(plan.tasks.size(), 0);
  // A plan has no circles, so that this ends.
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
      for (const RunNeed& need : plan.tasks[i].spec.identity.needs) {
        const auto it = index.find(need.key);
        if (it == index.end() ||
            plan.tasks[it->second].state != RunState::kPlanned ||
            stages[i] > stages[it->second]) {
          continue;
        }
        stages[i] = stages[it->second] + 1;
        changed = true;
      }
    }
  }
  return stages;
}

/// What one array element runs.
struct Element {
  std::string numbers;  ///< "4" or "0,1,7"
  std::vector<PlanTask> tasks;
};

/// Those that share features are side by side: the first one of an element
/// leaves them to the others.
std::vector<Element> ElementsOf(const Plan& plan,
                                std::vector<std::size_t> tasks) {
  std::map<std::string, std::size_t> groups;  // In order of appearance.
  for (const std::size_t index : tasks) {
    groups.try_emplace(FeatureGroup(plan.tasks[index]), groups.size());
  }
  std::stable_sort(tasks.begin(), tasks.end(), [&](auto a, auto b) {
    return groups.at(FeatureGroup(plan.tasks[a])) <
           groups.at(FeatureGroup(plan.tasks[b]));
  });
  std::vector<Element> elements;
  double filled = kSmall;
  for (const std::size_t index : tasks) {
    const PlanTask& task = plan.tasks[index];
    const double seconds = task.estimate_s.value_or(kSmall);
    if (filled + seconds > kSmall) {
      elements.push_back({.numbers = std::to_string(index), .tasks = {task}});
      filled = seconds;
    } else {
      elements.back().numbers += "," + std::to_string(index);
      elements.back().tasks.push_back(task);
      filled += seconds;
    }
  }
  return elements;
}

/// "1-02:03:04"
std::string SlurmTime(double seconds) {
  const auto all = static_cast<std::int64_t>(seconds);
  const auto two = [](std::int64_t value) {
    return StrCat(value < 10 ? "0" : "", value);
  };
  return StrCat(all / 86400, "-", two(all / 3600 % 24), ":", two(all / 60 % 60),
                ":", two(all % 60));
}

std::string Head(const SlurmOptions& options, const std::string& job) {
  std::string text = StrCat("#!/bin/bash\n#SBATCH --job-name=", options.name,
                            job, "\n#SBATCH --open-mode=append\n");
  if (!options.partition.empty()) {
    text += StrCat("#SBATCH --partition=", options.partition, "\n");
  }
  return text;
}

/// Slurm reads no #SBATCH line behind the first command.
std::string SiteLines(const SlurmOptions& options) {
  std::string directives;
  std::string commands;
  for (const std::string& line : options.site_lines) {
    (line.starts_with("#SBATCH") ? directives : commands) += line + "\n";
  }
  return directives + commands;
}

std::string Needs(const SlurmOptions& options) {
  std::string text = StrCat("#SBATCH --cpus-per-task=", options.cpus, "\n");
  if (options.gpus > 0)
    text += StrCat("#SBATCH --gres=gpu:", options.gpus, "\n");
  if (!options.memory.empty()) {
    text += StrCat("#SBATCH --mem=", options.memory, "\n");
  }
  return text;
}

// $pid: a signal ends `wait` before the child has ended. scancel sends SIGTERM
// too, and what was cancelled must not come back: hence SIGUSR1 as the warning,
// and no requeue once SIGTERM came.
constexpr const char* kBody = R"(pid=$!
wait "$pid"; rc=$?
while kill -0 "$pid" 2>/dev/null; do wait "$pid"; rc=$?; done
# 75: stopped with a checkpoint, and there is more to do.
if [ "$rc" -eq 75 ] || { [ -n "$warned" ] && [ "$rc" -eq 143 ]; }; then
  [ -z "$cancelled" ] || exit 75
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}" 2>/dev/null || exit 75
  sleep 60
fi
exit "$rc"
)";

std::string ArrayText(const SlurmOptions& options,
                      std::span<const Element> elements) {
  std::vector<PlanTask> tasks;
  for (const Element& each : elements) {
    tasks.insert(tasks.end(), each.tasks.begin(), each.tasks.end());
  }
  std::string text =
      Head(options, "") +
      StrCat(
          "#SBATCH --array=0-", elements.size() - 1, "%", options.max_parallel,
          "\n#SBATCH --time=", SlurmTime(options.wall_s), "\n", Needs(options),
          "#SBATCH --requeue\n#SBATCH --signal=B:USR1@",
          static_cast<std::int64_t>(options.grace_s / 2),
          "\n#SBATCH --output=", options.folder.string(), "/log/%A_%a.out\n") +
      SiteLines(options) +
      "set -u\n# The tasks of each element: " + CostOf(tasks) + ".\nelements=(";
  for (std::size_t i = 0; i < elements.size(); ++i) {
    text += (i % 8 == 0 ? "\n  " : " ") + elements[i].numbers;
  }
  const auto stop = static_cast<std::int64_t>(options.wall_s - options.grace_s);
  return text +
         StrCat(
             "\n)\nwarned=\ncancelled=\npid=\n"
             "trap 'warned=1; kill -TERM \"$pid\" 2>/dev/null' USR1\n"
             "trap 'cancelled=1; kill -TERM \"$pid\" 2>/dev/null' TERM\n",
             ShellWord(options.program.string()), " worker --store ",
             ShellWord(options.store.string()), " --plan ",
             ShellWord((options.folder / "plan.json").string()),
             " --task \"${elements[$SLURM_ARRAY_TASK_ID]}\" --stop-after ",
             stop, "s &\n", kBody);
}

std::string MergeText(const SlurmOptions& options) {
  return Head(options, "-merge") +
         StrCat("#SBATCH --time=", SlurmTime(3600),
                "\n#SBATCH --output=", options.folder.string(),
                "/log/merge-%j.out\n") +
         SiteLines(options) +
         StrCat("set -u\n", ShellWord(options.program.string()),
                " import --store ", ShellWord(options.store.string()), " ",
                ShellWord((options.store / "bundles").string()), "\n");
}

}  // namespace

std::vector<SlurmScript> SlurmScripts(const Plan& plan,
                                      const SlurmOptions& options) {
  if (options.wall_s < 2 * options.grace_s) {
    throw ConfigError(StrCat("a time limit of ", options.wall_s,
                             " s leaves no time to work: each element stops ",
                             options.grace_s, " s earlier"));
  }
  const std::vector<int> stages = StagesOf(plan);
  std::map<int, std::vector<std::size_t>> by_stage;
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    if (plan.tasks[i].state == RunState::kPlanned) {
      by_stage[stages[i]].push_back(i);
    }
  }
  std::vector<SlurmScript> scripts;
  int last = 0;
  for (const auto& [stage, tasks] : by_stage) {
    const auto elements = ElementsOf(plan, tasks);
    const auto most = static_cast<std::size_t>(
        std::max<std::int64_t>(options.max_array_size, 1));
    for (std::size_t at = 0; at < elements.size(); at += most) {
      const auto end = std::min(at + most, elements.size());
      scripts.push_back({.name = StrCat("array-", scripts.size(), ".sbatch"),
                         .text = ArrayText(options, std::span(elements).subspan(
                                                        at, end - at)),
                         .stage = stage});
    }
    last = stage + 1;
  }
  if (scripts.empty()) return {};
  scripts.push_back(
      {.name = "merge.sbatch", .text = MergeText(options), .stage = last});
  return scripts;
}

std::int64_t MaxArraySizeIn(const std::string& config) {
  constexpr std::int64_t kDefault = 1001;
  const auto at = config.find("MaxArraySize");
  if (at == config.npos) return kDefault;
  const auto equals = config.find('=', at);
  if (equals == config.npos) return kDefault;
  const std::int64_t value = std::atoll(config.c_str() + equals + 1);
  return value > 0 ? value : kDefault;
}

std::string ShellWord(const std::string& word) {
  const bool plain =
      !word.empty() && word.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXY"
                           "Z0123456789_./=:,+-@%") == word.npos;
  if (plain) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

}  // namespace tailmark
