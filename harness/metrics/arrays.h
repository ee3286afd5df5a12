#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/base/npy.h"
#include "harness/metrics/matrix.h"

namespace tailmark {

/// Scores as they came from a file, owned.
struct ScoreArray {
  std::variant<std::vector<float>, std::vector<double>> values;
  std::int64_t rows = 0;
  std::int64_t classes = 0;
  DType dtype = DType::kFloat32;  ///< In the file: float16 was widened.

  /// Valid as long as this lives and is not changed.
  ScoreMatrix view() const;
};

/// Takes [N, C] float16, float32 or float64. Throws DataError that begins with
/// `name` on any other type or number of dimensions.
ScoreArray ScoresFromNpy(const NpyArray& array, std::string_view name);

/// Takes [N, C] uint8 or bool of exactly that shape with values 0 and 1: labels
/// and the known mask. Throws DataError that begins with `name`.
std::vector<std::uint8_t> BitsFromNpy(const NpyArray& array, std::int64_t rows,
                                      std::int64_t classes,
                                      std::string_view name);

}  // namespace tailmark
