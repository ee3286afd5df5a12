#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace tailmark {

/// A method to be held to the contract: a builtin, or one of a plugin's.
struct CheckedMethod {
  std::string name;
  std::filesystem::path plugin;  ///< "" for a builtin.
};

/// How one promise was kept.
struct PromiseKept {
  std::string check;    ///< "SameSeedSameBits"
  std::string meaning;  ///< A sentence for people.
  std::string outcome;  ///< "kept", "skipped" or "broken".
  std::string detail;   ///< What was seen, and what helps; "" when kept.
};

/// Holds a method to the promises in `only` (empty: all of them) in a worker
/// and hands each to `tell` as soon as it is known, in order. Loading LibTorch
/// and the plugin takes longer than most promises, so that one process is asked
/// all of them; but none is said to be broken unless it is by a process that
/// was asked nothing before it. What crashes or hangs is a broken promise.
/// Throws ConfigError for a method that no worker can load, with its words, and
/// for a promise that there is none of, with the nearest.
void HoldToPromises(const CheckedMethod& checked,
                    const std::vector<std::string>& only,
                    const std::function<void(const PromiseKept&)>& tell);

}  // namespace tailmark
