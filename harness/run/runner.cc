#include "harness/run/runner.h"

#include <c10/util/Exception.h>

#include <new>
#include <optional>
#include <utility>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/log.h"
#include "harness/record/bundle.h"
#include "harness/run/numerics.h"
#include "harness/run/run.h"
#include "harness/run/run_errors.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

struct Outcome {
  RunState state = RunState::kDone;
  std::string reason;
  int exit_code = kExitDone;
};

/// Runs `body` and says in what shape it ended.
template <class Body>
Outcome Guarded(Body body) {
  try {
    body();
    return {};
  } catch (const Interrupted& error) {
    return {RunState::kKilled, StrCat("interrupted by signal ", error.signal()),
            kExitInterrupted + error.signal()};
  } catch (const StoppedEarly& error) {
    return {RunState::kKilled, error.what(), kExitStopped};
  } catch (const StoreError& error) {
    return {RunState::kFailed, error.what(), kExitDisk};
  } catch (const ConfigError& error) {
    return {RunState::kFailed, error.what(), kExitBadInput};
  } catch (const DataError& error) {
    return {RunState::kFailed, error.what(), kExitBadInput};
  } catch (const OverGpuLimit& error) {
    return {RunState::kOom, error.what(), kExitFailed};
  } catch (const c10::OutOfMemoryError& error) {
    return {RunState::kOom, error.what_without_backtrace(), kExitFailed};
  } catch (const std::bad_alloc&) {
    return {RunState::kOom, "out of memory", kExitFailed};
  } catch (const c10::Error& error) {
    const std::string said = error.what_without_backtrace();
    // The allocator of the CPU has no type of its own for it.
    const bool memory = said.find("can't allocate memory") != said.npos;
    return {memory ? RunState::kOom : RunState::kFailed, said, kExitFailed};
  } catch (const std::exception& error) {
    return {RunState::kFailed, error.what(), kExitFailed};
  }
}

bool IsAlreadyDone(const RunSpec& spec, const fs::path& bundle) {
  return IsSealed(bundle) && RunKey(ReadBundle(bundle).spec) == RunKey(spec);
}

}  // namespace

int ExecuteRun(const RunSpec& spec, const fs::path& bundle,
               const Engine& engine, const RunOptions& options) {
  const NumericsGuard put_back;
  std::optional<Run> run;
  const Outcome begun = Guarded([&] {
    MakeFolders(bundle);
    RunSpec meant = spec;
    if (meant.build.empty()) meant.build = engine.build.digest;
    if (IsAlreadyDone(meant, bundle)) {
      LogInfo(bundle.string() + ": already done");
      return;
    }
    std::error_code code;
    fs::remove(bundle / "DONE", code);
    run.emplace(std::move(meant), bundle, engine, options);
  });
  if (!run) {
    if (begun.exit_code != kExitDone) LogError(begun.reason);
    return begun.exit_code;
  }
  Outcome outcome = Guarded([&] { run->Execute(); });
  const Outcome written = Guarded(
      [&] { run->End(outcome.state, outcome.reason, outcome.exit_code); });
  if (outcome.exit_code == kExitDone) outcome = written;
  if (outcome.exit_code != kExitDone) LogError(outcome.reason);
  return outcome.exit_code;
}

}  // namespace tailmark
