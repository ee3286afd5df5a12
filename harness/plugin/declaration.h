#pragma once

#include "harness/api/registry.h"
#include "harness/record/json_members.h"

namespace tailmark {

/// What a method says of itself in JSON: methods of kinds that have no C++
/// class. Members: name, version, summary; optional: family, cite, input
/// ("features", "images", "none", "paths"), scale ("logit", "probability",
/// "cosine"), abilities {...}, options [{name, type, default, help, lo, hi,
/// choices}], presets [{name, summary, options}]. README.md has an example.
struct Declaration {
  MethodInfo info;
  FieldTable options;
  ScoreScale scale = ScoreScale::kLogit;
};

/// Reads those members of `in`; others are the caller's. Throws DataError or
/// ConfigError naming what is wrong.
Declaration ReadDeclaration(JsonMembers& in);

}  // namespace tailmark
