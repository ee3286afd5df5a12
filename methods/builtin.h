#pragma once

#include "harness/api/registry.h"

namespace tailmark {

/// Adds every method that ships with Tailmark.
void RegisterBuiltinMethods(MethodRegistry& registry);

}  // namespace tailmark
