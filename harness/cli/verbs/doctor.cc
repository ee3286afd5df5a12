#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <thread>

#include "datasets/images/fingerprint.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/progress.h"
#include "harness/cli/cache_files.h"
#include "harness/cli/data_status.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/noise.h"
#include "harness/cli/planning.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"
#include "harness/launch/task_run.h"
#include "harness/record/build_info.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

/// One thing looked at. `good` false is worth acting on; only `fatal` ones make
/// the exit code 2.
struct Symptom {
  std::string name;
  std::string value;
  bool good = true;
  bool fatal = false;
  std::string advice = {};
};

std::string CpuName() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name")) {
      return line.substr(std::min(line.find(": ") + 2, line.size()));
    }
  }
  return "unknown";
}

Symptom Worker() {
  try {
    const fs::path worker = WorkerProgram();
    const Catalog catalog = LoadCatalog();
    const bool same = catalog.build.digest == ThisBuild().digest;
    return {.name = "worker",
            .value = StrCat(worker.string(), ", LibTorch ",
                            catalog.build.torch_version, ", ",
                            catalog.methods.size(), " methods"),
            .good = same,
            .advice = same ? ""
                           : "the catalogue is of another build than this "
                             "program; build both again"};
  } catch (const Error& error) {
    return {.name = "worker",
            .value = "none",
            .good = false,
            .advice = error.what()};
  }
}

Symptom StorePlace(const GlobalOptions& global) try {
  const fs::path folder = StoreFolder(global);
  const FileSystem kind = FileSystemKind(folder);
  const fs::space_info space =
      fs::space(fs::exists(folder) ? folder : fs::current_path());
  const bool small = space.available < (std::uintmax_t{1} << 30);
  Symptom symptom{
      .name = "store",
      .value = StrCat(folder.string(), " on ", kind.name, ", ",
                      FormatBytes(static_cast<double>(space.available)),
                      " free", StoreExists(folder) ? "" : " (not made yet)")};
  if (StoreExists(folder)) Store(folder, {.read_only = true});
  symptom.good = !kind.network && !small;
  if (kind.network) {
    symptom.advice =
        "on a network file system SQLite keeps a slower journal, and one "
        "process at a time should write";
  }
  if (small) symptom.advice = "less than 1 GiB is free";
  return symptom;
} catch (const StoreError& error) {
  return {.name = "store",
          .value = "cannot be opened",
          .good = false,
          .fatal = true,
          .advice = error.what()};
}

/// A data set that is here in part is worth a look; one that is not here at all
/// is nobody's fault.
Symptom DataPlace(const DatasetInfo& info, DataAccess& data) {
  const fs::path root = DefaultDataRoot(info);
  const DataStatus status = StatusOf(info, root, data);
  const std::string where =
      root.empty() ? std::string("made, no files")
                   : StrCat(root.string(), " on ", FileSystemKind(root).name);
  const bool absent =
      status.images > 0 && status.missing_images == status.images;
  return {.name = "data " + info.name,
          .value = StrCat(status.missing.empty() ? "ready"
                          : absent               ? "not here"
                                                 : "incomplete",
                          ", ", where),
          .good = status.missing.empty() || absent,
          .advice = absent ? StrCat("tailmark data fetch ", info.name,
                                    " gets its ", status.images, " images")
                           : status.missing};
}

std::vector<Symptom> DataPlaces() {
  DataAccess data;
  std::vector<Symptom> all;
  for (const std::string& name : data.registry().Names()) {
    const DatasetInfo& info = data.registry().Find(name).info;
    // Files that a recipe names.
    if (info.needs_root && !info.fetchable) continue;
    all.push_back(DataPlace(info, data));
  }
  return all;
}

Symptom Gpu() {
  std::ifstream in("/proc/driver/nvidia/version");
  std::string line;
  const bool driver = static_cast<bool>(std::getline(in, line));
  return {.name = "gpu", .value = driver ? line : "no NVIDIA driver"};
}

