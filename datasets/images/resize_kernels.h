#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "datasets/images/image.h"
#include "datasets/images/resize.h"

// The two passes of resizing, in a plain and in a vectorised form that give the
// same bytes: sums of products in 32-bit integers, so that no order matters.
namespace tailmark::internal {

/// Weights have this many bits behind the point.
inline constexpr int kWeightBits = 22;

/// One direction: output i is the weighted sum of `taps` inputs from first[i].
struct Axis {
  int size = 0;            ///< Outputs.
  int taps = 0;            ///< A multiple of 4; those not needed weigh 0.
  int begin = 0, end = 0;  ///< Inputs that have a weight: [begin, end).
  int reach = 0;  ///< Inputs from `begin` that are read; beyond `end` only when
                  ///< there are fewer than `taps`, and they weigh 0.
  std::vector<int> first;             ///< [size], relative to `begin`.
  std::vector<std::int32_t> weights;  ///< [size, taps]
  /// The same, as the vector units take them: for each four taps k0..k3 the
  /// pairs (high0, high1), (high2, high3), (low0, low1), (low2, low3) of 16-bit
  /// halves with k = high * 2^12 + low. [size, taps / 4, 4]
  std::vector<std::int32_t> pairs;
};

/// Outputs [from, from + count) of `in` values resized to `out`.
Axis MakeAxis(std::int64_t in, std::int64_t out, std::int64_t from, int count,
              Pipeline::Filter filter);

/// Room a kernel may write to behind a row, and read behind `columns`.
inline constexpr std::size_t kSlack = 32;

struct ResizeKernels {
  /// `rows` rows of RGB from `in` to `out`, axis.size pixels each. Pixel 0 of a
  /// row is input axis.begin. At most `readable` bytes are read from `in` on.
  void (*horizontal)(const Axis& axis, const std::uint8_t* in,
                     std::size_t in_stride, std::size_t readable, int rows,
                     std::uint8_t* out, std::size_t out_stride);
  /// axis.size rows of `columns` bytes from `in`, which has axis.reach rows,
  /// the first of them input axis.begin.
  void (*vertical)(const Axis& axis, const std::uint8_t* in,
                   std::size_t in_stride, std::size_t columns,
                   std::uint8_t* out, std::size_t out_stride);
};

const ResizeKernels& PlainKernels();
/// nullptr when this processor, or this build, has no such instructions.
const ResizeKernels* Avx2Kernels();
const ResizeKernels* Avx512Kernels();
/// The fastest of the above.
const ResizeKernels& BestKernels();

/// All outputs of four rows.
using FourRowsKernel = std::function<void(const std::uint8_t* const in[4],
                                          std::uint8_t* const out[4])>;
/// ResizeKernels::horizontal by `kernel`, which reads `reach` bytes of each
/// row: rows too near the end of what is readable are copied first.
void InFours(const Axis& axis, const std::uint8_t* in, std::size_t in_stride,
             std::size_t readable, std::size_t reach, int rows,
             std::uint8_t* out, std::size_t out_stride,
             const FourRowsKernel& kernel);

Image ResizeAndCrop(const Image& image, std::int64_t width, std::int64_t height,
                    const Resampling& how, const Box& box,
                    const ResizeKernels& kernels);

}  // namespace tailmark::internal
