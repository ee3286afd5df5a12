#include "harness/record/recipe_source.h"

#include <algorithm>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/json_depth.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kCampaignSchema = "tailmark-campaign/1";

// The words a --set may begin with.
const std::vector<std::string> kTop = {
    "campaign", "datasets", "limit",    "limits", "methods",
    "numerics", "pipeline", "protocol", "seeds",  "weights"};

void Include(const fs::path& path, std::vector<fs::path>& open,
             SourcedJson& out) {
  const fs::path real = fs::weakly_canonical(path);
  if (std::find(open.begin(), open.end(), real) != open.end()) {
    throw ConfigError(StrCat(open.back().string(), ": includes ", real.string(),
                             ", which includes it: a cycle"));
  }
  Json json = ReadJson(path);
  if (!json.is_object()) {
    throw ConfigError(StrCat(path.string(), ": a recipe is an object, found ",
                             json.type_name()));
  }
  const Json schema = json.value("schema", Json(nullptr));
  if (schema != kCampaignSchema) {
    throw ConfigError(StrCat(path.string(), ": \"schema\" must be \"",
                             kCampaignSchema, "\", found ", schema.dump()));
  }
  open.push_back(real);
  const Json includes = json.value("include", Json::array());
  if (!includes.is_array()) {
    throw ConfigError(StrCat(path.string(),
                             ": \"include\" must be a list of files, found ",
                             includes.dump()));
  }
  for (const Json& each : includes) {
    if (!each.is_string()) {
      throw ConfigError(StrCat(path.string(), ": \"include\" holds ",
                               each.dump(), ", expected a file name"));
    }
    Include(path.parent_path() / each.get<std::string>(), open, out);
  }
  open.pop_back();
  json.erase("include");
  json.erase("schema");
  out.Overlay(json,
              {.text = path.filename().string(), .base = path.parent_path()});
}

JsonPath Split(std::string_view text) {
  JsonPath path;
  while (true) {
    const auto dot = text.find('.');
    path.emplace_back(text.substr(0, dot));
    if (dot == text.npos) return path;
    text.remove_prefix(dot + 1);
  }
}

// A value as JSON, and what is no JSON as a word: lr=0.1, loss=db.
Json ValueOf(const std::string& text) {
  if (FindTooDeep(text) != text.npos) return Json(text);
  const Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return value.is_discarded() ? Json(text) : value;
}

std::string NameAt(const Json& entry) {
  if (entry.is_string()) return entry.get<std::string>();
  if (!entry.is_object()) return "";
  const Json name = entry.value("name", entry.value("use", Json("")));
  return name.is_string() ? name.get<std::string>() : "";
}

// Entries of "methods" or "datasets" that a word means: a name, what it uses,
// an index or "*".
std::vector<std::size_t> Entries(const Json& list, const std::string& word) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const bool uses =
        list[i].is_object() && list[i].value("use", Json()) == word;
    if (word == "*" || word == std::to_string(i) || NameAt(list[i]) == word ||
        uses) {
      found.push_back(i);
    }
  }
  return found;
}

std::vector<std::string> Names(const Json& json, const char* member) {
  std::vector<std::string> names;
  for (const Json& entry : json.value(member, Json::array())) {
    names.push_back(NameAt(entry));
    if (entry.is_object() && entry.contains("use") &&
        entry["use"].is_string()) {
      names.push_back(entry["use"].get<std::string>());
    }
  }
  return names;
}

void SetInList(SourcedJson& source, const std::string& list,
               const std::string& word, const JsonPath& rest, const Json& value,
               const Origin& origin) {
  const auto entries = Entries(source.json().value(list, Json::array()), word);
  if (entries.empty()) {
    throw ConfigError(StrCat(origin.text, ": ",
                             UnknownName(list.substr(0, list.size() - 1), word,
                                         Names(source.json(), list.c_str()))));
  }
  for (const std::size_t i : entries) {
    JsonPath path = {list, std::to_string(i)};
    const Json entry = source.json().at(list).at(i);
    if (entry.is_string()) {
      const Origin before = source.OriginOf(path);
      source.Set(path, {{"use", entry}}, before);
    }
    path.insert(path.end(), rest.begin(), rest.end());
    source.Set(path, value, origin);
  }
}

void ApplyOne(SourcedJson& source, const std::string& setting) {
  const auto equals = setting.find('=');
  const Origin origin{.text = "--set " + setting, .base = fs::current_path()};
  if (equals == 0 || equals == setting.npos) {
    throw ConfigError(StrCat(origin.text, ": write --set name.option=value"));
  }
  JsonPath path = Split(std::string_view(setting).substr(0, equals));
  const Json value = ValueOf(setting.substr(equals + 1));
  const std::string first = path.front();
  const bool is_list = first == "methods" || first == "datasets";
  if (is_list && path.size() > 2) {
    SetInList(source, first, path[1], {path.begin() + 2, path.end()}, value,
              origin);
    return;
  }
  if (std::find(kTop.begin(), kTop.end(), first) != kTop.end()) {
    source.Set(path, value, origin);
    return;
  }
  // linear_probe.epochs=3: an option of that method or data set.
  path.front() = "options";
  for (const char* list : {"methods", "datasets"}) {
    if (path.size() < 2 ||
        Entries(source.json().value(list, Json::array()), first).empty()) {
      continue;
    }
    if (path[1] == "options") path.erase(path.begin());
    SetInList(source, list, first, path, value, origin);
    return;
  }
  std::vector<std::string> known = kTop;
  for (const char* list : {"methods", "datasets"}) {
    for (std::string& name : Names(source.json(), list)) {
      known.push_back(std::move(name));
    }
  }
  throw ConfigError(
      StrCat(origin.text, ": ", UnknownName("recipe key", first, known)));
}

}  // namespace

SourcedJson ReadRecipeSource(const fs::path& path) {
  SourcedJson source;
  std::vector<fs::path> open;
  Include(path, open, source);
  return source;
}

void ApplySet(SourcedJson& source, std::span<const std::string> settings) {
  for (const std::string& setting : settings) ApplyOne(source, setting);
}

}  // namespace tailmark
