#include "datasets/images/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "datasets/images/decode.h"
#include "datasets/images/resize_kernels.h"
#include "harness/base/error.h"

namespace tailmark {
namespace internal {
namespace {

double Bilinear(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

/// Keys' cubic with a = -0.5.
double Bicubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0.0;
}

/// The filter laid over the inputs around one output, in double: `weights` get
/// as many as there are, summing to 1. Returns the first input.
std::int64_t WeighOne(std::int64_t in, double center, double widening,
                      Pipeline::Filter filter, std::vector<double>& weights) {
  const bool cubic = filter == Pipeline::Filter::kBicubic;
  const double support = (cubic ? 2.0 : 1.0) * widening;
  const auto first = std::max<std::int64_t>(
      static_cast<std::int64_t>(center - support + 0.5), 0);
  const auto last =
      std::min(static_cast<std::int64_t>(center + support + 0.5), in);
  const double narrowing = 1.0 / widening;
  weights.clear();
  double sum = 0.0;
  for (std::int64_t i = 0; i < last - first; ++i) {
    const double at =
        (static_cast<double>(i + first) - center + 0.5) * narrowing;
    weights.push_back(cubic ? Bicubic(at) : Bilinear(at));
    sum += weights.back();
  }
  if (sum != 0.0) {
    for (double& weight : weights) weight /= sum;
  }
  return first;
}

std::int32_t ToFixed(double weight) {
  const double scaled = weight * (1 << kWeightBits);
  return static_cast<std::int32_t>(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

void PackPairs(Axis& axis) {
  constexpr int kLowBits = 12;
  const auto pair = [](std::int32_t a, std::int32_t b) {
    return static_cast<std::int32_t>((static_cast<std::uint32_t>(a) & 0xFFFFU) |
                                     (static_cast<std::uint32_t>(b) << 16));
  };
  axis.pairs.reserve(axis.weights.size());
  for (std::size_t i = 0; i < axis.weights.size(); i += 4) {
    const std::int32_t* k = axis.weights.data() + i;
    const auto low = [k](int j) { return k[j] & ((1 << kLowBits) - 1); };
    const auto high = [k](int j) { return k[j] >> kLowBits; };
    axis.pairs.push_back(pair(high(0), high(1)));
    axis.pairs.push_back(pair(high(2), high(3)));
    axis.pairs.push_back(pair(low(0), low(1)));
    axis.pairs.push_back(pair(low(2), low(3)));
  }
}

}  // namespace

Axis MakeAxis(std::int64_t in, std::int64_t out, std::int64_t from, int count,
              Pipeline::Filter filter) {
  // Pillow keeps the size it resizes from as a float.
  const double scale =
      static_cast<double>(static_cast<float>(in)) / static_cast<double>(out);
  const double widening = std::max(scale, 1.0);
  std::vector<std::int64_t> first;
  std::vector<std::vector<double>> weights(static_cast<std::size_t>(count));
  std::size_t most = 0;
  for (int i = 0; i < count; ++i) {
    auto& own = weights[static_cast<std::size_t>(i)];
    const double center = (static_cast<double>(from + i) + 0.5) * scale;
    first.push_back(WeighOne(in, center, widening, filter, own));
    most = std::max(most, own.size());
  }

  Axis axis;
  axis.size = count;
  axis.taps = static_cast<int>((most + 3) / 4 * 4);
  axis.begin = static_cast<int>(first.front());
  axis.end = static_cast<int>(first.back() +
                              static_cast<std::int64_t>(weights.back().size()));
  const int inputs = axis.end - axis.begin;
  axis.reach = std::max(inputs, axis.taps);
  const auto taps = static_cast<std::size_t>(axis.taps);
  axis.weights.assign(static_cast<std::size_t>(count) * taps, 0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const int own = static_cast<int>(first[i] - first.front());
    // Moved so that the zeros after its weights don't reach past the inputs.
    const int start = std::clamp(inputs - axis.taps, 0, own);
    axis.first.push_back(start);
    std::transform(weights[i].begin(), weights[i].end(),
                   axis.weights.begin() +
                       static_cast<std::ptrdiff_t>(i * taps) + (own - start),
                   ToFixed);
  }
  PackPairs(axis);
  return axis;
}

Image ResizeAndCrop(const Image& image, std::int64_t width, std::int64_t height,
                    Pipeline::Filter filter, const Box& box,
                    const ResizeKernels& kernels) {
  TM_CHECK(image.width >= 1 && image.height >= 1 && box.left >= 0 &&
           box.top >= 0 && box.width >= 1 && box.height >= 1 &&
           box.left + box.width <= width && box.top + box.height <= height);
  const bool across = width != image.width;
  const bool down = height != image.height;
  Axis columns, rows;
  if (across) {
    columns = MakeAxis(image.width, width, box.left, box.width, filter);
  }
  if (down) rows = MakeAxis(image.height, height, box.top, box.height, filter);
  const std::int64_t first_row = down ? rows.begin : box.top;
  const int row_count = down ? rows.end - rows.begin : box.height;
  if (std::int64_t{row_count} * box.width > kMaxPixels) {
    throw DataError(StrCat("a picture of ", image.width, " x ", image.height,
                           " is too elongated to be resized to ", width, " x ",
                           height));
  }

  const std::size_t row_bytes = static_cast<std::size_t>(box.width) * 3;
  const std::size_t in_stride = static_cast<std::size_t>(image.width) * 3;
  const std::size_t stride = (row_bytes + 2 * kSlack - 1) / kSlack * kSlack;
  const auto count = static_cast<std::size_t>(row_count);
  const std::size_t reach = down ? static_cast<std::size_t>(rows.reach) : count;
  const auto between =
      std::make_unique_for_overwrite<std::uint8_t[]>(reach * stride);
  std::memset(between.get() + count * stride, 0, (reach - count) * stride);
  const std::int64_t left = across ? columns.begin : box.left;
  const std::size_t from = static_cast<std::size_t>(first_row) * in_stride +
                           static_cast<std::size_t>(left) * 3;
  if (across) {
    kernels.horizontal(columns, image.rgb.data() + from, in_stride,
                       image.rgb.size() - from, row_count, between.get(),
                       stride);
  } else {
    for (std::size_t y = 0; y < count; ++y) {
      std::memcpy(between.get() + y * stride,
                  image.rgb.data() + from + y * in_stride, row_bytes);
    }
  }

  Image result;
  result.width = box.width;
  result.height = box.height;
  result.rgb.resize(row_bytes * static_cast<std::size_t>(box.height));
  if (down) {
    kernels.vertical(rows, between.get(), stride, row_bytes, result.rgb.data(),
                     row_bytes);
  } else {
    for (std::size_t y = 0; y < count; ++y) {
      std::memcpy(result.rgb.data() + y * row_bytes, between.get() + y * stride,
                  row_bytes);
    }
  }
  return result;
}

}  // namespace internal

Image ResizeAndCrop(const Image& image, std::int64_t width, std::int64_t height,
                    Pipeline::Filter filter, const Box& box) {
  static const internal::ResizeKernels kBest =
      internal::Avx2Kernels() != nullptr ? *internal::Avx2Kernels()
                                         : internal::PlainKernels();
  return internal::ResizeAndCrop(image, width, height, filter, box, kBest);
}

Image Resize(const Image& image, int width, int height,
             Pipeline::Filter filter) {
  return ResizeAndCrop(image, width, height, filter, {0, 0, width, height});
}

}  // namespace tailmark
