#include <iostream>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/log.h"
#include "harness/cli/execution.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/gating.h"
#include "harness/cli/planning.h"
#include "harness/cli/verbs.h"

namespace tailmark {
namespace {

struct CheckOptions {
  std::string baseline = "main";
  std::string campaign;
  std::string junit, markdown;
  std::vector<std::string> margins;
  std::vector<std::string> fail_on;
  std::optional<std::int64_t> confirm;
  std::optional<std::int64_t> resamples;
  bool strict = false;
  bool self_test = false;
  bool json = false;
};

std::map<std::string, double> MarginsOf(const std::vector<std::string>& given) {
  std::map<std::string, double> margins;
  for (const std::string& each : given) {
    const auto equals = each.find('=');
    std::size_t used = 0;
    double value = -1;
    try {
      if (equals != each.npos) {
        value = std::stod(each.substr(equals + 1), &used);
      }
    } catch (const std::exception&) {
      value = -1;
    }
    if (equals == each.npos || equals == 0 || value < 0 ||
        used != each.size() - equals - 1) {
      throw ConfigError(StrCat("--margin ", each,
                               ": write --margin GROUP=POINTS, as in "
                               "tail=1.5"));
    }
    margins[each.substr(0, equals)] = value;
  }
  return margins;
}

/// What a run of the campaign's recipe prints goes to stderr: stdout is the
/// verdict's.
class OutToErr {
 public:
  OutToErr() : before_(std::cout.rdbuf(std::cerr.rdbuf())) {}
  ~OutToErr() { std::cout.rdbuf(before_); }
  OutToErr(const OutToErr&) = delete;

 private:
  std::streambuf* before_;
};

/// The cells of a recipe in a campaign, planned with other seeds.
std::vector<RunRow> RunAgain(Store& store, DataAccess& data,
                             const GlobalOptions& global,
                             const std::string& name, const std::string& recipe,
                             const std::vector<std::uint64_t>& seeds) {
  const auto campaign = FindCampaign(store, name);
  const Json kept = ParseJson(campaign->recipe_json, campaign->name);
  const auto planned = kept.find("plan");
  if (planned == kept.end()) return {};
  Plan plan = PlanFromJson(*planned);
  std::vector<PlanTask> tasks;
  for (const PlanTask& task : plan.tasks) {
    if (task.recipe != recipe || !tasks.empty()) continue;
    for (const std::uint64_t seed : seeds) {
      PlanTask fresh = task;
      fresh.spec.seed = seed;
      fresh.key = RunKey(fresh.spec);
      fresh.state = RunState::kPlanned;
      tasks.push_back(std::move(fresh));
    }
  }
  if (tasks.empty()) return {};
  plan.tasks = std::move(tasks);
  plan.campaign = StrCat(campaign->name, "-confirm");
  LogInfo(StrCat("a suspected regression is run again with ", seeds.size(),
                 " fresh seeds"));
  const OutToErr quiet;
  ExecutePlan(plan, {{"plan", ToJson(plan)}}, campaign->command, {}, global,
              data, store);
  std::vector<RunRow> runs;
  for (const PlanTask& task : plan.tasks) {
    if (const auto run = DoneRun(store, task.key)) runs.push_back(*run);
  }
  return runs;
}

int ExitOf(const GateReport& report, const CheckOptions& options,
           const std::vector<Outcome>& fail_on) {
  const auto outcomes = report.Outcomes();
  if (report.Compared() == 0) {
    const bool differ = std::find(outcomes.begin(), outcomes.end(),
                                  Outcome::kNotComparable) != outcomes.end();
    return differ ? kExitNotComparable : kExitNothing;
  }
  return Fails(outcomes, options.strict, fail_on) ? kExitRegression : kExitOk;
}

int SelfTest() {
  bool good = false;
  std::cout << GateSelfTest(good);
  return good ? kExitOk : kExitRegression;
}

int Check(const CheckOptions& options, const GlobalOptions& global) {
  if (options.self_test) return SelfTest();
  std::vector<Outcome> fail_on;
  for (const std::string& each : options.fail_on) {
    fail_on.push_back(OutcomeFromName(each));
  }
  const std::int64_t rounds = options.confirm.value_or(2);
  if (rounds < 0 || rounds > 2) {
    throw ConfigError(StrCat("--confirm ", rounds, " is outside [0, 2]"));
  }
  GateRequest request{.baseline = options.baseline,
                      .campaign = options.campaign,
                      .options = {.margins = MarginsOf(options.margins)},
                      .resamples = options.resamples.value_or(2000),
                      .rounds = static_cast<int>(rounds)};
  OpenStoreToRead(global);
  Store store(StoreFolder(global));
  DataAccess data;
  const auto campaign = FindCampaign(store, options.campaign);
  if (rounds > 0 && campaign && CatalogIfThere()) {
    request.rerun = [&](const std::string& recipe,
                        const std::vector<std::uint64_t>& seeds) {
      return RunAgain(store, data, global, campaign->name, recipe, seeds);
    };
  }
  const GateReport report = RunGate(store, data, request);
  const int code = ExitOf(report, options, fail_on);
  if (!options.junit.empty()) {
    WriteFileAtomic(options.junit, GateJunit(report, options.strict));
  }
  if (!options.markdown.empty()) {
    WriteFileAtomic(options.markdown, GateMarkdown(report));
  }
  if (options.json) {
    std::cout << GateJson(report, code).dump(2) << "\n";
  } else {
    std::cout << GateText(report);
  }
  return code;
}

}  // namespace

Verb CheckVerb(const GlobalOptions& global) {
  auto options = std::make_shared<CheckOptions>();
  return {
      .name = "check",
      .summary = "Hold a campaign against a baseline; exit 1 on a regression",
      .example = "tailmark check --baseline main --junit check.xml --json",
      .declare =
          [options](Args& args) {
            args.Option("--baseline", options->baseline, "NAME",
                        "As accepted by tailmark baseline accept (default: "
                        "main)");
            args.Option("--campaign", options->campaign, "NAME",
                        "What is checked (default: the newest)");
            args.Option("--junit", options->junit, "FILE",
                        "Write JUnit XML for a CI system");
            args.Option("--markdown", options->markdown, "FILE",
                        "Write a table for a job's summary");
            args.Repeated("--margin", options->margins, "GROUP=POINTS",
                          "What is too small to matter (default: total "
                          "0.3, tail 1.0, else 0.5)");
            args.Repeated("--fail-on", options->fail_on, "OUTCOME",
                          "Instead of regression, missing and error");
            args.Option("--confirm", options->confirm, "N",
                        "Rounds with fresh seeds before a stochastic "
                        "method is red: 0 to 2 (default: 2)");
            args.Option("--resamples", options->resamples, "B",
                        "Of the images (default: 2000)");
            args.Flag("--strict", options->strict,
                      "An improvement that nothing explains fails too");
            args.Flag("--self-test", options->self_test,
                      "Try the gate: red on an injected loss, green on "
                      "A/A");
            args.Flag("--json", options->json, "Print JSON");
          },
      .run = [options, &global] { return Check(*options, global); }};
}

}  // namespace tailmark
