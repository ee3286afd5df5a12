#pragma once

#include <cstdint>
#include <span>
#include <variant>

namespace tailmark {

/// Scores [N, C], row-major; not owned. Higher means more likely present.
/// float16 is widened by the caller, which is exact; see arrays.h.
struct ScoreMatrix {
  std::variant<std::span<const float>, std::span<const double>> values;
  std::int64_t rows = 0;     ///< N images.
  std::int64_t classes = 0;  ///< C.
};

/// Labels [N, C], row-major; not owned. The two bits of a cell:
/// | positive | known | meaning                                           |
/// |    0     |   1   | the class is not there                            |
/// |    1     |   1   | it is there                                       |
/// |    1     |   0   | it is there, marked difficult: see Difficult      |
/// |    0     |   0   | nobody knows: never counted, under no definition  |
struct LabelSpans {
  std::span<const std::uint8_t> positive;  ///< 0 or 1.
  std::span<const std::uint8_t> known{};   ///< 0 or 1; empty: all known.
};

}  // namespace tailmark
