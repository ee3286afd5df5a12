#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "harness/api/registry.h"
#include "harness/base/error.h"
#include "harness/run/contract/contract.h"
#include "harness/run/contract/toys.h"
#include "harness/run/state_file.h"

namespace tailmark::contract {

/// A check that does not hold, or does not apply.
class Broken : public Error {
 public:
  using Error::Error;
};
class NotAsked : public Error {
 public:
  using Error::Error;
};
inline void Require(bool holds, const std::string& otherwise) {
  if (!holds) throw Broken(otherwise);
}
inline void OnlyIf(bool applies, const std::string& otherwise) {
  if (!applies) throw NotAsked(otherwise);
}

/// A method and toy data to ask it about.
class Subject {
 public:
  Subject(const MethodRegistry::Entry& entry, const ContractHelp& help)
      : entry_(entry), help_(help) {
    Show(kImages, 3);
  }

  const MethodInfo& info() const { return entry_.info; }
  const FieldTable& fields() const { return entry_.options; }
  const ContractHelp& help() const { return help_; }
  toys::ToyData& data() { return data_; }
  toys::ToyEncoder& encoder() { return encoder_; }

  /// From here on, so many images and classes, as far as it takes them.
  void Show(std::int64_t images, std::int64_t classes);
  std::unique_ptr<Method> Make(const OptionMap& options);
  /// With the preset for small data where there is one: defaults may be meant
  /// for a large encoder and hours.
  std::unique_ptr<Method> MakeSmall(const OptionMap& more = {});
  std::unique_ptr<Method> MakeIn(const std::string& precision,
                                 const OptionMap& options);
  at::Tensor Inputs() const;
  void Fit(Method& method, FitObserver& observer, std::uint64_t seed = 7);
  std::unique_ptr<Method> Fitted(std::uint64_t seed = 7);
  Batch Of(const at::Tensor& rows) const;
  at::Tensor Scores(const Method& method) const;
  at::Tensor Trained(std::uint64_t seed = 7) { return Scores(*Fitted(seed)); }
  /// Fits and scores; finite numbers of the right shape.
  void RequireScores();
  /// From here on, what is learnt is not what a text tower says.
  void StartPlain() { plain_start_ = true; }

 private:
  static constexpr std::int64_t kImages = 96;

  Problem TheProblem();
  OptionMap Small(const OptionMap& more) const;
  std::map<std::string, MemoryState> StatesNeeded(const OptionMap& options,
                                                  std::uint64_t seed);

  const MethodRegistry::Entry& entry_;
  const ContractHelp& help_;
  toys::ToyEncoder encoder_;
  toys::ToyData data_;
  bool plain_start_ = false;
};

/// One promise.
struct Check {
  std::string name;
  std::string meaning;
  std::function<void(Subject&)> ask;
};
std::vector<Check> ChecksOfOptions();
std::vector<Check> ChecksOfScores();
std::vector<Check> ChecksOfFits();

}  // namespace tailmark::contract
