#pragma once

#include <filesystem>

#include "harness/base/json.h"

namespace tailmark {

/// What can be promised of scores that somebody else made, of which no code
/// runs: {check, meaning, outcome, detail} of each promise, in the form of a
/// method's contract; outcome is "kept", "broken" or "skipped". `name` becomes
/// theirs, or the file's where that cannot be read.
OrderedJson CheckScores(const std::filesystem::path& file, std::string& name);

}  // namespace tailmark
