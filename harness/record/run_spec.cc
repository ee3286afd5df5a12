#include "harness/record/run_spec.h"

#include <algorithm>

#include "harness/base/options_json.h"
#include "harness/record/json_members.h"

namespace tailmark {
namespace {

constexpr std::string_view kSpecSchema = "tailmark-run/1";

Json PlaceToJson(const RunPlace& place) {
  return {{"device", place.device},
          {"threads", place.threads},
          {"data_root", place.data_root.string()},
          {"weights", place.weights.string()},
          {"cache", place.cache.string()},
          {"plugin", place.plugin.string()},
          {"bundles", place.bundles.string()},
          {"gpu_bytes", place.gpu_bytes},
          {"keep_state", place.keep_state},
          {"stop_after_s", place.stop_after_s},
          {"stop_after_epochs", place.stop_after_epochs},
          {"stop_after_steps", place.stop_after_steps}};
}

RunPlace PlaceFromJson(const Json& json) {
  JsonMembers in(json, "run spec, place");
  RunPlace place;
  place.device = in.Get<std::string>("device");
  place.threads = in.Get<int>("threads");
  place.data_root = in.Get<std::string>("data_root");
  place.weights = in.Get<std::string>("weights");
  place.cache = in.Get<std::string>("cache");
  place.plugin = in.Get<std::string>("plugin", "");
  place.bundles = in.Get<std::string>("bundles", "");
  place.gpu_bytes = in.Get<std::int64_t>("gpu_bytes", 0);
  place.keep_state = in.Get<bool>("keep_state", false);
  place.stop_after_s = in.Get<double>("stop_after_s");
  place.stop_after_epochs = in.Get<std::int64_t>("stop_after_epochs", 0);
  place.stop_after_steps = in.Get<std::int64_t>("stop_after_steps", 0);
  in.Finish();
  if (place.threads < 1 || place.threads > 4096) {
    throw DataError(StrCat("run spec, place: threads = ", place.threads,
                           " is outside [1, 4096]"));
  }
  return place;
}

Json NeedsToJson(const std::vector<RunNeed>& needs) {
  Json out = Json::array();
  for (const RunNeed& need : needs) {
    out.push_back(
        {{"role", need.role}, {"recipe", need.recipe}, {"key", need.key}});
  }
  return out;
}

std::vector<RunNeed> NeedsFromJson(const Json* json) {
  std::vector<RunNeed> needs;
  if (json == nullptr) return needs;
  for (const Json& each : *json) {
    JsonMembers in(each, "run spec, needs");
    needs.push_back({.role = in.Get<std::string>("role"),
                     .recipe = in.Get<std::string>("recipe"),
                     .key = in.Get<std::string>("key")});
    in.Finish();
  }
  return needs;
}

}  // namespace

bool IsRow(const RunSpec& spec) {
  return std::find(spec.tags.begin(), spec.tags.end(), kTaskTag) ==
         spec.tags.end();
}

// What is as it always was is not written, so that a recipe keeps its id when
// the form grows.
Json ToJson(const RunIdentity& id) {
  Json json = {{"method", id.method},
               {"method_version", id.method_version},
               {"method_artifact", id.method_artifact},
               {"method_options", ToJson(id.method_options)},
               {"dataset", id.dataset},
               {"dataset_version", id.dataset_version},
               {"dataset_options", ToJson(id.dataset_options)},
               {"manifest_sha256", id.manifest_sha256},
               {"label_policy", id.label_policy},
               {"train_list_sha256", id.train_list_sha256},
               {"test_list_sha256", id.test_list_sha256},
               {"limit", id.limit},
               {"pipeline", id.pipeline},
               {"pipeline_version", id.pipeline_version},
               {"weights_name", id.weights_name},
               {"weights_sha256", id.weights_sha256},
               {"device_type", id.device_type},
               {"precision", id.precision},
               {"tf32", id.tf32},
               {"deterministic", id.deterministic},
               {"selection", id.selection}};
  if (id.selection_every > 1) json["selection_every"] = id.selection_every;
  if (!id.episodes_sha256.empty()) json["episodes_sha256"] = id.episodes_sha256;
  if (id.validation > 0) json["validation"] = id.validation;
  if (!id.scores) json["scores"] = false;
  if (!id.needs.empty()) json["needs"] = NeedsToJson(id.needs);
  return json;
}

std::string RecipeId(const RunIdentity& identity) {
  Json json = ToJson(identity);
  if (const auto needs = json.find("needs"); needs != json.end()) {
    for (Json& each : *needs) each.erase("key");
  }
  return HashOf({{"schema", "tailmark-recipe/1"}, {"identity", json}});
}

std::string RunKey(const RunSpec& spec) {
  Json json = {{"schema", "tailmark-key/1"},
               {"recipe", RecipeId(spec.identity)},
               {"seed", spec.seed},
               {"build", spec.build}};
  for (const RunNeed& need : spec.identity.needs) {
    json["needs"].push_back(need.key);
  }
  return HashOf(json);
}

Json ToJson(const RunSpec& spec) {
  return {{"schema", kSpecSchema},
          {"identity", ToJson(spec.identity)},
          {"seed", spec.seed},
          {"build", spec.build},
          {"place", PlaceToJson(spec.place)},
          {"campaign", spec.campaign},
          {"tags", spec.tags}};
}

RunIdentity RunIdentityFromJson(const Json& json) try {
  JsonMembers in(json, "run spec, identity");
  RunIdentity id;
  id.method = in.Get<std::string>("method");
  id.method_version = in.Get<int>("method_version");
  id.method_artifact = in.Get<std::string>("method_artifact");
  id.method_options = OptionsFromJson(in.At("method_options"));
  id.dataset = in.Get<std::string>("dataset");
  id.dataset_version = in.Get<int>("dataset_version");
  id.dataset_options = OptionsFromJson(in.At("dataset_options"));
  id.manifest_sha256 = in.Get<std::string>("manifest_sha256");
  id.label_policy = in.Get<std::string>("label_policy");
  id.train_list_sha256 = in.Get<std::string>("train_list_sha256");
  id.test_list_sha256 = in.Get<std::string>("test_list_sha256");
  id.limit = in.Get<std::int64_t>("limit");
  id.pipeline = in.Get<std::string>("pipeline");
  id.pipeline_version = in.Get<int>("pipeline_version");
  id.weights_name = in.Get<std::string>("weights_name");
  id.weights_sha256 = in.Get<std::string>("weights_sha256");
  id.device_type = in.Get<std::string>("device_type");
  id.precision = in.Get<std::string>("precision");
  id.tf32 = in.Get<bool>("tf32");
  id.deterministic = in.Get<std::string>("deterministic");
  id.selection = in.Get<std::string>("selection");
  id.selection_every = in.Get<std::int64_t>("selection_every", 1);
  id.episodes_sha256 = in.Get<std::string>("episodes_sha256", "");
  id.validation = in.Get<double>("validation", 0.0);
  id.scores = in.Get<bool>("scores", true);
  id.needs = NeedsFromJson(in.Find("needs"));
  in.Finish();
  return id;
} catch (const ConfigError& error) {  // an option that is no option value
  throw DataError(StrCat("run spec, identity: ", error.what()));
}

RunSpec RunSpecFromJson(const Json& json) {
  JsonMembers in(json, "run spec");
  const auto schema = in.Get<std::string>("schema");
  if (schema != kSpecSchema) {
    throw DataError(StrCat("run spec: schema is '", schema, "', expected '",
                           kSpecSchema, "'"));
  }
  RunSpec spec;
  spec.identity = RunIdentityFromJson(in.At("identity"));
  spec.seed = in.Get<std::uint64_t>("seed");
  spec.build = in.Get<std::string>("build");
  spec.place = PlaceFromJson(in.At("place"));
  spec.campaign = in.Get<std::string>("campaign");
  spec.tags = in.Get<std::vector<std::string>>("tags");
  in.Finish();
  return spec;
}

RunSpec ReadRunSpec(const std::filesystem::path& path) {
  const Json json = ReadJson(path);
  try {
    return RunSpecFromJson(json);
  } catch (const DataError& error) {
    throw DataError(StrCat(path.string(), ": ", error.what()));
  }
}

}  // namespace tailmark
