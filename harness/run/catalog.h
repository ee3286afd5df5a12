#pragma once

#include "harness/api/registry.h"
#include "harness/record/catalog.h"

namespace tailmark {

/// What `tailmark`, which links no method, is told of the registered ones.
Catalog MakeCatalog(const MethodRegistry& registry, const BuildInfo& build);

}  // namespace tailmark
