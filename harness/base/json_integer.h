#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "harness/base/error.h"

namespace tailmark {

/// A whole number in [least, most]. Json's own get<int>() cuts fractions off
/// and wraps what is too large, or has no defined behaviour at all. Throws
/// DataError "NAME: expected a whole number in [a, b], found ...". `J`: Json or
/// OrderedJson.
template <std::integral T, class J>
T IntegerOf(const J& json, std::string_view name,
            T least = std::numeric_limits<T>::min(),
            T most = std::numeric_limits<T>::max()) {
  if (json.is_number_unsigned()) {
    const auto value = json.template get<std::uint64_t>();
    if (std::in_range<T>(value) && static_cast<T>(value) >= least &&
        static_cast<T>(value) <= most) {
      return static_cast<T>(value);
    }
  } else if (json.is_number_integer()) {
    const auto value = json.template get<std::int64_t>();
    if (std::in_range<T>(value) && static_cast<T>(value) >= least &&
        static_cast<T>(value) <= most) {
      return static_cast<T>(value);
    }
  }
  throw DataError(StrCat(name, ": expected a whole number in [", least, ", ",
                         most, "], found ", json.dump()));
}

}  // namespace tailmark
