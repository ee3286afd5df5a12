#pragma once

#include <string>
#include <vector>

#include "harness/base/options.h"

namespace tailmark {

/// A run that a method starts from: a first stage, a teacher. Declared in
/// words, so that a plan can be made without the method. The needed run is of
/// the same method, data set and seed, and may need others in turn; two runs
/// that need the same one share it.
struct Dependency {
  /// What the method knows it by in FitContext::inputs: "stage1".
  std::string role;
  /// Needed only when all these options have these values; {}: always.
  OptionMap when;
  /// Options in which the needed run differs.
  OptionMap set;
  /// Options that mean nothing to the needed run and are put back to their
  /// defaults, so that runs that differ in them alone share it.
  std::vector<std::string> forget;
  /// Name of an integer option: one run for each of 0, ..., value - 1, of the
  /// roles "role-0", "role-1", ... "": one run.
  std::string repeat;
  /// Name of the integer option that gets that number. Required with `repeat`.
  std::string index;
  /// False: a task that only leaves its state, with no prediction and never a
  /// row of a table. True: a run like any other.
  bool scores = false;
};

/// One run that a dependency comes to.
struct NeededRun {
  std::string role;   ///< "stage1", "teacher-3".
  OptionMap options;  ///< Resolved: every field present.
  bool scores = false;
};

/// The runs that one with `resolved` options needs, in the order declared.
std::vector<NeededRun> NeededRuns(const std::vector<Dependency>& depends,
                                  const FieldTable& fields,
                                  const OptionMap& resolved);

/// True when all options of `when` have these values in `resolved`; 1 and 1.0
/// are the same.
bool AllHold(const OptionMap& when, const FieldTable& fields,
             const OptionMap& resolved);

/// Throws ConfigError when a dependency names an option that is not in
/// `fields`, gives it a value it may not have, or has `repeat` without `index`.
void CheckDependency(const Dependency& dependency, const FieldTable& fields);

}  // namespace tailmark
