#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/suggest.h"
#include "harness/record/sourced_json.h"

namespace tailmark {

/// One place in a merged recipe. Errors are ConfigErrors that say which file
/// the value came from and where in it: "FILE: methods[1].seeds: ...".
class RecipeNode {
 public:
  RecipeNode(const SourcedJson& source, const Json& json, JsonPath path = {})
      : source_(source), json_(json), path_(std::move(path)) {}

  const Json& json() const { return json_; }
  const Origin& origin() const { return source_.OriginOf(path_); }

  [[noreturn]] void Fail(std::string_view message) const {
    throw ConfigError(StrCat(origin().text, ": ",
                             path_.empty() ? "" : ToText(path_) + ": ",
                             message));
  }
  /// Fails unless this is an object with no other members than these.
  void RequireObject(const std::vector<std::string>& known) const {
    if (!json_.is_object())
      Fail(StrCat("expected an object, found ", json_.dump()));
    for (const auto& [name, value] : json_.items()) {
      bool found = false;
      for (const std::string& each : known) found = found || each == name;
      if (!found) At(name).Fail(UnknownName("key", name, known));
    }
  }
  void RequireArray() const {
    if (!json_.is_array())
      Fail(StrCat("expected a list, found ", json_.dump()));
  }

  bool Has(const std::string& name) const { return json_.contains(name); }
  RecipeNode At(const std::string& name) const {
    return {source_, json_.at(name), Below(name)};
  }
  RecipeNode At(std::size_t index) const {
    return {source_, json_.at(index), Below(std::to_string(index))};
  }

  std::string Text() const {
    if (!json_.is_string())
      Fail(StrCat("expected a word, found ", json_.dump()));
    return json_.get<std::string>();
  }
  std::string Text(const std::string& name, std::string otherwise) const {
    return Has(name) ? At(name).Text() : std::move(otherwise);
  }
  bool Bool(const std::string& name, bool otherwise) const {
    if (!Has(name)) return otherwise;
    const RecipeNode node = At(name);
    if (!node.json().is_boolean()) {
      node.Fail(StrCat("expected true or false, found ", node.json().dump()));
    }
    return node.json().get<bool>();
  }
  std::int64_t Count(std::int64_t least, std::int64_t most) const {
    if (json_.is_number_integer() && json_ >= least && json_ <= most) {
      return json_.get<std::int64_t>();
    }
    Fail(StrCat("expected a whole number in [", least, ", ", most, "], found ",
                json_.dump()));
  }
  std::vector<std::string> Words() const {
    RequireArray();
    std::vector<std::string> words;
    for (std::size_t i = 0; i < json_.size(); ++i)
      words.push_back(At(i).Text());
    return words;
  }
  /// One of `choices`, or fails with the nearest.
  std::string Choice(const std::string& name, std::string otherwise,
                     const std::vector<std::string>& choices) const {
    if (!Has(name)) return otherwise;
    std::string word = At(name).Text();
    for (const std::string& each : choices) {
      if (each == word) return word;
    }
    At(name).Fail(UnknownName(name, word, choices));
  }

 private:
  JsonPath Below(std::string step) const {
    JsonPath path = path_;
    path.push_back(std::move(step));
    return path;
  }

  const SourcedJson& source_;
  const Json& json_;
  JsonPath path_;
};

}  // namespace tailmark
