#include "harness/base/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "harness/base/suggest.h"

namespace tailmark {
namespace {

std::string Number(double value) {
  std::array<char, 64> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

void RequireRange(const FieldInfo& field, double value) {
  const Range& range = field.range;
  const bool above = range.lo_open ? value > range.lo : value >= range.lo;
  if (above && value <= range.hi) return;  // false for NaN, as it should be
  throw ConfigError(StrCat("option '", field.name, "' = ", Number(value),
                           " is outside ", RuleOf(field)));
}

void RequireChoice(const FieldInfo& field, const std::string& value) {
  const WordList& choices = field.choices;
  if (choices.empty() ||
      std::find(choices.begin(), choices.end(), value) != choices.end()) {
    return;
  }
  std::string message = StrCat("option '", field.name, "' = '", value,
                               "' is not one of ", RuleOf(field));
  if (const std::string near = Nearest(value, choices); !near.empty()) {
    message += StrCat("; did you mean '", near, "'?");
  }
  throw ConfigError(message);
}

void RequireRule(const FieldInfo& field, const OptionValue& value) {
  switch (field.type) {
    case OptionType::kBool:
      break;
    case OptionType::kInt:
      RequireRange(field, static_cast<double>(std::get<std::int64_t>(value)));
      break;
    case OptionType::kFloat:
      RequireRange(field, std::get<double>(value));
      break;
    case OptionType::kString:
      RequireChoice(field, std::get<std::string>(value));
      break;
    case OptionType::kNumbers:
      for (const double n : std::get<NumberList>(value)) RequireRange(field, n);
      break;
    case OptionType::kWords:
      for (const auto& w : std::get<WordList>(value)) RequireChoice(field, w);
      break;
  }
}

// The value in the field's type, or a variant of another type when there is no
// lossless way.
OptionValue Coerced(const FieldInfo& field, const OptionValue& value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (field.type == OptionType::kFloat) {
    if (const auto* n = std::get_if<std::int64_t>(&value)) {
      return static_cast<double>(*n);
    }
  }
  if (field.type == OptionType::kInt) {
    const auto* d = std::get_if<double>(&value);
    if (d != nullptr && std::trunc(*d) == *d && std::abs(*d) <= kExact) {
      return static_cast<std::int64_t>(*d);
    }
  }
  // An empty list says nothing of its elements.
  if (const auto* list = std::get_if<NumberList>(&value);
      list != nullptr && list->empty() && field.type == OptionType::kWords) {
    return WordList();
  }
  return value;
}

}  // namespace

std::string_view NameOf(OptionType type) {
  constexpr std::array<std::string_view, 6> kNames = {
      "bool", "int", "float", "string", "numbers", "words"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string RuleOf(const FieldInfo& field) {
  if (!field.choices.empty()) {
    std::string text;
    for (const std::string& word : field.choices) {
      text += (text.empty() ? "" : "|") + word;
    }
    return text;
  }
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const Range& range = field.range;
  if (range.lo == -kInf && range.hi == kInf) return "";
  return StrCat(range.lo_open || range.lo == -kInf ? "(" : "[",
                Number(range.lo), ", ", Number(range.hi),
                range.hi == kInf ? ")" : "]");
}

std::string ToText(const OptionValue& value) {
  struct Visitor {
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(std::int64_t v) const { return StrCat(v); }
    std::string operator()(double v) const { return Number(v); }
    std::string operator()(const std::string& v) const { return v; }
    std::string operator()(const NumberList& v) const {
      std::string text;
      for (const double n : v) text += (text.empty() ? "" : ", ") + Number(n);
      return "[" + text + "]";
    }
    std::string operator()(const WordList& v) const {
      std::string text;
      for (const auto& w : v) text += (text.empty() ? "" : ", ") + w;
      return "[" + text + "]";
    }
  };
  return std::visit(Visitor{}, value);
}

OptionValue CheckOption(const FieldInfo& field, const OptionValue& value) {
  const OptionValue coerced = Coerced(field, value);
  if (coerced.index() != static_cast<std::size_t>(field.type)) {
    throw ConfigError(StrCat("option '", field.name, "' = ", ToText(value),
                             " must be of type ", NameOf(field.type)));
  }
  RequireRule(field, coerced);
  return coerced;
}

const FieldInfo& FindField(const FieldTable& fields, std::string_view name) {
  for (const FieldInfo& field : fields) {
    if (field.name == name) return field;
  }
  WordList names;
  for (const FieldInfo& field : fields) names.push_back(field.name);
  throw ConfigError(UnknownName("option", name, names));
}

void CheckGiven(const FieldTable& fields, const OptionMap& given) {
  for (const auto& [name, value] : given) {
    CheckOption(FindField(fields, name), value);
  }
}

OptionMap ResolveOptions(const FieldTable& fields, const OptionMap& given) {
  for (const auto& entry : given) FindField(fields, entry.first);
  OptionMap resolved;
  for (const FieldInfo& field : fields) {
    const auto it = given.find(field.name);
    resolved.emplace(field.name,
                     CheckOption(field, it == given.end() ? field.default_value
                                                          : it->second));
  }
  return resolved;
}

namespace internal {

WordList SplitWords(std::string_view words) {
  WordList out;
  while (!words.empty()) {
    const auto bar = std::min(words.find('|'), words.size());
    out.emplace_back(words.substr(0, bar));
    words.remove_prefix(std::min(bar + 1, words.size()));
  }
  return out;
}

}  // namespace internal
}  // namespace tailmark
