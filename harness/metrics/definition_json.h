#pragma once

#include "harness/base/json.h"
#include "harness/metrics/definition.h"

namespace tailmark {

/// {id, name, family, ties, difficult, empty, nopos, version, summary,
/// higher_is_better}: the row of the store's table of definitions.
Json ToJson(const Definition& definition);

}  // namespace tailmark
