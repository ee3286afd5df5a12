#include "harness/cli/importing.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/record/ustar.h"
#include "results/query.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

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

}  // namespace

void Importer::Take(const fs::path& bundle) {
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
       .bundle =
           CopyIn(bundle, store_.bundles() / (done ? key : key + ".failed"))});
  answer_.push_back({{"key", key},
                     {"recipe", RecipeId(record.spec.identity)},
                     {"method", record.spec.identity.method},
                     {"dataset", record.spec.identity.dataset},
                     {"seed", record.spec.seed},
                     {"state", NameOf(kept.state)},
                     {"reason", kept.reason}});
  taken_.push_back({.spec = record.spec, .label = record.spec.identity.method});
}

void Importer::TakeAll(const fs::path& path) {
  if (fs::is_regular_file(path)) {
    const Unpacked unpacked(store_.folder());
    std::vector<std::string> tops;
    try {
      tops = ReadTar(path, unpacked.path());
    } catch (const DataError& error) {
      throw DataError(StrCat(error.what(),
                             " (a bundle is a folder, or a tar archive of "
                             "such folders)"));
    }
    for (const std::string& top : tops) TakeAll(unpacked.path() / top);
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

void Importer::Register(const std::string& command) {
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

}  // namespace tailmark
