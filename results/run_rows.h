#pragma once

#include <cstdint>
#include <vector>

#include "results/query.h"

namespace tailmark {

/// The best attempt of every key that a campaign names, as far as there is one.
std::vector<RunRow> CampaignRuns(const Store& store, std::int64_t campaign);

}  // namespace tailmark
