#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/cost.h"

/// Parts of the costs (MethodInfo::cost) that methods share. README.md has how
/// far they are from what was measured.
namespace tailmark {

/// Tokens of a class name in a text beside the words before it: start, the
/// name, full stop, end.
inline constexpr double kNameTokens = 5;

/// Each image once through the frozen tower, mirrored training images too where
/// the option `augment` is "flip". Under `when`.
std::vector<SharedWork> FrozenFeatures(const OptionMap& when = {});
/// Test images alone: of what trains nothing.
std::vector<SharedWork> FrozenTestFeatures();

/// `passes` of each training image in each epoch, and its picture read.
std::vector<CostTerm> EveryEpoch(double passes, const OptionMap& when = {});
/// A pass of each test image, and its picture read.
std::vector<CostTerm> EveryTestImage(double passes, const OptionMap& when = {});

/// `sets` texts of each class, of `words` (an option: context tokens) and the
/// name, `times` over.
std::vector<CostTerm> ClassTexts(double sets, const std::string& words,
                                 std::vector<std::string> times,
                                 const OptionMap& when = {});

/// Of `coop` and `lmpt`: prompts on frozen features (prompt_fit.h).
Cost PromptFitCost();

/// All of them in one list.
std::vector<CostTerm> Together(
    std::initializer_list<std::vector<CostTerm>> lists);

}  // namespace tailmark
