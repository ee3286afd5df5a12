#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/options.h"

namespace tailmark {

/// What work and memory are counted in, so that a declaration holds for every
/// encoder and device; how long or large one is, the planner knows.
///
/// | unit        | as work                            | as memory            |
/// |-------------|------------------------------------|----------------------|
/// | kImage      | an image through the image tower   | kept for its         |
/// |             |                                    | gradient             |
/// | kImageToken | one more token in the image tower  | the same             |
/// | kTextToken  | a token through the text tower     | the same             |
/// | kPicture    | an image read, resized, augmented  | its pixels           |
/// | kImageTower | a step of all its numbers          | all its numbers      |
/// | kTextTower  | the same of the text tower         | the same             |
/// | kPlain      | a second                           | a byte               |
///
/// A backward pass is as much work as two forward passes, as one where no
/// number of the tower is trained.
enum class CostUnit : std::uint8_t {
  kImage,
  kImageToken,
  kTextToken,
  kPicture,
  kImageTower,
  kTextTower,
  kPlain
};
std::string_view NameOf(CostUnit unit);          ///< "image", "text token", ...
CostUnit CostUnitByName(std::string_view name);  ///< Throws ConfigError.

/// `amount` of a unit times everything in `times`.
struct CostTerm {
  CostUnit unit = CostUnit::kPlain;
  double amount = 1;
  /// Words of kCostWords, and numeric options of the method.
  std::vector<std::string> times{};
  OptionMap when{};  ///< Counts only when all these options have these values.
  /// In a few-shot protocol: once, on the base classes' images, instead of in
  /// each episode.
  bool once = false;
};

/// What may stand in CostTerm::times beside options. train_images: of one fit;
/// test_images: as often as they are scored; classes; epochs; steps: of all
/// epochs; batch: images of one step.
inline constexpr std::string_view kCostWords =
    "train_images|test_images|classes|epochs|steps|batch";

/// Work that is kept and done once for all runs with the same features, each
/// image once. What has the same name is the same work, whatever the method.
struct SharedWork {
  std::string name;  ///< "train", "test", "train mirrored".
  std::vector<CostTerm> terms;
};

/// The number of epochs is this option when all of `when` hold.
struct EpochsOption {
  std::string option;
  OptionMap when{};
};

/// What a run of a method takes, declared in words, so that a plan can be made
/// without the method. For what no run before it has shown.
struct Cost {
  /// The first whose `when` holds; none: one epoch.
  std::vector<EpochsOption> epochs{};
  std::string batch;  ///< The option that has the images of a step; "": none.
  std::vector<CostTerm> work{};
  std::vector<SharedWork> shared{};
  /// On the device, beside the process and the encoder's own numbers.
  std::vector<CostTerm> memory{};
};

/// Throws ConfigError when a cost names an option that is not in `fields` or
/// gives it a value it may not have, multiplies by one that is no number, or
/// counts less than nothing.
void CheckCost(const Cost& cost, const FieldTable& fields);

}  // namespace tailmark
