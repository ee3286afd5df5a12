#pragma once

#include <string>
#include <vector>

#include "results/store.h"

namespace tailmark {

/// Columns of plain text, left-aligned, two blanks apart; the first row is the
/// heading. The last column is not padded.
std::string TextTable(const std::vector<std::vector<std::string>>& rows);

/// The leaderboard of a campaign, as `run` prints it.
std::string CampaignTable(const Store& store, const std::string& campaign);

}  // namespace tailmark
