#include "harness/base/dependency.h"

#include <algorithm>
#include <utility>

namespace tailmark {
namespace {

void RequireInteger(const FieldTable& fields, const std::string& name) {
  if (FindField(fields, name).type != OptionType::kInt) {
    throw ConfigError(StrCat("option '", name, "' counts runs, but is no int"));
  }
}

/// The needed run's options before a repeat says which of them it is.
OptionMap Changed(const Dependency& dependency, const FieldTable& fields,
                  OptionMap options) {
  for (const std::string& name : dependency.forget) {
    options.insert_or_assign(name, FindField(fields, name).default_value);
  }
  for (const auto& [name, value] : dependency.set) {
    options.insert_or_assign(name, value);
  }
  return options;
}

}  // namespace

bool AllHold(const OptionMap& when, const FieldTable& fields,
             const OptionMap& resolved) {
  const OptionMap typed = ResolveOptions(fields, when);
  return std::all_of(when.begin(), when.end(), [&](const auto& each) {
    return typed.at(each.first) == resolved.at(each.first);
  });
}

std::vector<NeededRun> NeededRuns(const std::vector<Dependency>& depends,
                                  const FieldTable& fields,
                                  const OptionMap& resolved) {
  std::vector<NeededRun> needed;
  for (const Dependency& each : depends) {
    if (!AllHold(each.when, fields, resolved)) continue;
    OptionMap options = Changed(each, fields, resolved);
    if (each.repeat.empty()) {
      needed.push_back({.role = each.role,
                        .options = ResolveOptions(fields, options),
                        .scores = each.scores});
      continue;
    }
    const auto count = std::get<std::int64_t>(resolved.at(each.repeat));
    for (std::int64_t i = 0; i < count; ++i) {
      options.insert_or_assign(each.index, i);
      needed.push_back({.role = StrCat(each.role, "-", i),
                        .options = ResolveOptions(fields, options),
                        .scores = each.scores});
    }
  }
  return needed;
}

void CheckDependency(const Dependency& dependency, const FieldTable& fields) {
  if (dependency.role.empty()) {
    throw ConfigError("a dependency needs a role");
  }
  CheckGiven(fields, dependency.when);
  CheckGiven(fields, dependency.set);
  for (const std::string& name : dependency.forget) FindField(fields, name);
  if (dependency.repeat.empty() != dependency.index.empty()) {
    throw ConfigError(StrCat("dependency '", dependency.role,
                             "': repeat and index go together"));
  }
  if (dependency.repeat.empty()) return;
  RequireInteger(fields, dependency.repeat);
  RequireInteger(fields, dependency.index);
}

}  // namespace tailmark