std::vector<Symptom> Look(const GlobalOptions& global) {
  utsname system{};
  uname(&system);
  const double memory = static_cast<double>(sysconf(_SC_PHYS_PAGES)) *
                        static_cast<double>(sysconf(_SC_PAGESIZE));
  const BuildInfo& build = ThisBuild();
  std::vector<Symptom> all;
  all.push_back(
      {.name = "tailmark",
       .value = StrCat(build.version, ", build ", build.digest.substr(0, 12),
                       ", ", build.build_type)});
  all.push_back(
      {.name = "sources",
       .value = build.git_sha.empty()
                    ? "no git checkout"
                    : StrCat(build.branch, " ", build.git_sha.substr(0, 12),
                             build.dirty ? ", with changes" : ""),
       .good = !build.dirty,
       .advice = build.dirty ? "results say that the sources were "
                               "changed; commit before a claim"
                             : ""});
  all.push_back(
      {.name = "compiler", .value = StrCat(build.compiler, " ", build.flags)});
  all.push_back(Worker());
  all.push_back(Gpu());
  all.push_back(
      {.name = "cpu",
       .value = StrCat(CpuName(), ", ", std::thread::hardware_concurrency(),
                       " cores")});
  all.push_back({.name = "memory", .value = FormatBytes(memory)});
  all.push_back(
      {.name = "system", .value = StrCat(system.sysname, " ", system.release)});
  all.push_back(StorePlace(global));
  const fs::path cache = CacheFolder(global);
  const auto bytes = [&cache](CacheKind kind) {
    return FormatBytes(static_cast<double>(CacheBytes(cache, kind)));
  };
  all.push_back(
      {.name = "cache",
       .value = StrCat(bytes(CacheKind::kFeatures), " of features in ",
                       cache.string(), ", ", bytes(CacheKind::kPlugin),
                       " of what workers said of plugins, ",
                       bytes(CacheKind::kHashes), " of hashes of files")});
  for (Symptom& each : DataPlaces()) all.push_back(std::move(each));
  all.push_back({.name = "pipeline", .value = PipelineFingerprint()});
  return all;
}

int Doctor(bool json, const GlobalOptions& global) {
  const std::vector<Symptom> all = Look(global);
  bool fatal = false;
  OrderedJson answer = OrderedJson::array();
  std::vector<std::vector<std::string>> table;
  for (const Symptom& each : all) {
    fatal = fatal || each.fatal;
    answer.push_back({{"name", each.name},
                      {"value", each.value},
                      {"good", each.good},
                      {"advice", each.advice}});
    table.push_back({each.good ? "ok" : "look", each.name, each.value});
    if (!each.advice.empty()) table.push_back({"", "", each.advice});
  }
  std::cout << (json ? OrderedJson({{"checks", answer}}).dump(2) + "\n"
                     : TextTable(table));
  return fatal ? kExitStore : kExitOk;
}

struct DoctorOptions {
  bool json = false;
  bool noise = false;
  NoiseOptions of;
};

int Run(DoctorOptions options, const GlobalOptions& global) {
  if (!options.noise) return Doctor(options.json, global);
  if (options.of.plan.recipe.empty()) options.of.plan.recipe = "quickstart";
  if (options.of.plan.overrides.only.empty()) {
    options.of.plan.overrides.only = {"method=linear_probe-bce"};
  }
  return MeasureNoise(options.of, options.json, global);
}

}  // namespace

Verb DoctorVerb(const GlobalOptions& global) {
  auto options = std::make_shared<DoctorOptions>();
  return {.name = "doctor",
          .summary = "What this machine and this build are, and what to mind",
          .example = "tailmark doctor --noise --repeats 5",
          .declare =
              [options](Args& args) {
                args.Flag("--noise", options->noise,
                          "Repeat one run A/A on this machine and keep how far "
                          "the repeats are apart");
                args.Option("--repeats", options->of.repeats, "N",
                            "Of --noise, 2 or more (default: 3)");
                args.Option("--recipe", options->of.plan.recipe, "RECIPE",
                            "Of --noise (default: quickstart)");
                args.Repeated("--only", options->of.plan.overrides.only,
                              "WHAT=NAME",
                              "Of --noise (default: method=linear_probe-bce)");
                args.Repeated("--set", options->of.plan.overrides.set,
                              "A.B=VALUE", "Set a value of the recipe");
                args.Option("--device", options->of.plan.overrides.device,
                            "DEVICE", "cpu, cuda, cuda:N or auto");
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options, &global] { return Run(*options, global); }};
}

}  // namespace tailmark
