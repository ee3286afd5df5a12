#include "harness/record/sourced_json.h"

#include <algorithm>
#include <charconv>

#include "harness/base/error.h"

namespace tailmark {
namespace {

bool IsIndex(const std::string& step) {
  return !step.empty() &&
         step.find_first_not_of("0123456789") == std::string::npos;
}

bool StartsWith(const JsonPath& path, const JsonPath& start) {
  return path.size() >= start.size() &&
         std::equal(start.begin(), start.end(), path.begin());
}

Json& Element(Json& array, const JsonPath& path, std::size_t depth) {
  const std::string& step = path[depth];
  std::size_t index = array.size();
  std::from_chars(step.data(), step.data() + step.size(), index);
  if (!IsIndex(step) || index >= array.size()) {
    throw ConfigError(StrCat(
        ToText(JsonPath(path.begin(),
                        path.begin() + static_cast<std::ptrdiff_t>(depth))),
        " is a list of ", array.size(), "; '", step, "' is not in it"));
  }
  return array[index];
}

}  // namespace

std::string ToText(const JsonPath& path) {
  std::string text;
  for (const std::string& step : path) {
    if (IsIndex(step)) {
      text += StrCat("[", step, "]");
    } else {
      text += StrCat(text.empty() ? "" : ".", step);
    }
  }
  return text;
}

void SourcedJson::Overlay(const Json& other, const Origin& origin) {
  Overlay(JsonPath(), other, origin);
}

void SourcedJson::Overlay(const JsonPath& path, const Json& other,
                          const Origin& origin) {
  for (const auto& [name, value] : other.items()) {
    JsonPath next = path;
    next.push_back(name);
    const Json* here = &json_;
    for (const std::string& step : next) {
      const auto it = here->find(step);
      here = it == here->end() ? nullptr : &*it;
      if (here == nullptr) break;
    }
    if (here != nullptr && here->is_object() && value.is_object()) {
      Overlay(next, value, origin);
    } else {
      Set(next, value, origin);
    }
  }
}

void SourcedJson::Set(const JsonPath& path, Json value, const Origin& origin) {
  Json* here = &json_;
  for (std::size_t depth = 0; depth < path.size(); ++depth) {
    if (here->is_array()) {
      here = &Element(*here, path, depth);
    } else if (here->is_object()) {
      here = &(*here)[path[depth]];
      if (here->is_null() && depth + 1 < path.size()) *here = Json::object();
    } else {
      throw ConfigError(StrCat("'", ToText(path), "' cannot be set: ",
                               here->dump(), " has no members"));
    }
  }
  *here = std::move(value);
  std::erase_if(origins_, [&](const auto& entry) {
    return StartsWith(entry.first, path);
  });
  origins_.emplace(path, origin);
}

const Origin& SourcedJson::OriginOf(const JsonPath& path) const {
  static const Origin kDefault{.text = "default", .base = {}};
  JsonPath at = path;
  while (true) {
    const auto it = origins_.find(at);
    if (it != origins_.end()) return it->second;
    if (at.empty()) return kDefault;
    at.pop_back();
  }
}

}  // namespace tailmark
