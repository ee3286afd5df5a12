#include <unistd.h>

#include <chrono>
#include <iostream>
#include <map>
#include <set>
#include <thread>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/interrupt.h"
#include "harness/base/progress.h"
#include "harness/base/suggest.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/planning.h"
#include "harness/cli/verbs.h"
#include "harness/launch/bundle_watch.h"
#include "harness/launch/campaign_view.h"
#include "results/campaign.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr double kTerminalInterval = 1;  // seconds
constexpr double kPlainInterval = 60;
// Between one run's end and the next one's start nothing runs.
constexpr double kPause = 3;

struct WatchOptions {
  std::string campaign;
  bool json = false;
};

std::vector<SeenRun> Look(BundleWatch& watch, const std::string& campaign) {
  std::vector<SeenRun> runs = watch.Look();
  if (campaign.empty()) return runs;
  std::vector<std::string> known;
  for (const SeenRun& run : runs) known.push_back(run.campaign);
  std::erase_if(runs, [&](const SeenRun& r) { return r.campaign != campaign; });
  if (runs.empty()) throw ConfigError(UnknownName("campaign", campaign, known));
  return runs;
}

std::map<std::string, std::int64_t> Count(const std::vector<SeenRun>& runs) {
  std::map<std::string, std::int64_t> counts;
  for (const SeenRun& run : runs) ++counts[run.state];
  return counts;
}

std::string TitleOf(const SeenRun& run) {
  return StrCat(run.method, " on ", run.dataset, ", seed ", run.seed, ", ",
                run.key.substr(0, 8));
}

std::string LineOf(const SeenRun& run, int width) {
  if (run.state == "running") {
    RunProgress at = run.progress;
    if (at.left_s >= 0) at.left_s = std::max(0.0, at.left_s - run.silent_s);
    std::string line =
        ToText(WorkerLine{.title = TitleOf(run), .progress = at}, 0);
    if (run.silent_s >= kPlainInterval) {
      line += ", silent for " + FormatSeconds(run.silent_s);
    }
    return line.substr(0,
                       width > 0 ? static_cast<std::size_t>(width) : line.npos);
  }
  std::string line =
      StrCat("  ", TitleOf(run), ": ", run.state,
             run.state == "stopped" ? " at " + ToText(run.progress) : "",
             run.reason.empty() ? "" : ", " + run.reason);
  // A reason may have lines of its own.
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 32) c = ' ';
  }
  return line.substr(0,
                     width > 0 ? static_cast<std::size_t>(width) : line.npos);
}

/// What the store's newest campaign, or that of this name, has in it: runs that
/// have not begun leave no file. Nothing where the store cannot tell.
std::vector<Cell> Planned(const std::string& campaign,
                          const GlobalOptions& global) try {
  const Store store(StoreFolder(global), {.read_only = true});
  const auto row = FindCampaign(store, campaign);
  std::vector<Cell> cells;
  if (row) cells = Cells(store, row->id);
  std::erase_if(
      cells, [](const Cell& cell) { return cell.state != RunState::kPlanned; });
  return cells;
} catch (const Error&) {
  return {};
}

/// Methods of those that have not begun.
std::vector<std::string> Waiting(const std::vector<Cell>& planned,
                                 const std::vector<SeenRun>& runs) {
  std::set<std::string> begun;
  for (const SeenRun& run : runs) begun.insert(run.key);
  std::vector<std::string> methods;
  for (const Cell& cell : planned) {
    if (!begun.contains(cell.key)) methods.push_back(cell.method);
  }
  return methods;
}

std::string Block(const std::vector<SeenRun>& runs,
                  const std::vector<std::string>& waiting, int width,
                  int& lines) {
  std::string block;
  for (const SeenRun& run : runs) {
    if (run.state == "done") continue;
    block += LineOf(run, width) + "\n";
    ++lines;
  }
  std::string counts;
  for (const auto& [state, count] : Count(runs)) {
    counts += StrCat(counts.empty() ? "" : ", ", count, " ", state);
  }
  if (!waiting.empty()) {
    counts += StrCat(counts.empty() ? "" : ", ", waiting.size(), " planned");
  }
  const double left = SecondsLeft(runs, waiting);
  if (left >= 0) counts += StrCat("; about ", FormatSeconds(left), " left");
  ++lines;
  return block + (counts.empty() ? "no runs yet" : counts) + "\n";
}

