#include "harness/base/options_json.h"

#include <algorithm>
#include <cmath>

namespace tailmark {

Json ToJson(const OptionValue& value) {
  return std::visit([](const auto& v) { return Json(v); }, value);
}

Json ToJson(const OptionMap& options) {
  Json json = Json::object();
  for (const auto& [name, value] : options) json[name] = ToJson(value);
  return json;
}

OptionValue OptionFromJson(const Json& json, std::string_view name) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    const auto all = [&](auto is) {
      return std::all_of(json.begin(), json.end(), is);
    };
    if (all([](const Json& j) { return j.is_number(); })) {
      return json.get<NumberList>();
    }
    if (all([](const Json& j) { return j.is_string(); })) {
      return json.get<WordList>();
    }
  }
  throw ConfigError(StrCat(
      "option '", name, "' = ", json.dump(),
      " must be a bool, a number, a string, or a list of numbers or strings"));
}

OptionMap OptionsFromJson(const Json& json) {
  if (!json.is_object()) {
    throw ConfigError(StrCat("options must be an object, found ", json.dump()));
  }
  OptionMap options;
  for (const auto& [name, value] : json.items()) {
    options.emplace(name, OptionFromJson(value, name));
  }
  return options;
}

Json ToJson(const FieldTable& fields) {
  Json out = Json::array();
  for (const FieldInfo& field : fields) {
    Json json = {{"name", field.name},
                 {"type", NameOf(field.type)},
                 {"help", field.help},
                 {"default", ToJson(field.default_value)}};
    if (!field.choices.empty()) json["choices"] = field.choices;
    if (std::isfinite(field.range.lo)) json["lo"] = field.range.lo;
    if (std::isfinite(field.range.hi)) json["hi"] = field.range.hi;
    if (field.range.lo_open) json["lo_open"] = true;
    out.push_back(std::move(json));
  }
  return out;
}

FieldTable FieldTableFromJson(const Json& json) {
  FieldTable fields;
  for (const Json& entry : json) {
    FieldInfo field;
    field.name = entry.at("name").get<std::string>();
    field.help = entry.at("help").get<std::string>();
    const auto type = entry.at("type").get<std::string>();
    for (int t = 0; t <= static_cast<int>(OptionType::kWords); ++t) {
      if (NameOf(static_cast<OptionType>(t)) == type) {
        field.type = static_cast<OptionType>(t);
      }
    }
    if (NameOf(field.type) != type) {
      throw DataError(
          StrCat("option '", field.name, "' has unknown type '", type, "'"));
    }
    field.choices = entry.value("choices", WordList());
    field.range.lo = entry.value("lo", field.range.lo);
    field.range.hi = entry.value("hi", field.range.hi);
    field.range.lo_open = entry.value("lo_open", false);
    field.default_value =
        CheckOption(field, OptionFromJson(entry.at("default"), field.name));
    fields.push_back(std::move(field));
  }
  return fields;
}

}  // namespace tailmark
