#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "datasets/dataset.h"
#include "harness/api/registry.h"
#include "harness/record/run_spec.h"
#include "harness/run/runner.h"
#include "tests/contract/toys.h"

namespace tailmark::toys {

/// 48 training and 20 test pictures of 8 x 8 pixels, three classes. Options:
/// hidden (every third training label is unknown), broken_row (LoadImage of
/// this training row fails; -1: none), episodes (so many, of six support
/// pictures each; class 0 is the base class, 1 and 2 are novel).
struct ToyDatasetOptions {
  bool hidden = false;
  std::int64_t broken_row = -1;
  std::int64_t episodes = 0;

  static constexpr auto Fields() {
    using O = ToyDatasetOptions;
    return std::tuple{
        Field{"hidden", &O::hidden, "Every third training label is unknown"},
        Field{"broken_row", &O::broken_row, "Training row that cannot be read"},
        Field{"episodes", &O::episodes, "Episodes of a few-shot protocol"},
    };
  }
};
void RegisterToyDataset(DatasetRegistry& registry);

/// Everything a run needs, of toys: built-in methods, methods that misbehave
/// (RegisterBadMethods), the toy data set and encoder, and a folder for bundles
/// that goes away with it.
class ToyEngine {
 public:
  ToyEngine();
  ~ToyEngine();

  /// A spec of `method` on the toy data, hashes left open.
  RunSpec Spec(const std::string& method, OptionMap options = {}) const;
  /// ExecuteRun into `name` of the folder; what the run said on stderr is in
  /// log().
  int Execute(const RunSpec& spec, const std::string& name,
              double checkpoint_every_s = 5.0, int feedback = -1);
  const std::string& log() const { return log_; }
  std::filesystem::path Bundle(const std::string& name) const {
    return folder_ / name;
  }
  std::filesystem::path Cache() const { return folder_ / "cache"; }
  const std::filesystem::path& folder() const { return folder_; }

  Engine engine() const;
  MethodRegistry methods;
  DatasetRegistry datasets;
  bool batch_norm = false;  ///< The encoder says that it is batch-dependent.

 private:
  std::filesystem::path folder_;
  std::string log_;
};

/// nan_scores, wrong_shape, nan_loss, throws, out_of_memory, pixel_mean (input
/// images, mirrored at random, counts what it saw); staged, which starts from a
/// run of its own; driven, which asks for test scores
/// after each of three epochs and scores the sum of the answers; from_base,
/// which scores what its base fit left plus the number of its classes.
void RegisterBadMethods(MethodRegistry& registry);

}  // namespace tailmark::toys
