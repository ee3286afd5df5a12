#include <cstdio>
#include <fstream>
#include <iostream>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/log.h"
#include "harness/cli/execution.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/partitions.h"
#include "harness/cli/planning.h"
#include "harness/cli/verbs.h"
#include "harness/launch/slurm.h"
#include "harness/record/units.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

struct SlurmVerbOptions {
  PlanOptions plan;
  std::string partition;
  std::optional<std::int64_t> max_parallel;
  std::string time;
  std::string grace;
  std::optional<std::int64_t> gpus;
  std::optional<std::int64_t> cpus;
  std::string memory;
  std::string site;
  bool submit = false;
  bool dry_run = false;
};

struct Answer {
  std::string out;
  bool well = false;
};

/// What a command line of sh printed.
Answer Ask(const std::string& command) {
  Answer answer;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return answer;
  char buffer[4096];
  for (std::size_t n; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    answer.out.append(buffer, n);
  }
  answer.well = pclose(pipe) == 0;
  return answer;
}

std::vector<std::string> LinesOf(const fs::path& path) {
  std::ifstream in(path);
  if (!in) throw ConfigError(StrCat(path.string(), ": cannot be read"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::int64_t Positive(const std::optional<std::int64_t>& value,
                      std::int64_t otherwise, const char* name) {
  if (value && (*value < 1 || *value > 100000)) {
    throw ConfigError(StrCat(name, " ", *value, " is outside [1, 100000]"));
  }
  return value.value_or(otherwise);
}

SlurmOptions OptionsOf(const SlurmVerbOptions& verb, const Plan& plan,
                       const GlobalOptions& global) {
  SlurmOptions options;
  options.name = "tailmark-" + plan.campaign;
  options.program = ExecutableFolder() / "tailmark";
  options.store = fs::absolute(StoreFolder(global));
  options.folder =
      options.store / "slurm" /
      StrCat(plan.campaign, "-", HashOf(ToJson(plan)).substr(0, 8));
  options.partition = verb.partition;
  options.max_parallel = Positive(verb.max_parallel, 16, "--max-parallel");
  options.cpus = Positive(verb.cpus, 1, "--cpus");
  for (const PlanTask& task : plan.tasks) {
    if (!verb.cpus) {
      options.cpus =
          std::max<std::int64_t>(options.cpus, task.spec.place.threads);
    }
    if (task.spec.identity.device_type == "cuda") options.gpus = 1;
  }
  if (verb.gpus) options.gpus = *verb.gpus;
  options.memory = verb.memory;
  if (!verb.time.empty()) options.wall_s = ParseDuration(verb.time, "--time");
  options.grace_s = verb.grace.empty() ? std::min(300.0, options.wall_s / 4)
                                       : ParseDuration(verb.grace, "--grace");
  if (!verb.site.empty()) options.site_lines = LinesOf(verb.site);
  // A machine that only writes the scripts may have no Slurm.
  options.max_array_size =
      MaxArraySizeIn(Ask("scontrol show config 2>/dev/null").out);
  return options;
}

/// Each stage after all jobs of the stage before it.
void Submit(const std::vector<SlurmScript>& scripts, const fs::path& folder) {
  std::string before;
  std::string now;
  int stage = 0;
  for (const SlurmScript& script : scripts) {
    if (script.stage != stage) {
      before = std::move(now);
      now.clear();
      stage = script.stage;
    }
    const std::string path = (folder / script.name).string();
    const Answer answer =
        Ask(StrCat("sbatch --parsable ",
                   before.empty() ? "" : "--dependency=afterany" + before + " ",
                   ShellWord(path)));
    const std::string id =
        answer.out.substr(0, answer.out.find_first_of(";\n"));
    if (!answer.well || id.empty()) {
      throw ConfigError(StrCat("sbatch did not take ", path,
                               "; what it took before it stays submitted"));
    }
    now += ":" + id;
    std::cout << id << "  " << path << "\n";
  }
}

int Slurm(const SlurmVerbOptions& verb, const GlobalOptions& global) {
  DataAccess data(CacheIfThere(global));
  std::optional<Store> store;
  if (StoreExists(StoreFolder(global))) {
    store.emplace(StoreFolder(global), StoreOptions{.read_only = true});
  }
  const Campaign campaign =
      MakeCampaign(verb.plan, global, data, store ? &*store : nullptr);
  const Plan& plan = campaign.plan;
  const SlurmOptions options = OptionsOf(verb, plan, global);
  const auto scripts = SlurmScripts(plan, options);
  if (scripts.empty()) {
    LogWarning("nothing is to run");
    return kExitNothing;
  }
  if (verb.dry_run) {
    for (const SlurmScript& script : scripts) {
      std::cout << "# " << (options.folder / script.name).string() << "\n"
                << script.text << "\n";
    }
    return kExitOk;
  }
  // Before any job: status, resume and reports then know the whole of it.
  store.emplace(StoreFolder(global));
  KeepPartitions(plan, data, StoreFolder(global) / "partitions");
  KeepCampaign(
      *store, plan,
      {{"recipe", campaign.recipe.source.json()}, {"plan", ToJson(plan)}},
      RunCommand(verb.plan));
  MakeFolders(options.folder / "log");
  WriteFileAtomic(options.folder / "plan.json", ToJson(plan).dump(1) + "\n");
  for (const SlurmScript& script : scripts) {
    WriteFileAtomic(options.folder / script.name, script.text);
  }
  if (verb.submit) {
    Submit(scripts, options.folder);
    return kExitOk;
  }
  std::cout << scripts.size() << " scripts are in " << options.folder.string()
            << "; with --submit they are submitted too\n";
  return kExitOk;
}

void Declare(Args& args, SlurmVerbOptions& options) {
  DeclarePlanOptions(args, options.plan);
  args.Option("--partition", options.partition, "NAME",
              "Default: the cluster's");
  args.Option("--max-parallel", options.max_parallel, "N",
              "Array elements at a time (default: 16)");
  args.Option("--time", options.time, "TIME",
              "Limit of an element (default: 4h); what is not done by then "
              "goes on in the next");
  args.Option("--grace", options.grace, "TIME",
              "How long before the limit it stops itself (default: 5m, at "
              "most a quarter of it)");
  args.Option("--gpus", options.gpus, "N",
              "Of an element (default: 1 when the device is cuda)");
  args.Option("--cpus", options.cpus, "N",
              "Of an element (default: the threads of a run)");
  args.Option("--mem", options.memory, "SIZE", "Of an element, 8G");
  args.Option("--site", options.site, "FILE",
              "Lines of your cluster: #SBATCH --account=..., module load ...");
  args.Flag("--submit", options.submit, "Call sbatch");
  args.Flag("--dry-run", options.dry_run, "Print the scripts, write nothing");
}

}  // namespace

Verb SlurmVerb(const GlobalOptions& global) {
  auto options = std::make_shared<SlurmVerbOptions>();
  return {.name = "slurm",
          .summary = "Run a recipe as arrays of a Slurm cluster",
          .example =
              "tailmark slurm quickstart --partition gpu --max-parallel 8 "
              "--submit",
          .declare = [options](Args& args) { Declare(args, *options); },
          .run = [options, &global] { return Slurm(*options, global); }};
}

}  // namespace tailmark
