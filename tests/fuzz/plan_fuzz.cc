// Any text is a plan whose keys are those of its specs, or an error of ours; so
// is a good plan after changes. Any bytes may follow in events.jsonl.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/launch/events.h"
#include "harness/launch/plan.h"
#include "harness/launch/slurm.h"
#include "tests/fuzz/json_changes.h"
#include "tests/fuzz/scratch_file.h"
#include "tests/launch/sample_plan.h"

namespace {

using namespace tailmark;  // NOLINT(google-build-using-namespace)

Json GoodPlan() {
  Recipe recipe = SampleRecipe();
  recipe.methods = {{.use = "prior", .name = "prior", .seeds = {0}},
                    {.use = "staged", .name = "staged", .seeds = {0, 1}}};
  return ToJson(MakeSamplePlan(recipe));
}

void ReadPlan(const Json& json) {
  try {
    const Plan plan = PlanFromJson(json);
    for (const PlanTask& task : plan.tasks) {
      if (RunKey(task.spec) != task.key) std::abort();
    }
    if (ToJson(PlanFromJson(ToJson(plan))) != ToJson(plan)) std::abort();
  } catch (const Error&) {
  }
}

void ReadEvents(std::string_view bytes) {
  static const auto kFile = ScratchFor("plan_fuzz") / "events.jsonl";
  WriteScratch(kFile, bytes);
  EventsTail tail(kFile);
  (void)ToText(tail.Read());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const Json kGood = GoodPlan();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ReadPlan(Changed(kGood, bytes));
  try {
    ReadPlan(ParseJson(bytes, "input"));
  } catch (const DataError&) {
  }
  ReadEvents(bytes);
  static const Json kEvent = {
      {"phase", "fit"},   {"done", 3},      {"total", 5},
      {"unit", "epochs"}, {"note", "loss"}, {"rate", 1.5},
      {"left_s", 2},      {"gpu_bytes", 7}, {"utc", "2026-01-31T12:00:00Z"}};
  ReadEvents(Changed(kEvent, bytes).dump() + "\n");
  (void)MaxArraySizeIn(std::string(bytes));
  return 0;
}
