#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/base/json.h"
#include "harness/cli/data_access.h"
#include "harness/cli/execution.h"
#include "results/campaign.h"
#include "results/store.h"

namespace tailmark {

struct ImportOptions {
  std::vector<std::string> bundles;
  std::string root;      ///< Where the data set's files lie here; "": as run.
  std::string campaign;  ///< Show them under this name; "": their own.
  bool json = false;
};

/// Takes bundles that were made elsewhere into a store. What the store has
/// already stays as it is.
class Importer {
 public:
  /// `options` and `store` must outlive it.
  Importer(const ImportOptions& options, Store& store,
           const std::filesystem::path& cache)
      : options_(options), store_(store), data_(cache) {}

  /// A bundle folder, a folder of bundles, or a tar of either. What is not as
  /// its DONE says, or whose data are not here, is refused; all else is taken.
  /// Throws DataError for a path that is none of the three.
  void TakeAll(const std::filesystem::path& path);

  /// What came in together is shown together, with what came in under that name
  /// before; a campaign that was planned here stays as it is.
  void Register(const std::string& command);

  /// One object a bundle: key, recipe, method, dataset, seed, state, reason.
  const OrderedJson& answer() const { return answer_; }
  /// One object for each that was refused: bundle, reason.
  const OrderedJson& refused() const { return refused_; }

 private:
  /// A bundle that lies where the store keeps its own, not stored yet.
  struct Arrival {
    RunRecord record;
    std::filesystem::path place;
  };
  void PlaceAll(const std::filesystem::path& path);
  void PlaceOrRefuse(const std::filesystem::path& bundle);
  void Place(const std::filesystem::path& bundle);
  void StoreArrivals();
  Keeper& KeeperOf(const RunSpec& spec);
  bool AddTo(const CampaignRow& row, CampaignPlan& plan) const;

  const ImportOptions& options_;
  Store& store_;
  DataAccess data_;
  /// By campaign: each has its own definition that picks epochs.
  std::map<std::string, Keeper> keepers_;
  std::vector<Arrival> arrivals_;
  OrderedJson answer_ = OrderedJson::array();
  OrderedJson refused_ = OrderedJson::array();
  std::vector<PlannedRun> taken_;
};

}  // namespace tailmark
