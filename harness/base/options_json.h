#pragma once

#include "harness/base/json.h"
#include "harness/base/options.h"

namespace tailmark {

/// Options as they stand in recipes, catalogues and run records.
Json ToJson(const OptionValue& value);
Json ToJson(const OptionMap& options);

/// A bool, number, string, or a list of numbers or of strings; a whole number
/// becomes an int. Throws ConfigError naming `name` for anything else.
OptionValue OptionFromJson(const Json& json, std::string_view name);
/// An object of such values.
OptionMap OptionsFromJson(const Json& json);

/// The table with types, rules, defaults and help, and back. Infinite ends of
/// a range are left out.
Json ToJson(const FieldTable& fields);
FieldTable FieldTableFromJson(const Json& json);

}  // namespace tailmark
