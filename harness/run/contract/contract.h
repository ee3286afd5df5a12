#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/api/registry.h"

namespace tailmark {

/// How one promise of harness/api/method.h was kept.
struct ContractResult {
  enum class Outcome : std::uint8_t { kKept, kSkipped, kBroken };
  std::string check;  ///< "SameSeedSameBits"
  Outcome outcome = Outcome::kKept;
  /// What was seen, and what helps; why it was skipped; "" when kept.
  std::string detail;
};

/// The promises that every method is held to, builtin or plugin, in the order
/// in which a broken one is best mended.
std::vector<std::string> ContractChecks();
/// What a promise is, in a sentence for people. Throws ConfigError with the
/// nearest name.
std::string MeaningOf(const std::string& check);

/// What a check may have to know of a method.
struct ContractHelp {
  /// Options under which it learns the toy data in a test's time.
  OptionMap faster;
  /// It says no more than its encoder's text tower, which knows nothing of the
  /// toy data: it is not asked to learn them.
  bool says_what_text_says = false;
  /// The classes it brings, of which the toy data show the first three. Empty:
  /// it takes any.
  std::vector<std::string> classes{};
  /// The size of input it was made for: width of a feature, side of a picture.
  /// 0: it takes the toys'.
  std::int64_t input_size = 0;
};

/// Holds `entry` to one promise on toy data: 96 images of 8 x 8 pixels, three
/// classes, an encoder of width 8; 12 images where pictures have another size.
/// Whatever the method throws is in the result.
/// Runs on the CPU; takes milliseconds for a method that does.
ContractResult HoldToContract(const MethodRegistry::Entry& entry,
                              const std::string& check,
                              const ContractHelp& help = {});

}  // namespace tailmark
