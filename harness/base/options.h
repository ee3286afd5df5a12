#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "harness/base/error.h"

namespace tailmark {

// ---- Values as they travel: recipe -> plan -> method -> results row --------

using NumberList = std::vector<double>;
using WordList = std::vector<std::string>;
using OptionValue =
    std::variant<bool, std::int64_t, double, std::string, NumberList, WordList>;
using OptionMap = std::map<std::string, OptionValue, std::less<>>;

/// Same order as the alternatives of OptionValue.
enum class OptionType : std::uint8_t {
  kBool,
  kInt,
  kFloat,
  kString,
  kNumbers,
  kWords
};
std::string_view NameOf(OptionType type);  ///< "bool", "int", "float", ...

// ---- What a legal value looks like -----------------------------------------

/// A numeric interval, ends included. `lo_open` excludes the lower end. For a
/// list it holds for each element.
struct Range {
  double lo = -std::numeric_limits<double>::infinity();
  double hi = std::numeric_limits<double>::infinity();
  bool lo_open = false;
};
constexpr Range AnyNumber() { return {}; }
constexpr Range Positive() { return {.lo = 0.0, .lo_open = true}; }
constexpr Range NonNegative() { return {.lo = 0.0}; }
constexpr Range Fraction() { return {.lo = 0.0, .hi = 1.0}; }
constexpr Range AtLeast(double lo) { return {.lo = lo}; }
constexpr Range Between(double lo, double hi) { return {.lo = lo, .hi = hi}; }

/// A closed set of words, written "a|b|c".
struct OneOf {
  std::string_view words;
};

/// No rule beyond the type; for bool and free text.
struct AnyValue {};

/// One option: its name, where it lives, what it means, what it may be. Rules
/// are types, so a text field cannot be given a numeric range.
template <class Owner, class T, class Rule = AnyValue>
struct Field {
  std::string_view name;
  T Owner::*member;
  std::string_view help;
  Rule rule{};
};
template <class O, class T>
Field(const char*, T O::*, const char*) -> Field<O, T>;
template <class O, class T, class R>
Field(const char*, T O::*, const char*, R) -> Field<O, T, R>;

/// An options struct is a plain aggregate with defaults and a Fields() table.
template <class O>
concept OptionStruct =
    std::default_initializable<O> && std::is_aggregate_v<O> && requires {
  O::Fields();
};

/// The same table, type-erased: what describe, plans and grids are made from,
/// also in programs that do not know the struct.
struct FieldInfo {
  std::string name;
  OptionType type = OptionType::kBool;
  std::string help;
  OptionValue default_value;
  Range range;       ///< For kInt, kFloat, kNumbers.
  WordList choices;  ///< For kString, kWords; empty: free text.
};
using FieldTable = std::vector<FieldInfo>;

/// "[0, 1]", "a|b|c" or "": the rule in words.
std::string RuleOf(const FieldInfo& field);

/// `value` in the field's own type (an int where a float is wanted is widened,
/// an integral float where an int is wanted is narrowed). Throws ConfigError
/// naming the option, the value and what is allowed.
OptionValue CheckOption(const FieldInfo& field, const OptionValue& value);

/// Defaults overlaid with `given`, every value checked. Throws ConfigError on
/// an unknown name (with the nearest right one), a wrong type or a broken rule;
/// never silently ignores an entry.
OptionMap ResolveOptions(const FieldTable& fields, const OptionMap& given);

/// What ResolveOptions says against `given`, the defaults left alone: a
/// declaration names a few options of many, dozens of times.
void CheckGiven(const FieldTable& fields, const OptionMap& given);

/// The field of that name, or throws ConfigError as ResolveOptions does.
const FieldInfo& FindField(const FieldTable& fields, std::string_view name);

/// For messages and tables: true, 0.001, "word", [1, 2].
std::string ToText(const OptionValue& value);

namespace internal {

WordList SplitWords(std::string_view words);

template <class T>
constexpr OptionType TypeOf() {
  if constexpr (std::same_as<T, bool>) return OptionType::kBool;
  if constexpr (std::same_as<T, std::int64_t>) return OptionType::kInt;
  if constexpr (std::same_as<T, double>) return OptionType::kFloat;
  if constexpr (std::same_as<T, std::string>) return OptionType::kString;
  if constexpr (std::same_as<T, NumberList>) return OptionType::kNumbers;
  if constexpr (std::same_as<T, WordList>) return OptionType::kWords;
}

template <class O, class T, class R>
FieldInfo Erase(const Field<O, T, R>& field) {
  FieldInfo info{.name = std::string(field.name),
                 .type = TypeOf<T>(),
                 .help = std::string(field.help),
                 .default_value = OptionValue(O{}.*field.member)};
  if constexpr (std::same_as<R, Range>) {
    static_assert(std::is_arithmetic_v<T> || std::same_as<T, NumberList>,
                  "Range needs a number");
    info.range = field.rule;
  }
  if constexpr (std::same_as<R, OneOf>) {
    static_assert(std::same_as<T, std::string> || std::same_as<T, WordList>,
                  "OneOf needs a string");
    info.choices = SplitWords(field.rule.words);
  }
  return info;
}

}  // namespace internal

template <OptionStruct O>
FieldTable DescribeOptions() {
  return std::apply(
      [](const auto&... field) {
        return FieldTable{internal::Erase(field)...};
      },
      O::Fields());
}

/// Every field with its current value: what gets recorded next to a result.
template <OptionStruct O>
OptionMap ToMap(const O& options) {
  OptionMap map;
  std::apply(
      [&](const auto&... field) {
        (map.emplace(std::string(field.name),
                     OptionValue(options.*field.member)),
         ...);
      },
      O::Fields());
  return map;
}

/// ResolveOptions into the struct.
template <OptionStruct O>
O FromMap(const OptionMap& values) {
  const OptionMap resolved = ResolveOptions(DescribeOptions<O>(), values);
  O options;
  const auto assign = [&](const auto& field) {
    using T = std::remove_cvref_t<decltype(options.*field.member)>;
    options.*field.member = std::get<T>(resolved.find(field.name)->second);
  };
  std::apply([&](const auto&... field) { (assign(field), ...); }, O::Fields());
  return options;
}

}  // namespace tailmark
