// `tailmark`: plans, launches, scores, stores, compares, reports. Links no
// LibTorch. What a verb does lies in harness/cli/verbs.

#include <iostream>

#include "harness/base/error.h"
#include "harness/base/interrupt.h"
#include "harness/base/log.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/verbs.h"
#include "harness/record/build_info.h"

namespace tailmark {
namespace {

int Main(int argc, char** argv) try {
  CatchInterrupts();
  GlobalOptions global;
  const std::vector<Verb> verbs = {
      ListVerb(global),     DescribeVerb(global), DoctorVerb(global),
      DataVerb(global),     ValidateVerb(global), PlanVerb(global),
      RunVerb(global),      ResumeVerb(global),   StatusVerb(global),
      WatchVerb(global),    WorkerVerb(global),   SlurmVerb(global),
      ImportVerb(global),   ExportVerb(global),   EvalVerb(global),
      CompareVerb(global),  AuditVerb(),          CheckVerb(global),
      BaselineVerb(global), BisectVerb(),         ReportVerb(global),
      DbVerb(global),       WeightsVerb(),        CacheVerb(global),
      EncodeVerb(global),   TokenizeVerb(global), MergeVerb(global),
      PackVerb(global),     VerifyVerb(global),   PluginVerb(),
      ReproduceVerb(global)};
  const BuildInfo& build = ThisBuild();
  const int code = RunVerbs(
      verbs,
      StrCat("tailmark ", build.version, " build ", build.digest.substr(0, 12)),
      global, argc, argv, [&] {
        if (global.quiet) SetLogLevel(LogLevel::kWarning);
        if (global.verbose) SetLogLevel(LogLevel::kDebug);
      });
  // What could not be printed was not said.
  if (!std::cout.flush()) throw StoreError("stdout: cannot be written");
  return code;
} catch (const Interrupted& interrupted) {
  LogError("interrupted");
  return kExitSignal + interrupted.signal();
} catch (const ConfigError& error) {
  LogError(error.what());
  return kExitUsage;
} catch (const DataError& error) {
  LogError(error.what());
  return kExitUsage;
} catch (const StoreError& error) {
  LogError(error.what());
  return kExitStore;
}

}  // namespace
}  // namespace tailmark

int main(int argc, char** argv) { return tailmark::Main(argc, argv); }
