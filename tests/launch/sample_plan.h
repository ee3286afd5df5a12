#pragma once

#include "harness/launch/plan.h"

namespace tailmark {

/// Campaign "c" on data set "set" with weights "nano" and no methods yet.
Recipe SampleRecipe();

/// A plan from made-up facts. Methods: "prior" (no input), "probe" (features;
/// options lr, act, n), "captioner" (needs captions). Data sets: "set",
/// "absent" (its files are not there).
Plan MakeSamplePlan(const Recipe& recipe);

}  // namespace tailmark
