#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/log.h"
#include "harness/cli/execution.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/planning.h"
#include "harness/cli/verbs.h"
#include "harness/record/ustar.h"
#include "results/campaign.h"
#include "results/query.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

struct ImportOptions {
  std::vector<std::string> bundles;
  std::string root;
  std::string campaign;
  bool json = false;
};

struct ExportOptions {
  std::vector<std::string> runs;
  std::string out;
  std::string campaign;
};

/// A folder that goes away with its owner.
class Unpacked {
 public:
  explicit Unpacked(const fs::path& near)
      : path_(near / StrCat("import.tmp.", getpid())) {
    fs::remove_all(path_);
  }
  ~Unpacked() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Unpacked(const Unpacked&) = delete;
  Unpacked& operator=(const Unpacked&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Copies a bundle to where the store keeps its own, whole or not at all.
fs::path CopyIn(const fs::path& bundle, const fs::path& to) {
  if (fs::weakly_canonical(bundle) == fs::weakly_canonical(to)) return to;
  const fs::path making = StrCat(to.string(), ".tmp.", getpid());
  std::error_code code;
  fs::remove_all(making, code);
  fs::copy(bundle, making, fs::copy_options::recursive, code);
  if (!code) fs::remove_all(to, code);
  if (!code) fs::rename(making, to, code);
  if (code) {
    throw StoreError(
        StrCat(to.string(), ": cannot be written: ", code.message()));
  }
  SyncFolder(to.parent_path());
  return to;
}

class Importer {
 public:
  Importer(const ImportOptions& options, Store& store, const fs::path& cache)
      : options_(options), store_(store), data_(cache) {}

  void Take(const fs::path& bundle) {
    RunRecord record = ReadBundle(bundle);
    // Where the files lie is this machine's business.
    if (!options_.root.empty()) {
      record.spec.place.data_root = fs::absolute(options_.root);
    }
    const std::string key = RunKey(record.spec);
    const bool done = record.state == RunState::kDone;
    if (done) data_.FactsOf(record.spec);  // before anything is copied
    MakeFolders(store_.bundles());
    const TaskResult kept = keeper_.Keep(
        record.spec,
        {.state = record.state,
         .reason = record.reason,
         .bundle = CopyIn(bundle,
                          store_.bundles() / (done ? key : key + ".failed"))});
    answer_.push_back({{"key", key},
                       {"recipe", RecipeId(record.spec.identity)},
                       {"method", record.spec.identity.method},
                       {"dataset", record.spec.identity.dataset},
                       {"seed", record.spec.seed},
                       {"state", NameOf(kept.state)},
                       {"reason", kept.reason}});
    taken_.push_back(
        {.spec = record.spec, .label = record.spec.identity.method});
  }

  /// A bundle folder, a folder of bundles, or a tar of either.
  void TakeAll(const fs::path& path) {
    if (fs::is_regular_file(path)) {
      const Unpacked unpacked(store_.folder());
      for (const std::string& top : ReadTar(path, unpacked.path())) {
        TakeAll(unpacked.path() / top);
      }
      return;
    }
    if (!fs::is_directory(path)) {
      throw DataError(StrCat(path.string(), ": no bundle there"));
    }
    if (fs::exists(path / "run.json") || fs::exists(path / "DONE")) {
      Take(path);
      return;
    }
    std::vector<fs::path> inside;
    for (const auto& entry : fs::directory_iterator(path)) {
      if (fs::exists(entry.path() / "DONE")) inside.push_back(entry.path());
    }
    std::sort(inside.begin(), inside.end());
    if (inside.empty()) {
      throw DataError(StrCat(path.string(), ": holds no finished bundle"));
    }
    for (const fs::path& each : inside) Take(each);
  }

  /// What came in together is shown together, unless a campaign of that name
  /// was planned here.
  void Register(const std::string& command) {
    std::map<std::string, CampaignPlan> campaigns;
    for (const PlannedRun& run : taken_) {
      const std::string& own = run.spec.campaign;
      const std::string name = !options_.campaign.empty() ? options_.campaign
                               : own.empty()              ? "imported"
                                                          : own;
      CampaignPlan& plan = campaigns[name];
      plan.name = name;
      plan.command = command;
      plan.runs.push_back(run);
    }
    std::set<std::string> known;
    for (const CampaignRow& row : Campaigns(store_)) known.insert(row.name);
    for (const auto& [name, plan] : campaigns) {
      if (!known.contains(name)) RegisterCampaign(store_, plan);
    }
  }

  const OrderedJson& answer() const { return answer_; }

 private:
  const ImportOptions& options_;
  Store& store_;
  DataAccess data_;
  Keeper keeper_{store_, data_};
  OrderedJson answer_ = OrderedJson::array();
  std::vector<PlannedRun> taken_;
};

int Import(const ImportOptions& options, const GlobalOptions& global) {
  Store store(StoreFolder(global));
  Importer importer(options, store, CacheFolder(global));
  std::string command = "tailmark import";
  for (const std::string& each : options.bundles) {
    importer.TakeAll(fs::absolute(each));
    command += " " + each;
  }
  importer.Register(command);
  if (options.json) {
    std::cout << OrderedJson({{"runs", importer.answer()}}).dump(2) << "\n";
    return kExitOk;
  }
  for (const OrderedJson& run : importer.answer()) {
    const std::string reason = run["reason"].get<std::string>();
    std::cout << run["state"].get<std::string>() << "  "
              << run["method"].get<std::string>() << " on "
              << run["dataset"].get<std::string>() << ", seed " << run["seed"]
              << "  " << run["key"].get<std::string>().substr(0, 12)
              << (reason.empty() ? "" : "  " + reason) << "\n";
  }
  return kExitOk;
}

int Export(const ExportOptions& options, const GlobalOptions& global) {
  const Store store = OpenStoreToRead(global);
  std::vector<fs::path> folders;
  const auto add = [&](const std::string& key) {
    const fs::path bundle = store.Bundle(key);
    if (!IsSealed(bundle)) {
      throw DataError(StrCat(bundle.string(),
                             ": the bundle of this run is not in the store"));
    }
    folders.push_back(bundle);
  };
  for (const std::string& run : options.runs) add(FindRun(store, run).key);
  if (options.runs.empty()) {
    const auto campaign = FindCampaign(store, options.campaign);
    if (!campaign) throw ConfigError("the store has no campaign to export");
    for (const Cell& cell : Cells(store, campaign->id)) {
      if (cell.row && cell.state == RunState::kDone) add(cell.key);
    }
  }
  if (folders.empty()) {
    LogWarning("there is no finished run to export");
    return kExitNothing;
  }
  const fs::path out =
      fs::absolute(options.out.empty() ? "tailmark-runs.tar" : options.out);
  WriteTar(out, folders);
  std::cout << out.string() << "\n";
  return kExitOk;
}

}  // namespace

Verb ImportVerb(const GlobalOptions& global) {
  auto options = std::make_shared<ImportOptions>();
  return {.name = "import",
          .summary = "Take in bundles that were made elsewhere",
          .example = "tailmark import runs.tar bundles/0f3c...",
          .declare =
              [options](Args& args) {
                args.Rest("BUNDLE", options->bundles, true,
                          "A bundle folder, a folder of them, or a .tar");
                args.Option("--root", options->root, "DIR",
                            "Where the data set's files lie here");
                args.Option("--campaign", options->campaign, "NAME",
                            "Show them under this name");
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options, &global] { return Import(*options, global); }};
}

Verb ExportVerb(const GlobalOptions& global) {
  auto options = std::make_shared<ExportOptions>();
  return {.name = "export",
          .summary = "Write bundles of finished runs into one .tar",
          .example = "tailmark export -o runs.tar",
          .declare =
              [options](Args& args) {
                args.Rest("RUN", options->runs, false,
                          "Keys, or how they begin (default: a campaign)");
                args.Option("--campaign", options->campaign, "NAME",
                            "Which campaign (default: the newest)");
                args.Option("-o,--out", options->out, "FILE",
                            "The archive (default: tailmark-runs.tar)");
              },
          .run = [options, &global] { return Export(*options, global); }};
}

}  // namespace tailmark