OrderedJson WatchedToJson(const std::vector<SeenRun>& runs,
                          const std::vector<std::string>& waiting) {
  OrderedJson rows = OrderedJson::array();
  for (const SeenRun& run : runs) {
    OrderedJson row = {{"key", run.key},
                       {"method", run.method},
                       {"dataset", run.dataset},
                       {"seed", run.seed},
                       {"campaign", run.campaign},
                       {"state", run.state},
                       {"reason", run.reason.empty() ? OrderedJson(nullptr)
                                                     : OrderedJson(run.reason)},
                       {"progress", nullptr}};
    if (run.state == "running" || run.state == "stopped") {
      const RunProgress& at = run.progress;
      row["progress"] = {{"phase", at.phase},
                         {"done", at.done},
                         {"total", at.total},
                         {"unit", at.unit},
                         {"note", at.note},
                         {"rate", at.rate},
                         {"left_s", at.left_s < 0 ? OrderedJson(nullptr)
                                                  : OrderedJson(at.left_s)},
                         {"gpu_bytes", at.gpu_bytes},
                         {"silent_s", run.silent_s}};
    }
    rows.push_back(std::move(row));
  }
  auto counts = Count(runs);
  if (!waiting.empty()) {
    counts[std::string(NameOf(RunState::kPlanned))] =
        static_cast<std::int64_t>(waiting.size());
  }
  const double left = SecondsLeft(runs, waiting);
  return {{"total", runs.size() + waiting.size()},
          {"counts", counts},
          {"left_s", left < 0 ? OrderedJson(nullptr) : OrderedJson(left)},
          {"runs", std::move(rows)}};
}

/// Waits, and says whether anybody wants to stop.
void Sleep(double seconds) {
  constexpr milliseconds kStep(100);
  for (double slept = 0; slept < seconds; slept += 0.1) {
    ThrowIfInterrupted();
    std::this_thread::sleep_for(kStep);
  }
}

/// Until nothing runs any more.
void Follow(BundleWatch& watch, const std::string& campaign,
            const std::vector<Cell>& planned) {
  const bool terminal =
      isatty(STDOUT_FILENO) == 1 && GetEnv("TERM").value_or("") != "dumb";
  int lines = 0;
  double quiet = kPause;  // Nothing runs at first: then there is no waiting.
  double unsaid = kPlainInterval;
  while (true) {
    const auto runs = Look(watch, campaign);
    quiet = Count(runs).contains("running") ? 0 : quiet + kTerminalInterval;
    const bool last = quiet > kPause;
    if (terminal || last || unsaid >= kPlainInterval) {
      if (terminal && lines > 0) std::cout << "\x1b[" << lines << "A\x1b[J";
      lines = 0;
      std::cout << Block(runs, Waiting(planned, runs),
                         terminal ? TerminalWidth(STDOUT_FILENO) : 0, lines)
                << std::flush;
      unsaid = 0;
    }
    if (last || !std::cout) return;
    Sleep(kTerminalInterval);
    unsaid += kTerminalInterval;
  }
}

int Watch(const WatchOptions& options, const GlobalOptions& global) {
  const fs::path bundles = StoreFolder(global) / "bundles";
  if (!fs::is_directory(bundles)) {
    throw ConfigError(StrCat("no runs in ", StoreFolder(global).string(),
                             "; give --store DIR"));
  }
  BundleWatch watch(bundles, FileSystemKind(bundles).network);
  const std::vector<Cell> planned = Planned(options.campaign, global);
  if (options.json) {
    const auto runs = Look(watch, options.campaign);
    std::cout << WatchedToJson(runs, Waiting(planned, runs)).dump(2) << "\n";
  } else {
    Follow(watch, options.campaign, planned);
  }
  return kExitOk;
}

}  // namespace

Verb WatchVerb(const GlobalOptions& global) {
  auto options = std::make_shared<WatchOptions>();
  return {.name = "watch",
          .summary =
              "Follow runs as they go, from their files alone, also those of "
              "other machines",
          .example = "tailmark watch --store /shared/store",
          .declare =
              [options](Args& args) {
                args.Positional("CAMPAIGN", options->campaign, false,
                                "Only what was first run for it");
                args.Flag("--json", options->json,
                          "Print what is there now as JSON, once");
              },
          .run = [options, &global] { return Watch(*options, global); }};
}

}  // namespace tailmark
