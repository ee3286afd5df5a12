#include "harness/cli/importing.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/launch/plan.h"
#include "harness/record/ustar.h"
#include "results/query.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

/// Bundles that share a sync of the folder they lie in.
constexpr std::size_t kTogether = 64;

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

/// Whether there lies a bundle with this record, whole.
bool Holds(const fs::path& place, const Json& record) try {
  return IsSealed(place) && ToJson(ReadBundle(place)) == record;
} catch (const DataError&) {
  return false;
}

/// Whether a finished run of this key lies there, whole: it stays, whatever
/// else comes.
bool HoldsDone(const fs::path& place, const std::string& key) try {
  if (!IsSealed(place)) return false;
  const RunRecord record = ReadBundle(place);
  return record.state == RunState::kDone && RunKey(record.spec) == key;
} catch (const DataError&) {
  return false;
}

/// Copies a bundle to where the store keeps its own, whole or not at all; the
/// folder around it is not synced. Another process may do the same: the first
/// one's stays.
fs::path CopyIn(const fs::path& bundle, const RunRecord& record,
                const fs::path& to) {
  if (fs::weakly_canonical(bundle) == fs::weakly_canonical(to)) return to;
  const auto there = [&] {
    return record.state == RunState::kDone ? HoldsDone(to, RunKey(record.spec))
                                           : Holds(to, ToJson(record));
  };
  if (there()) return to;
  const fs::path making = StrCat(to.string(), ".tmp.", getpid());
  const fs::path old = making.string() + ".old";
  std::error_code code;
  fs::remove_all(making, code);
  fs::copy(bundle, making, fs::copy_options::recursive, code);
  for (int tries = 0; !code && tries < 100; ++tries) {
    fs::rename(making, to, code);
    if (!code) break;
    if (there()) {
      fs::remove_all(making, code);
      return to;
    }
    // What is no such bundle makes room: no reader finds half of it.
    fs::rename(to, old, code);
    fs::remove_all(old, code);
    code.clear();
  }
  if (code || !fs::exists(to)) {
    std::error_code ignored;
    fs::remove_all(making, ignored);
    throw StoreError(
        StrCat(to.string(), ": cannot be written: ", code.message()));
  }
  return to;
}

}  // namespace

Keeper& Importer::KeeperOf(const RunSpec& spec) {
  const auto it = keepers_.find(spec.campaign);
  if (it != keepers_.end()) return it->second;
  std::string definition = "ap.step";
  for (const CampaignRow& row : Campaigns(store_)) {
    if (row.name != spec.campaign) continue;
    const Json kept = ParseJson(row.recipe_json, row.name);
    if (const auto plan = kept.find("plan"); plan != kept.end()) {
      definition = PlanFromJson(*plan).protocol.definition;
    }
    break;
  }
  return keepers_
      .emplace(std::piecewise_construct, std::forward_as_tuple(spec.campaign),
               std::forward_as_tuple(store_, data_, definition))
      .first->second;
}

void Importer::Place(const fs::path& bundle) {
  RunRecord record = ReadBundle(bundle);
  // Where the files lie is this machine's business.
  if (!options_.root.empty()) {
    record.spec.place.data_root = fs::absolute(options_.root);
  }
  const std::string key = RunKey(record.spec);
  const bool done = record.state == RunState::kDone;
  if (done) data_.FactsOf(record.spec);  // before anything is copied
  const fs::path to = store_.bundles() / (done ? key : key + ".failed");
  // Two failures of a key have one place, where the second would replace the
  // first.
  const bool awaited =
      std::any_of(arrivals_.begin(), arrivals_.end(),
                  [&](const Arrival& each) { return each.place == to; });
  if (awaited || arrivals_.size() >= kTogether) StoreArrivals();
  const fs::path place = CopyIn(bundle, record, to);
  arrivals_.push_back({std::move(record), place});
}

void Importer::PlaceOrRefuse(const fs::path& bundle) try {
  Place(bundle);
} catch (const DataError& error) {
  // A worker that has just finished it gave it another name.
  if (!fs::exists(bundle)) return;
  refused_.push_back({{"bundle", bundle.string()}, {"reason", error.what()}});
}

/// One sync for all of them, and only then the rows that name them.
void Importer::StoreArrivals() {
  if (arrivals_.empty()) return;
  SyncFolder(store_.bundles());
  const std::vector<Arrival> arrivals = std::exchange(arrivals_, {});
  for (const Arrival& each : arrivals) {
    const RunSpec& spec = each.record.spec;
    const TaskResult kept =
        KeeperOf(spec).Keep(spec, {.state = each.record.state,
                                   .reason = each.record.reason,
                                   .bundle = each.place});
    answer_.push_back({{"key", RunKey(spec)},
                       {"recipe", RecipeId(spec.identity)},
                       {"method", spec.identity.method},
                       {"dataset", spec.identity.dataset},
                       {"seed", spec.seed},
                       {"state", NameOf(kept.state)},
                       {"reason", kept.reason}});
    taken_.push_back({.spec = spec, .label = spec.identity.method});
  }
}

void Importer::PlaceAll(const fs::path& path) {
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
    for (const std::string& top : tops) PlaceAll(unpacked.path() / top);
    return;
  }
  if (!fs::is_directory(path)) {
    throw DataError(StrCat(path.string(), ": no bundle there"));
  }
  if (fs::exists(path / "run.json") || fs::exists(path / "DONE")) {
    PlaceOrRefuse(path);
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
  for (const fs::path& each : inside) PlaceOrRefuse(each);
}

void Importer::TakeAll(const fs::path& path) {
  try {
    PlaceAll(path);
  } catch (const DataError&) {
    StoreArrivals();  // What came before that is good.
    throw;
  }
  StoreArrivals();
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
  std::map<std::string, CampaignRow> known;
  for (const CampaignRow& row : Campaigns(store_)) known.emplace(row.name, row);
  for (auto& [name, plan] : campaigns) {
    const auto it = known.find(name);
    if (it != known.end() && !AddTo(it->second, plan)) continue;
    RegisterCampaign(store_, plan);
  }
}

/// Puts what a campaign has before what `plan` brings. False when it has all of
/// that, or was planned here.
bool Importer::AddTo(const CampaignRow& row, CampaignPlan& plan) const {
  const bool imported = ParseJson(row.recipe_json, row.name).empty();
  if (!imported) return false;
  std::vector<PlannedRun> all = PlannedRuns(store_, row.id);
  std::set<std::string> keys;
  for (const PlannedRun& run : all) keys.insert(RunKey(run.spec));
  const std::size_t before = all.size();
  for (const PlannedRun& run : plan.runs) {
    if (keys.insert(RunKey(run.spec)).second) all.push_back(run);
  }
  plan.runs = std::move(all);
  return plan.runs.size() > before;
}

}  // namespace tailmark
