#include <algorithm>
#include <cstring>

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

const ResizeKernels& BestKernels() {
  static const ResizeKernels* const kBest = [] {
    if (const ResizeKernels* wide = Avx512Kernels()) return wide;
    if (const ResizeKernels* wide = Avx2Kernels()) return wide;
    return &PlainKernels();
  }();
  return *kBest;
}

void InFours(const Axis& axis, const std::uint8_t* in, std::size_t in_stride,
             std::size_t readable, std::size_t reach, int rows,
             std::uint8_t* out, std::size_t out_stride,
             const FourRowsKernel& kernel) {
  const std::size_t row_bytes =
      static_cast<std::size_t>(axis.end - axis.begin) * 3;
  std::vector<std::uint8_t> copies;
  std::vector<std::uint8_t> spare(out_stride);
  for (int y = 0; y < rows; y += 4) {
    const std::uint8_t* from[4];
    std::uint8_t* to[4];
    for (int r = 0; r < 4; ++r) {
      const bool there = y + r < rows;
      const auto row = static_cast<std::size_t>(there ? y + r : y);
      from[r] = in + row * in_stride;
      to[r] = there ? out + row * out_stride : spare.data();
      if (row * in_stride + reach <= readable) continue;
      if (copies.empty()) copies.resize(4 * (row_bytes + reach));
      std::uint8_t* copy =
          copies.data() + static_cast<std::size_t>(r) * (row_bytes + reach);
      std::memcpy(copy, from[r], row_bytes);
      from[r] = copy;
    }
    kernel(from, to);
  }
}

}  // namespace tailmark::internal
