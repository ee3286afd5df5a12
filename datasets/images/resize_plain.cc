#include <algorithm>

#include "datasets/images/resize_kernels.h"

namespace tailmark::internal {
namespace {

std::uint8_t Rounded(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
}

void Horizontal(const Axis& axis, const std::uint8_t* in, std::size_t in_stride,
                std::size_t /*readable*/, int rows, std::uint8_t* out,
                std::size_t out_stride) {
  const auto taps = static_cast<std::size_t>(axis.taps);
  const std::size_t row_pixels =
      static_cast<std::size_t>(axis.end - axis.begin);
  for (int y = 0; y < rows; ++y, in += in_stride, out += out_stride) {
    for (std::size_t x = 0; x < axis.first.size(); ++x) {
      const auto first = static_cast<std::size_t>(axis.first[x]);
      const std::int32_t* weights = axis.weights.data() + x * taps;
      const std::size_t count = std::min(taps, row_pixels - first);
      std::int32_t sum[3];
      std::fill_n(sum, 3, 1 << (kWeightBits - 1));
      for (std::size_t t = 0; t < count; ++t) {
        const std::uint8_t* pixel = in + (first + t) * 3;
        for (int c = 0; c < 3; ++c) sum[c] += pixel[c] * weights[t];
      }
      for (int c = 0; c < 3; ++c) out[x * 3 + c] = Rounded(sum[c]);
    }
  }
}

void Vertical(const Axis& axis, const std::uint8_t* in, std::size_t in_stride,
              std::size_t columns, std::uint8_t* out, std::size_t out_stride) {
  const auto taps = static_cast<std::size_t>(axis.taps);
  std::vector<std::int32_t> sums(columns);
  for (std::size_t y = 0; y < axis.first.size(); ++y, out += out_stride) {
    std::fill(sums.begin(), sums.end(), 1 << (kWeightBits - 1));
    const std::uint8_t* row =
        in + static_cast<std::size_t>(axis.first[y]) * in_stride;
    for (std::size_t t = 0; t < taps; ++t, row += in_stride) {
      const std::int32_t weight = axis.weights[y * taps + t];
      if (weight == 0) continue;
      for (std::size_t x = 0; x < columns; ++x) sums[x] += row[x] * weight;
    }
    for (std::size_t x = 0; x < columns; ++x) out[x] = Rounded(sums[x]);
  }
}

}  // namespace

const ResizeKernels& PlainKernels() {
  static constexpr ResizeKernels kKernels = {&Horizontal, &Vertical};
  return kKernels;
}

}  // namespace tailmark::internal
