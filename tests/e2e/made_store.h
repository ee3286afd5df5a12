#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/record/bundle.h"

namespace tailmark {

/// A finished run of a method that does not exist, on the embedded data set:
/// scores made from its test labels. Enough for every verb that reads a store,
/// without a worker.
struct MadeRun {
  std::string method = "probe";
  std::uint64_t seed = 0;
  std::string build = "build-1";
  int method_version = 1;
  /// How far present classes stand above absent ones, in units of the noise.
  double skill = 1.5;
  /// Chooses the noise: equal salts and seeds give equal noise.
  std::uint64_t salt = 0;
  bool stochastic = false;  ///< Each seed has noise of its own.
  std::string selection = "last";
  RunState state = RunState::kDone;
  std::string fingerprint = "here";
  /// Above 0: on the few-shot protocol of the embedded scenes instead, with as
  /// many shots.
  std::int64_t shots = 0;
  std::string label = "";  ///< Of its row; "": the method's name.
};

/// Writes a sealed bundle of each run below `bundles`, in a folder of its key,
/// into no store: what workers on a cluster leave. `<key>.failed` for one that
/// is not done. Of that campaign.
void WriteMadeBundles(const std::filesystem::path& bundles,
                      const std::string& campaign,
                      const std::vector<MadeRun>& runs);

/// Stores a campaign of these runs, newest of all. Runs that are there stay.
void StoreCampaign(const std::filesystem::path& store, const std::string& name,
                   const std::vector<MadeRun>& runs);

/// The same scores as files for a "scores:" row: NAME.npy, NAME.json and
/// NAME.ids.txt in `folder`, with rows and columns in another order than the
/// data set's.
void WriteScoreFile(const std::filesystem::path& folder,
                    const std::string& name, const MadeRun& run);

}  // namespace tailmark
