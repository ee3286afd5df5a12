#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/json.h"

namespace tailmark {

/// A value inside of another: where it stands in `parent`; null: the whole.
struct JsonPlace {
  Json* parent = nullptr;
  std::string key;        ///< In an object.
  std::size_t index = 0;  ///< In a list.
};

inline void CollectPlaces(Json& parent, std::vector<JsonPlace>& out) {
  if (parent.is_object()) {
    for (auto it = parent.begin(); it != parent.end(); ++it) {
      out.push_back({&parent, it.key(), 0});
      CollectPlaces(it.value(), out);
    }
  } else if (parent.is_array()) {
    for (std::size_t i = 0; i < parent.size(); ++i) {
      out.push_back({&parent, "", i});
      CollectPlaces(parent[i], out);
    }
  }
}

inline Json& ValueAt(Json& json, const JsonPlace& place) {
  if (place.parent == nullptr) return json;
  if (place.parent->is_object()) return (*place.parent)[place.key];
  return (*place.parent)[place.index];
}

/// What a value is changed into.
inline const std::vector<Json>& OddValues() {
  static const std::vector<Json> kValues = {
      nullptr,
      true,
      -1,
      0,
      7,
      0.5,
      1e300,
      std::numeric_limits<std::uint64_t>::max(),
      std::numeric_limits<std::int64_t>::min(),
      "",
      "x",
      "../x",
      std::string(300, 'x'),
      Json::array(),
      Json::object(),
      Json::array({1, "x", nullptr}),
      Json{{"x", 1}}};
  return kValues;
}

/// `good` after changes, three bytes each: which value (two bytes), and into
/// what; the two numbers above the odd values take it away, or put in its place
/// a copy of the whole. So the fuzzer need not learn the format first.
inline Json Changed(Json good, std::string_view bytes) {
  constexpr std::size_t kMostChanges = 6;
  const auto byte = [bytes](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
  };
  for (std::size_t i = 0; i + 2 < bytes.size() && i < 3 * kMostChanges;
       i += 3) {
    std::vector<JsonPlace> places = {{}};
    CollectPlaces(good, places);
    const auto& place = places[(byte(i) * 256 + byte(i + 1)) % places.size()];
    const std::size_t what = byte(i + 2) % (OddValues().size() + 2);
    if (what < OddValues().size()) {
      ValueAt(good, place) = OddValues()[what];
    } else if (what == OddValues().size() && place.parent != nullptr) {
      if (place.parent->is_object()) {
        place.parent->erase(place.key);
      } else {
        place.parent->erase(place.index);
      }
    } else if (places.size() < 2000) {
      Json copy = good;
      ValueAt(good, place) = std::move(copy);
    }
  }
  return good;
}

}  // namespace tailmark
