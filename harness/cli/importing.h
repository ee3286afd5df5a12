#pragma once

#include <filesystem>
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

  /// A bundle folder, a folder of bundles, or a tar of either. Throws DataError
  /// for what is none, or whose data are not here.
  void TakeAll(const std::filesystem::path& path);

  /// What came in together is shown together, unless a campaign of that name
  /// was planned here.
  void Register(const std::string& command);

  /// One object a bundle: key, recipe, method, dataset, seed, state, reason.
  const OrderedJson& answer() const { return answer_; }

 private:
  void Take(const std::filesystem::path& bundle);

  const ImportOptions& options_;
  Store& store_;
  DataAccess data_;
  Keeper keeper_{store_, data_};
  OrderedJson answer_ = OrderedJson::array();
  std::vector<PlannedRun> taken_;
};

}  // namespace tailmark
