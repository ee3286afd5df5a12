#pragma once

#include "harness/launch/plan.h"

namespace tailmark {

/// Campaign "c" on data set "set" with weights "nano" and no methods yet.
Recipe SampleRecipe();

/// A plan from made-up facts. Methods: "prior" (no input), "probe" (features;
/// options lr, act, n), "captioner" (needs captions), "declares" (a cost). Data
/// sets: "set", "absent" (its files are not there). Weights "shapeless" do not
/// say how large they are. `estimate`: what was recorded.
using SampleEstimate =
    std::function<std::optional<PlannedCost>(const RunSpec& spec)>;
Plan MakeSamplePlan(const Recipe& recipe, const SampleEstimate& estimate = {});

}  // namespace tailmark
