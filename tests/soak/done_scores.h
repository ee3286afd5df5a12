#pragma once

#include <functional>
#include <map>
#include <string>

#include "tests/e2e/program.h"

namespace tailmark {

/// Throws StoreError with `what` and its errors unless it ended with 0.
void Need(const Said& said, const std::string& what);

/// key -> SHA-256 of its test scores ("" for a run without), of what the store
/// has as done. `twice` is told of a key that it has so more than once.
std::map<std::string, std::string> DoneScores(
    const Program& program,
    const std::function<void(const std::string& key)>& twice);

}  // namespace tailmark
