#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/base/json.h"
#include "harness/record/bundle.h"
#include "results/ingest.h"

namespace tailmark {

/// A pack is one .tar that others can check without trusting its maker: below
/// `tailmark-pack` the bundles (runs/KEY), what was scored from them
/// (PACK.json), labels if asked for (labels/HASH) and SHA256SUMS of every other
/// file. Format: results/README.md.
inline constexpr std::string_view kPackFolder = "tailmark-pack";

/// What the score matrices of a bundle are worth: a list of {scores,
/// definition, group, percent (null: undefined), classes, undefined_classes},
/// under the default definitions. Throws DataError naming the file.
OrderedJson NumbersOf(const std::filesystem::path& bundle,
                      const RunRecord& record, const DatasetFacts& facts);

struct RunToPack {
  std::filesystem::path bundle;  ///< Sealed, done.
  DatasetFacts facts;
};
/// Labels to go along: path below `labels/` -> bytes.
using PackedLabels = std::map<std::string, std::string>;

/// Writes a pack. Equal runs give equal bytes. `scratch` is a folder to work
/// in, made and emptied. Throws DataError for a bundle that is none or not
/// done, StoreError when a disk fails.
void WritePack(const std::filesystem::path& archive,
               const std::vector<RunToPack>& runs, const PackedLabels& labels,
               const std::filesystem::path& scratch);

/// Where the labels of a run come from: `packed` is the pack's folder `labels`.
/// Throws DataError when there are none, saying why.
using LabelSource = std::function<const DatasetFacts&(
    const RunSpec& spec, const std::filesystem::path& packed)>;

struct VerifiedRun {
  std::string key;
  std::string method;
  std::string dataset;
  std::uint64_t seed = 0;
  std::string verdict;   ///< "holds", "wrong", "labels missing".
  std::string why;       ///< Of the other two.
  bool claimed = false;  ///< A pack said numbers, and these were compared.
  OrderedJson numbers = OrderedJson::array();  ///< Recomputed.
};

struct Verification {
  /// What is not as it was packed: each names a file or a byte. Runs are then
  /// not looked at.
  std::vector<std::string> tampered;
  std::vector<VerifiedRun> runs;
};

/// Checks a pack, an exported .tar or a bundle folder: every byte against
/// SHA256SUMS and the archive's own form, each bundle against its seal and key,
/// and recomputes every number. What is wrong is in the answer. Throws
/// DataError only when there is nothing at `path`. `scratch`: as WritePack.
Verification Verify(const std::filesystem::path& path,
                    const LabelSource& labels,
                    const std::filesystem::path& scratch);

}  // namespace tailmark
