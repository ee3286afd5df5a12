#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/json.h"

namespace tailmark {

/// Where a value was written, and what its relative paths are relative to.
struct Origin {
  std::string text;  ///< "quickstart.json", "--set lr=0.1", "default".
  std::filesystem::path base;
};

/// Steps from the root of a document: member names and array indices.
using JsonPath = std::vector<std::string>;
/// "methods[1].options.lr", for messages.
std::string ToText(const JsonPath& path);

/// A JSON document put together from several files, that knows for each value
/// which of them it came from.
class SourcedJson {
 public:
  const Json& json() const { return json_; }

  /// Lays `other` over what is there: objects are merged member by member,
  /// everything else (also arrays) is replaced.
  void Overlay(const Json& other, const Origin& origin);
  /// Sets one value; missing objects on the way are made. Throws ConfigError
  /// when an array index is out of range or a scalar is in the way.
  void Set(const JsonPath& path, Json value, const Origin& origin);

  /// Of the value at `path`: its own, else that of the nearest value around it.
  const Origin& OriginOf(const JsonPath& path) const;

 private:
  void Overlay(const JsonPath& path, const Json& other, const Origin& origin);

  Json json_ = Json::object();
  std::map<JsonPath, Origin> origins_;
};

}  // namespace tailmark
