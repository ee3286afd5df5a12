#include "harness/plugin/declaration.h"

#include <algorithm>
#include <cctype>

#include "harness/base/error.h"
#include "harness/base/options_json.h"
#include "harness/base/suggest.h"
#include "harness/record/cost_json.h"

namespace tailmark {
namespace {

template <class T>
T ByName(const std::vector<T>& values, const std::string& name,
         std::string_view what, const std::string& where) {
  std::vector<std::string> names;
  for (const T value : values) {
    if (NameOf(value) == name) return value;
    names.emplace_back(NameOf(value));
  }
  throw DataError(StrCat(where, ": ", UnknownName(what, name, names)));
}

Abilities ReadAbilities(const Json& json, const std::string& where) {
  JsonMembers in(json, where + ", abilities");
  Abilities able;
  able.trains = in.Get("trains", able.trains);
  able.stochastic = in.Get("stochastic", able.stochastic);
  able.partial_labels = in.Get("partial_labels", able.partial_labels);
  able.batch_invariant = in.Get("batch_invariant", able.batch_invariant);
  able.precisions = in.Get("precisions", able.precisions);
  in.Finish();
  return able;
}

Preset ReadPreset(const Json& json, const std::string& where) {
  JsonMembers in(json, where + ", presets");
  Preset preset;
  preset.name = in.Get<std::string>("name");
  preset.summary = in.Get<std::string>("summary", "");
  preset.options = OptionsFromJson(in.At("options"));
  in.Finish();
  return preset;
}

/// The table, with what people leave out filled in.
FieldTable ReadOptions(const Json& json, const std::string& where) {
  Json whole = json;
  for (Json& field : whole) {
    if (field.is_object() && !field.contains("help")) field["help"] = "";
  }
  try {
    return FieldTableFromJson(whole);
  } catch (const Json::exception& error) {
    throw DataError(StrCat(
        where,
        ": options must be a list of {name, type, default, help, and lo, "
        "hi or choices}: ",
        error.what()));
  }
}

bool IsMethodName(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return std::islower(static_cast<unsigned char>(c)) != 0 ||
           std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
}

}  // namespace

Declaration ReadDeclaration(JsonMembers& in) {
  Declaration out;
  MethodInfo& info = out.info;
  const std::string where = in.where();
  info.name = in.Get<std::string>("name");
  if (!IsMethodName(info.name)) {
    throw DataError(StrCat(where, ": the method's name '", info.name,
                           "' must be of small letters, digits and _"));
  }
  info.version = in.Get<int>("version");
  info.summary = in.Get<std::string>("summary");
  info.family = in.Get<std::string>("family", "plugin");
  info.cite = in.Get<std::string>("cite", "");
  info.input = ByName<InputKind>(
      {InputKind::kFeatures, InputKind::kImages, InputKind::kNone},
      in.Get<std::string>("input", "features"), "input", where);
  out.scale = ByName<ScoreScale>(
      {ScoreScale::kLogit, ScoreScale::kProbability, ScoreScale::kCosine},
      in.Get<std::string>("scale", "logit"), "scale", where);
  if (const Json* abilities = in.Find("abilities")) {
    info.abilities = ReadAbilities(*abilities, where);
  }
  if (const Json* options = in.Find("options")) {
    out.options = ReadOptions(*options, where);
  }
  if (const Json* presets = in.Find("presets")) {
    for (const Json& preset : *presets) {
      info.presets.push_back(ReadPreset(preset, where));
    }
  }
  if (const Json* cost = in.Find("cost")) {
    info.cost = CostFromJson(*cost, where + ", cost");
  }
  return out;
}

}  // namespace tailmark
