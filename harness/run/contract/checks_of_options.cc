#include <limits>

#include "harness/run/contract/subject.h"

namespace tailmark::contract {
namespace {

/// Values just outside what the field says.
std::vector<OptionValue> Illegal(const FieldInfo& field) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  std::vector<OptionValue> out;
  const auto number = [&](double value) {
    if (field.type == OptionType::kInt) {
      out.emplace_back(static_cast<std::int64_t>(value));
    } else {
      out.emplace_back(value);
    }
  };
  if (field.type == OptionType::kInt || field.type == OptionType::kFloat) {
    if (field.range.lo > -kInf) {
      number(field.range.lo_open ? field.range.lo : field.range.lo - 1);
    }
    if (field.range.hi < kInf) number(field.range.hi + 1);
    out.emplace_back(std::string("word"));
  }
  if (!field.choices.empty()) out.emplace_back(std::string("no such word"));
  if (field.type == OptionType::kBool) out.emplace_back(1.5);
  return out;
}

void RoundTrip(Subject& subject) {
  const auto options = subject.MakeSmall()->ResolvedOptions();
  for (const FieldInfo& field : subject.fields()) {
    Require(options.contains(field.name),
            StrCat("ResolvedOptions() lacks '", field.name, "'"));
  }
  Require(subject.Make(options)->ResolvedOptions() == options,
          "a method made from what ResolvedOptions() said resolves to other "
          "options");
}

void Presets(Subject& subject) {
  for (const Preset& preset : subject.info().presets) {
    const auto resolved = subject.Make(preset.options)->ResolvedOptions();
    for (const auto& [name, value] : preset.options) {
      Require(
          ToText(resolved.at(name)) == ToText(value),
          StrCat("preset '", preset.name, "' says ", name, " = ", ToText(value),
                 ", the method took ", ToText(resolved.at(name))));
    }
  }
}

void UnknownOption(Subject& subject) {
  try {
    subject.Make({{"no_such_option", true}});
  } catch (const ConfigError&) {
    return;
  }
  throw Broken("an option it does not have was taken without a word");
}

void Bounds(Subject& subject) {
  for (const FieldInfo& field : subject.fields()) {
    for (const OptionValue& value : Illegal(field)) {
      try {
        subject.Make({{field.name, value}});
      } catch (const ConfigError& error) {
        Require(std::string(error.what()).find(field.name) != std::string::npos,
                StrCat("the message does not name '", field.name,
                       "': ", error.what()));
        continue;
      }
      throw Broken(StrCat(field.name, " = ", ToText(value),
                          " is outside of what it declares and was taken"));
    }
  }
}

}  // namespace

std::vector<Check> ChecksOfOptions() {
  return {
      {"EveryDefaultIsLegalAndSurvivesARoundTrip",
       "what ResolvedOptions() says makes the same method again", RoundTrip},
      {"EveryPresetCanBeMade", "its presets are options that it takes",
       Presets},
      {"RefusesAnOptionItDoesNotHave", "a misspelt option is an error",
       UnknownOption},
      {"RefusesValuesOutsideTheirBoundsByName",
       "every declared bound is kept, and the message names the option",
       Bounds},
  };
}

}  // namespace tailmark::contract
