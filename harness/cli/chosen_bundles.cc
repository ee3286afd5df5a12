#include "harness/cli/chosen_bundles.h"

#include <set>

#include "harness/base/error.h"
#include "harness/record/bundle.h"
#include "results/campaign.h"
#include "results/query.h"

namespace tailmark {
namespace fs = std::filesystem;

std::vector<fs::path> ChosenBundles(const Store& store,
                                    const std::vector<std::string>& runs,
                                    const std::string& campaign) {
  std::set<std::string> keys;
  for (const std::string& run : runs) keys.insert(FindRun(store, run).key);
  if (runs.empty()) {
    const auto found = FindCampaign(store, campaign);
    if (!found) throw ConfigError("the store has no campaign to give away");
    for (const Cell& cell : Cells(store, found->id)) {
      if (cell.row && cell.state == RunState::kDone) keys.insert(cell.key);
    }
  }
  std::vector<fs::path> bundles;
  for (const std::string& key : keys) {
    bundles.push_back(store.Bundle(key));
    if (!IsSealed(bundles.back())) {
      throw DataError(StrCat(bundles.back().string(),
                             ": the bundle of this run is not in the store"));
    }
  }
  return bundles;
}

}  // namespace tailmark
