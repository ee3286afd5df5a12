#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/api/method.h"
#include "harness/base/cost.h"
#include "harness/base/dependency.h"
#include "harness/base/deviation.h"

namespace tailmark {

/// What Batch::inputs holds.
enum class InputKind : std::uint8_t { kImages, kFeatures, kNone };
std::string_view NameOf(InputKind kind);

/// What a method cannot do without. The planner refuses a data set that lacks
/// it
/// (`not_applicable`) before any work.
struct Needs {
  bool text = false;      ///< An encoder with a text tower.
  bool captions = false;  ///< A caption for each training image.
  /// Options under which it does without them (all of them hold); nothing:
  /// never.
  std::optional<OptionMap> captions_unless{};
  /// Options under which it asks FitObserver::TestFeedback(): all of them hold
  /// ({}: always). Nothing: it never does.
  std::optional<OptionMap> test_feedback{};
  /// Options under which each episode of a few-shot protocol starts from a fit
  /// to the base classes, given as FitContext::Input("base"): its classes are
  /// others. Nothing: episodes start from nothing.
  std::optional<OptionMap> base_fit{};
};

/// What a protocol may ask of a method. The runner refuses a mismatch before
/// any training starts; it never quietly trains on labels it does not have.
struct Abilities {
  bool trains = true;           ///< Fit() looks at training data.
  bool stochastic = true;       ///< Another seed may give other scores.
  bool partial_labels = false;  ///< Honours TrainBatch::known.
  bool batch_invariant =
      true;  ///< A row's scores ignore the rest of its batch.
  bool trains_encoder = false;  ///< Changes the encoder it was given.
  /// Values of Problem::precision it can do.
  std::vector<std::string> precisions = {"fp32"};
};

/// A named set of options of one method. kProfile only where a paper and a
/// release exist.
struct Preset {
  enum class Kind : std::uint8_t { kPreset, kProfile };
  std::string name;
  std::string summary;
  OptionMap options;
  Kind kind = Kind::kPreset;
};

/// What is true of a method as such, whatever its options.
struct MethodInfo {
  std::string name;     ///< snake_case; in recipes and results for good.
  int version = 1;      ///< Raise it when a change may move the numbers.
  std::string summary;  ///< One line, for list and the report.
  std::string family;   ///< Colour in reports: zero-shot, probe, prompt, ...
  std::string cite;     ///< A citation in words, or "".
  InputKind input = InputKind::kFeatures;
  /// Sets of options under any of which it wants images after all: it trains a
  /// tower, or is to encode what it meets.
  std::vector<OptionMap> images_when{};
  Needs needs{};
  Abilities abilities{};
  std::vector<Preset> presets;
  std::vector<Dependency> depends{};  ///< Runs it starts from.
  /// Where its paper and its released code differ, or only one of them speaks.
  std::vector<Deviation> deviations{};
  /// What a run takes when none before it has shown that; nothing: not known.
  std::optional<Cost> cost{};
};

/// What a method with these resolved options is given.
InputKind InputOf(const MethodInfo& info, const FieldTable& fields,
                  const OptionMap& resolved);

/// A class that can be registered: `static MethodInfo Info();`.
template <class M>
concept MethodPlugin =
    std::derived_from<M, Method> && OptionStruct<typename M::Options> &&
    std::constructible_from<M, typename M::Options, Problem> && requires {
  { M::Info() } -> std::same_as<MethodInfo>;
};

/// Name -> method. A plain value: main() fills one, a test fills its own.
class MethodRegistry {
 public:
  struct Entry {
    MethodInfo info;
    FieldTable options;
    std::function<std::unique_ptr<Method>(const OptionMap&, Problem)> create;
  };

  /// Throws std::logic_error when the name is taken, ConfigError when a preset,
  /// a dependency or a cost does not fit the options.
  template <MethodPlugin M>
  void Add() {
    Insert({M::Info(), DescribeOptions<typename M::Options>(),
            [](const OptionMap& values, Problem problem) {
              return std::make_unique<M>(FromMap<typename M::Options>(values),
                                         std::move(problem));
            }});
  }

  /// Throws ConfigError with the nearest name.
  const Entry& Find(std::string_view name) const;
  std::vector<std::string> Names() const;  ///< Sorted.

  /// For methods that are no C++ class: hosts of other kinds of plugin. Throws
  /// as Add() does.
  void Insert(Entry entry);

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace tailmark
