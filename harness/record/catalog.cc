#include "harness/record/catalog.h"

#include "harness/base/dependency.h"
#include "harness/base/environment.h"
#include "harness/base/options_json.h"
#include "harness/base/suggest.h"
#include "harness/record/cost_json.h"
#include "harness/record/json_members.h"

namespace tailmark {
namespace {

// Raise it when a reader of the old form would misread the new one.
constexpr std::string_view kCatalogSchema = "tailmark-catalog/1";

Json DependencyToJson(const Dependency& dependency) {
  return {{"role", dependency.role},       {"when", ToJson(dependency.when)},
          {"set", ToJson(dependency.set)}, {"forget", dependency.forget},
          {"repeat", dependency.repeat},   {"index", dependency.index},
          {"scores", dependency.scores}};
}

Json DeviationToJson(const Deviation& deviation) {
  return {{"topic", deviation.topic},
          {"paper", ToJson(deviation.paper)},
          {"released", ToJson(deviation.released)},
          {"source", deviation.source},
          {"effect", deviation.effect}};
}

Json MethodToJson(const MethodEntry& method) {
  Json depends = Json::array();
  for (const Dependency& each : method.depends) {
    depends.push_back(DependencyToJson(each));
  }
  Json deviations = Json::array();
  for (const Deviation& each : method.deviations) {
    deviations.push_back(DeviationToJson(each));
  }
  Json presets = Json::array();
  for (const PresetEntry& preset : method.presets) {
    presets.push_back({{"name", preset.name},
                       {"kind", preset.kind},
                       {"summary", preset.summary},
                       {"options", ToJson(preset.options)}});
  }
  return {{"name", method.name},
          {"version", method.version},
          {"summary", method.summary},
          {"family", method.family},
          {"cite", method.cite},
          {"input", method.input},
          {"needs_text", method.needs_text},
          {"needs_captions", method.needs_captions},
          {"captions_unless",
           method.captions_unless ? ToJson(*method.captions_unless) : Json()},
          {"trains", method.trains},
          {"stochastic", method.stochastic},
          {"partial_labels", method.partial_labels},
          {"batch_invariant", method.batch_invariant},
          {"trains_encoder", method.trains_encoder},
          {"precisions", method.precisions},
          {"test_feedback",
           method.test_feedback ? ToJson(*method.test_feedback) : Json()},
          {"options", ToJson(method.options)},
          {"presets", std::move(presets)},
          {"depends", std::move(depends)},
          {"deviations", std::move(deviations)},
          {"cost", method.cost ? ToJson(*method.cost) : Json()}};
}

PresetEntry PresetFromJson(const Json& json) {
  JsonMembers in(json, "catalogue, preset");
  PresetEntry preset;
  preset.name = in.Get<std::string>("name");
  preset.kind = in.Get<std::string>("kind");
  preset.summary = in.Get<std::string>("summary");
  preset.options = OptionsFromJson(in.At("options"));
  in.Finish();
  return preset;
}

Dependency DependencyFromJson(const Json& json) {
  JsonMembers in(json, "catalogue, dependency");
  Dependency dependency;
  dependency.role = in.Get<std::string>("role");
  dependency.when = OptionsFromJson(in.At("when"));
  dependency.set = OptionsFromJson(in.At("set"));
  dependency.forget = in.Get<std::vector<std::string>>("forget");
  dependency.repeat = in.Get<std::string>("repeat");
  dependency.index = in.Get<std::string>("index");
  dependency.scores = in.Get<bool>("scores");
  in.Finish();
  return dependency;
}

Deviation DeviationFromJson(const Json& json) {
  JsonMembers in(json, "catalogue, deviation");
  Deviation deviation;
  deviation.topic = in.Get<std::string>("topic");
  deviation.paper = OptionsFromJson(in.At("paper"));
  deviation.released = OptionsFromJson(in.At("released"));
  deviation.source = in.Get<std::string>("source");
  deviation.effect = in.Get<std::string>("effect");
  in.Finish();
  return deviation;
}

MethodEntry MethodFromJson(const Json& json) {
  JsonMembers in(json, "catalogue, method");
  MethodEntry method;
  method.name = in.Get<std::string>("name");
  method.version = in.Get<int>("version");
  method.summary = in.Get<std::string>("summary");
  method.family = in.Get<std::string>("family");
  method.cite = in.Get<std::string>("cite");
  method.input = in.Get<std::string>("input");
  method.needs_text = in.Get<bool>("needs_text");
  method.needs_captions = in.Get<bool>("needs_captions");
  if (const Json& unless = in.At("captions_unless"); !unless.is_null()) {
    method.captions_unless = OptionsFromJson(unless);
  }
  method.trains = in.Get<bool>("trains");
  method.stochastic = in.Get<bool>("stochastic");
  method.partial_labels = in.Get<bool>("partial_labels");
  method.batch_invariant = in.Get<bool>("batch_invariant");
  method.trains_encoder = in.Get<bool>("trains_encoder");
  method.precisions = in.Get<std::vector<std::string>>("precisions");
  if (const Json& feedback = in.At("test_feedback"); !feedback.is_null()) {
    method.test_feedback = OptionsFromJson(feedback);
  }
  method.options = FieldTableFromJson(in.At("options"));
  // A catalogue whose preset does not fit its own table is no catalogue.
  ResolveOptions(method.options, {});
  for (const Json& preset : in.At("presets")) {
    method.presets.push_back(PresetFromJson(preset));
    CheckGiven(method.options, method.presets.back().options);
  }
  for (const Json& each : in.At("depends")) {
    method.depends.push_back(DependencyFromJson(each));
    CheckDependency(method.depends.back(), method.options);
  }
  for (const Json& each : in.At("deviations")) {
    method.deviations.push_back(DeviationFromJson(each));
    CheckDeviation(method.deviations.back(), method.options);
  }
  if (const Json& cost = in.At("cost"); !cost.is_null()) {
    method.cost = CostFromJson(cost, "catalogue, cost");
    CheckCost(*method.cost, method.options);
  }
  in.Finish();
  return method;
}

}  // namespace

const MethodEntry& Catalog::Find(std::string_view name) const {
  std::vector<std::string> names;
  for (const MethodEntry& method : methods) {
    if (method.name == name) return method;
    names.push_back(method.name);
  }
  throw ConfigError(UnknownName("method", name, names));
}

bool NeedsCaptions(const MethodEntry& method, const OptionMap& resolved) {
  return method.needs_captions &&
         !(method.captions_unless &&
           AllHold(*method.captions_unless, method.options, resolved));
}

Json ToJson(const Catalog& catalog) {
  Json methods = Json::array();
  for (const MethodEntry& method : catalog.methods) {
    methods.push_back(MethodToJson(method));
  }
  return {{"schema", kCatalogSchema},
          {"build", ToJson(catalog.build)},
          {"methods", std::move(methods)}};
}

Catalog CatalogFromJson(const Json& json) try {
  JsonMembers in(json, "catalogue");
  const auto schema = in.Get<std::string>("schema");
  if (schema != kCatalogSchema) {
    throw DataError(StrCat("catalogue: schema is '", schema, "', expected '",
                           kCatalogSchema, "'; build the worker again"));
  }
  Catalog catalog;
  catalog.build = BuildInfoFromJson(in.At("build"));
  for (const Json& method : in.At("methods")) {
    catalog.methods.push_back(MethodFromJson(method));
  }
  in.Finish();
  return catalog;
} catch (const ConfigError& error) {
  throw DataError(StrCat("catalogue: ", error.what()));
} catch (const Json::exception& error) {
  throw DataError(StrCat("catalogue: ", error.what()));
}

Catalog LoadCatalog() {
  std::filesystem::path path;
  try {
    path = SharedFile("catalog.json");
  } catch (const DataError&) {
    throw DataError(
        "there is no catalogue of methods beside this program: it was built "
        "without the engine (-DTAILMARK_ENGINE=OFF), which can list, score and "
        "report what a store holds but not plan or run");
  }
  return CatalogFromJson(ReadJson(path));
}

}  // namespace tailmark
