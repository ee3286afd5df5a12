#include "harness/launch/bundle_watch.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <tuple>

#include "harness/base/error.h"
#include "harness/launch/key_lock.h"
#include "harness/launch/task_run.h"
#include "harness/record/bundle.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr double kLost = 180;  // seconds

double SecondsSince(const fs::path& path) {
  std::error_code code;
  const auto changed = fs::last_write_time(path, code);
  if (code) return 0;
  const auto age = fs::file_time_type::clock::now() - changed;
  // Another machine's clock may be ahead.
  return std::max(0.0, std::chrono::duration<double>(age).count());
}

/// Of ".g3.part": 3. Without a lease 0.
std::int64_t GenerationIn(const std::string& ending) {
  const auto at = ending.find(".g");
  return at == ending.npos ? 0 : std::atoll(ending.c_str() + at + 2);
}

/// What finished runs took, in the mean.
class UsualSeconds {
 public:
  explicit UsualSeconds(const std::vector<SeenRun>& runs) {
    for (const SeenRun& run : runs) {
      if (run.state != NameOf(RunState::kDone)) continue;
      Add(run.method, run.seconds);
      Add("", run.seconds);
    }
  }
  /// Nothing when none has finished.
  std::optional<double> Of(const std::string& method) const {
    auto it = sums_.find(method);
    if (it == sums_.end()) it = sums_.find("");
    if (it == sums_.end()) return std::nullopt;
    return it->second.seconds / it->second.runs;
  }

 private:
  struct Sum {
    double seconds = 0;
    double runs = 0;
  };
  void Add(const std::string& method, double seconds) {
    sums_[method].seconds += seconds;
    sums_[method].runs += 1;
  }
  std::map<std::string, Sum> sums_;  // "": all methods.
};

}  // namespace

double SecondsLeft(const std::vector<SeenRun>& runs,
                   const std::vector<std::string>& waiting) {
  const UsualSeconds usual(runs);
  std::vector<std::optional<double>> each;
  double workers = 0;
  for (const SeenRun& run : runs) {
    if (run.state == "running") {
      ++workers;
      const double said = run.progress.left_s;
      each.push_back(said < 0 ? usual.Of(run.method)
                              : std::max(0.0, said - run.silent_s));
    } else if (run.state == "stopped") {
      each.push_back(usual.Of(run.method));
    }
  }
  if (workers == 0) return -1;
  for (const std::string& method : waiting) each.push_back(usual.Of(method));
  double sum = 0;
  double longest = 0;
  for (const std::optional<double>& seconds : each) {
    if (!seconds) return -1;
    sum += *seconds;
    longest = std::max(longest, *seconds);
  }
  return std::max(longest, sum / workers);
}

BundleWatch::BundleWatch(fs::path bundles, bool network)
    : bundles_(std::move(bundles)), network_(network) {}

/// Fills in what a spec or a record says; false when it cannot be read (yet).
bool BundleWatch::Take(const fs::path& record, SeenRun& run) {
  try {
    const Json json = ReadJson(record);
    const bool is_spec = json.is_object() && json.contains("identity");
    RunRecord read;
    if (is_spec) {
      read.spec = RunSpecFromJson(json);
    } else {
      read = RunRecordFromJson(json);
    }
    run.method = read.spec.identity.method;
    run.dataset = read.spec.identity.dataset;
    run.campaign = read.spec.campaign;
    run.seed = read.spec.seed;
    run.state = NameOf(read.state);
    run.reason = read.reason;
    for (const PhaseTime& phase : read.phases) run.seconds += phase.wall_s;
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool BundleWatch::IsLive(const fs::path& lock, double silent_s) const {
  return KeyLock::IsHeld(lock) || (network_ && silent_s < kLost);
}

void BundleWatch::TakeUnfinished(const std::string& key, bool forced,
                                 std::int64_t generation,
                                 std::vector<SeenRun>& runs) {
  const TaskFiles files = FilesOf(bundles_, key, forced, generation);
  const fs::path events = files.part / "events.jsonl";
  SeenRun run{.key = key};
  if (!Take(files.spec, run) && !Take(files.part / "run.json", run)) return;
  run.reason.clear();
  run.silent_s = SecondsSince(events);
  run.progress = tails_.try_emplace(events, events).first->second.Read();
  run.state = IsLive(files.lock, run.silent_s) ? "running" : "stopped";
  runs.push_back(std::move(run));
}

/// What ended takes the place of what stopped; what is tried again is running.
void BundleWatch::TakeEnded(const std::string& key, const fs::path& folder,
                            std::vector<SeenRun>& runs) {
  SeenRun run{.key = key};
  if (const auto known = done_.find(key); known != done_.end()) {
    run = known->second;
  } else if (!IsSealed(folder) || !Take(folder / "run.json", run)) {
    return;
  }
  if (run.state == NameOf(RunState::kDone)) done_.emplace(key, run);
  for (const SeenRun& each : runs) {
    if (each.key == key && each.state == "running") return;
  }
  std::erase_if(runs, [&](const SeenRun& each) { return each.key == key; });
  runs.push_back(std::move(run));
}

std::vector<SeenRun> BundleWatch::Look() {
  std::vector<SeenRun> runs;
  std::vector<std::pair<std::string, fs::path>> ended;  // Key and folder.
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(bundles_, code)) {
    const std::string name = entry.path().filename().string();
    const std::string key = name.substr(0, name.find('.'));
    const std::string ending = name.substr(key.size());
    if (ending.ends_with(".part")) {
      TakeUnfinished(key, ending.starts_with(".forced"), GenerationIn(ending),
                     runs);
    } else if (ending.empty() || ending == ".failed") {
      ended.emplace_back(key, entry.path());
    }
  }
  // A key that is done has no say of an earlier failure.
  std::sort(ended.begin(), ended.end(), std::greater<>());
  for (const auto& [key, folder] : ended) TakeEnded(key, folder, runs);
  std::sort(runs.begin(), runs.end(), [](const SeenRun& a, const SeenRun& b) {
    return std::tie(a.dataset, a.method, a.seed, a.key) <
           std::tie(b.dataset, b.method, b.seed, b.key);
  });
  return runs;
}

}  // namespace tailmark
