#include "harness/base/cost.h"

#include <algorithm>
#include <array>

#include "harness/base/dependency.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace {

constexpr std::array<std::string_view, 7> kUnits = {
    "image",       "image token", "text token", "picture",
    "image tower", "text tower",  "plain"};

void RequireNumber(const FieldTable& fields, const std::string& name) {
  const FieldInfo& field = FindField(fields, name);
  if (field.type == OptionType::kInt || field.type == OptionType::kFloat) {
    return;
  }
  throw ConfigError(StrCat("a cost is multiplied by option '", name,
                           "', which is no number"));
}

void CheckTerm(const CostTerm& term, const FieldTable& fields) {
  if (!(term.amount >= 0)) {
    throw ConfigError(StrCat("a cost of ", term.amount, " ", NameOf(term.unit),
                             " is less than nothing"));
  }
  CheckGiven(fields, term.when);
  const WordList words = internal::SplitWords(kCostWords);
  for (const std::string& each : term.times) {
    if (std::find(words.begin(), words.end(), each) == words.end()) {
      RequireNumber(fields, each);
    }
  }
}

}  // namespace

std::string_view NameOf(CostUnit unit) {
  return kUnits.at(static_cast<std::size_t>(unit));
}

CostUnit CostUnitByName(std::string_view name) {
  const auto* const it = std::find(kUnits.begin(), kUnits.end(), name);
  if (it != kUnits.end()) return static_cast<CostUnit>(it - kUnits.begin());
  const std::vector<std::string> names(kUnits.begin(), kUnits.end());
  throw ConfigError(UnknownName("unit of cost", name, names));
}

void CheckCost(const Cost& cost, const FieldTable& fields) {
  for (const EpochsOption& each : cost.epochs) {
    RequireNumber(fields, each.option);
    CheckGiven(fields, each.when);
  }
  if (!cost.batch.empty()) RequireNumber(fields, cost.batch);
  for (const auto* terms : {&cost.work, &cost.memory}) {
    for (const CostTerm& term : *terms) CheckTerm(term, fields);
  }
  for (const SharedWork& each : cost.shared) {
    if (each.name.empty()) throw ConfigError("shared work needs a name");
    for (const CostTerm& term : each.terms) CheckTerm(term, fields);
  }
}

}  // namespace tailmark
