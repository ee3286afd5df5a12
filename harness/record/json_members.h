#pragma once

#include <concepts>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/base/json_integer.h"
#include "harness/base/suggest.h"

namespace tailmark {

/// Maps from words to whole numbers.
template <class T>
inline constexpr bool kCounts = false;
template <std::integral N>
inline constexpr bool kCounts<std::map<std::string, N>> = true;

/// Reads the members of one JSON object and, in Finish(), refuses those that
/// nobody asked for. Every error is a DataError that begins with `where`.
class JsonMembers {
 public:
  /// `json` must outlive the reader. Throws DataError unless it is an object.
  JsonMembers(const Json& json, std::string where)
      : json_(json), where_(std::move(where)) {
    if (!json_.is_object()) {
      throw DataError(
          StrCat(where_, ": expected an object, found ", json_.type_name()));
    }
  }

  /// The member, which must be there.
  const Json& At(const std::string& name) {
    asked_.insert(name);
    const auto it = json_.find(name);
    if (it == json_.end()) {
      throw DataError(StrCat(where_, ": member '", name, "' is missing"));
    }
    return *it;
  }
  /// The member or null.
  const Json* Find(const std::string& name) {
    asked_.insert(name);
    const auto it = json_.find(name);
    return it == json_.end() ? nullptr : &*it;
  }

  template <class T>
  T Get(const std::string& name) {
    return Convert<T>(At(name), name);
  }
  template <class T>
  T Get(const std::string& name, T otherwise) {
    const Json* found = Find(name);
    return found == nullptr ? std::move(otherwise) : Convert<T>(*found, name);
  }
  /// Nothing when the member is absent or null.
  template <class T>
  std::optional<T> Maybe(const std::string& name) {
    const Json* found = Find(name);
    if (found == nullptr || found->is_null()) return std::nullopt;
    return Convert<T>(*found, name);
  }

  /// Throws DataError naming a member that was not asked for, with the nearest
  /// right name.
  void Finish() const {
    for (const auto& [name, value] : json_.items()) {
      if (asked_.contains(name)) continue;
      const std::vector<std::string> known(asked_.begin(), asked_.end());
      throw DataError(StrCat(where_, ": ", UnknownName("member", name, known)));
    }
  }

  const std::string& where() const { return where_; }

 private:
  template <class T>
  T Convert(const Json& value, const std::string& name) const {
    if constexpr (std::integral<T> && !std::same_as<T, bool>) {
      return IntegerOf<T>(value, StrCat(where_, ": member '", name, "'"));
    }
    try {
      if constexpr (kCounts<T>) {
        T counts;
        for (const auto& [key, each] :
             value.get<std::map<std::string, Json>>()) {
          counts[key] = IntegerOf<typename T::mapped_type>(
              each, StrCat(where_, ": member '", name, "', '", key, "'"));
        }
        return counts;
      } else {
        return value.get<T>();
      }
    } catch (const Json::exception&) {
      throw DataError(StrCat(where_, ": member '", name,
                             "' has the wrong type: ", value.dump()));
    }
  }

  const Json& json_;
  std::string where_;
  std::set<std::string> asked_;
};

}  // namespace tailmark
