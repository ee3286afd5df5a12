#include "datasets/images/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

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

/// The inputs around one output that the filter reaches.
struct Window {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// Down to a whole number after adding a half, which is not rounding below 0:
/// the bytes depend on it.
std::int64_t HalfUp(double value) {
  return static_cast<std::int64_t>(value + 0.5);  // NOLINT
}

Window WindowOf(std::int64_t in, double center, double support) {
  Window window;
  window.first = std::max<std::int64_t>(HalfUp(center - support), 0);
  window.count = std::min(HalfUp(center + support), in) - window.first;
  return window;
}

/// The filter laid over a window, in double, summing to 1.
void Weigh(const Window& window, double center, double widening, bool cubic,
           std::vector<double>& weights) {
  const double narrowing = 1.0 / widening;
  weights.resize(static_cast<std::size_t>(window.count));
  double sum = 0.0;
  for (std::int64_t i = 0; i < window.count; ++i) {
    const double at =
        (static_cast<double>(i + window.first) - center + 0.5) * narrowing;
    const double weight = cubic ? Bicubic(at) : Bilinear(at);
    weights[static_cast<std::size_t>(i)] = weight;
    sum += weight;
  }
  if (sum == 0.0) return;
  for (double& weight : weights) weight /= sum;
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
  const bool cubic = filter == Pipeline::Filter::kBicubic;
  const double support = (cubic ? 2.0 : 1.0) * widening;
  const auto center = [&](int i) {
    return (static_cast<double>(from + i) + 0.5) * scale;
  };
  std::vector<Window> windows;
  std::int64_t most = 0;
  for (int i = 0; i < count; ++i) {
    windows.push_back(WindowOf(in, center(i), support));
    most = std::max(most, windows.back().count);
  }

  Axis axis;
  axis.size = count;
  axis.taps = static_cast<int>((most + 3) / 4 * 4);
  axis.begin = static_cast<int>(windows.front().first);
  axis.end = static_cast<int>(windows.back().first + windows.back().count);
  const int inputs = axis.end - axis.begin;
  axis.reach = std::max(inputs, axis.taps);
  axis.weights.assign(
      static_cast<std::size_t>(count) * static_cast<std::size_t>(axis.taps), 0);
  std::vector<double> weights;
  auto row = axis.weights.begin();
  for (int i = 0; i < count; ++i, row += axis.taps) {
    const Window& window = windows[static_cast<std::size_t>(i)];
    Weigh(window, center(i), widening, cubic, weights);
    const int own = static_cast<int>(window.first) - axis.begin;
    // Moved so that the zeros after its weights don't reach past the inputs.
    const int start = std::clamp(inputs - axis.taps, 0, own);
    axis.first.push_back(start);
    std::transform(weights.begin(), weights.end(), row + (own - start),
                   ToFixed);
  }
  PackPairs(axis);
  return axis;
}

namespace {

/// Rows of RGB with room around them for kernels that read and write in lumps.
class Canvas {
 public:
  /// `rows` rows, of which the first `used` will be written; the rest is 0.
  Canvas(std::int64_t width, std::int64_t used, std::int64_t rows)
      : row_bytes_(static_cast<std::size_t>(width) * 3),
        stride_((row_bytes_ + 2 * kSlack - 1) / kSlack * kSlack),
        size_(static_cast<std::size_t>(rows) * stride_),
        bytes_(std::make_unique_for_overwrite<std::uint8_t[]>(size_)) {
    const std::size_t unused = static_cast<std::size_t>(rows - used) * stride_;
    std::memset(bytes_.get() + size_ - unused, 0, unused);
  }
  std::uint8_t* data() { return bytes_.get(); }
  std::size_t stride() const { return stride_; }
  std::size_t size() const { return size_; }

  void CopyFrom(const std::uint8_t* in, std::size_t in_stride, int rows) {
    for (int y = 0; y < rows; ++y) {
      std::memcpy(bytes_.get() + static_cast<std::size_t>(y) * stride_,
                  in + static_cast<std::size_t>(y) * in_stride, row_bytes_);
    }
  }
  void CopyTo(Image& image) const {
    for (std::size_t y = 0; y < static_cast<std::size_t>(image.height); ++y) {
      std::memcpy(image.rgb.data() + y * row_bytes_, bytes_.get() + y * stride_,
                  row_bytes_);
    }
  }

 private:
  std::size_t row_bytes_;
  std::size_t stride_;
  std::size_t size_;
  std::unique_ptr<std::uint8_t[]> bytes_;
};

/// What is needed of the input, and how it is weighed. A direction whose size
/// stays as it is has no axis.
struct Plan {
  std::optional<Axis> across, down;
  std::int64_t left = 0, top = 0;
  std::int64_t columns = 0, rows = 0;
};

Plan MakePlan(const Image& image, std::int64_t width, std::int64_t height,
              Pipeline::Filter filter, const Box& box) {
  Plan plan{.left = box.left,
            .top = box.top,
            .columns = box.width,
            .rows = box.height};
  if (width != image.width) {
    plan.across = MakeAxis(image.width, width, box.left, box.width, filter);
    plan.left = plan.across->begin;
    plan.columns = plan.across->end - plan.across->begin;
  }
  if (height != image.height) {
    plan.down = MakeAxis(image.height, height, box.top, box.height, filter);
    plan.top = plan.down->begin;
    plan.rows = plan.down->end - plan.down->begin;
  }
  return plan;
}

bool IsDownFirst(const Image& image, std::int64_t width, std::int64_t height,
                 Pipeline::Passes passes) {
  const std::int64_t shrinks = image.height - height;
  return passes == Pipeline::Passes::kPillow13 && shrinks > 0 &&
         shrinks > 2 * (image.width - width);
}

void AcrossThenDown(const Plan& plan, const Image& image,
                    const ResizeKernels& kernels, Image& result) {
  const std::size_t in_stride = static_cast<std::size_t>(image.width) * 3;
  const std::size_t from = static_cast<std::size_t>(plan.top) * in_stride +
                           static_cast<std::size_t>(plan.left) * 3;
  const std::uint8_t* in = image.rgb.data() + from;
  const auto rows = static_cast<int>(plan.rows);
  Canvas between(result.width, rows, plan.down ? plan.down->reach : rows);
  if (plan.across) {
    kernels.horizontal(*plan.across, in, in_stride, image.rgb.size() - from,
                       rows, between.data(), between.stride());
  } else {
    between.CopyFrom(in, in_stride, rows);
  }
  const std::size_t row_bytes = static_cast<std::size_t>(result.width) * 3;
  if (plan.down) {
    kernels.vertical(*plan.down, between.data(), between.stride(), row_bytes,
                     result.rgb.data(), row_bytes);
  } else {
    between.CopyTo(result);
  }
}

/// REQUIRES: plan.down. (It is rare: copies are no matter.)
void DownThenAcross(const Plan& plan, const Image& image,
                    const ResizeKernels& kernels, Image& result) {
  const std::size_t in_stride = static_cast<std::size_t>(image.width) * 3;
  Canvas in(plan.columns, plan.rows, plan.down->reach);
  in.CopyFrom(image.rgb.data() +
                  static_cast<std::size_t>(plan.top) * in_stride +
                  static_cast<std::size_t>(plan.left) * 3,
              in_stride, static_cast<int>(plan.rows));
  Canvas between(plan.columns, result.height, result.height);
  kernels.vertical(*plan.down, in.data(), in.stride(),
                   static_cast<std::size_t>(plan.columns) * 3, between.data(),
                   between.stride());
  if (!plan.across) {
    between.CopyTo(result);
    return;
  }
  Canvas out(result.width, result.height, result.height);
  kernels.horizontal(*plan.across, between.data(), between.stride(),
                     between.size(), result.height, out.data(), out.stride());
  out.CopyTo(result);
}

}  // namespace

Image ResizeAndCrop(const Image& image, std::int64_t width, std::int64_t height,
                    const Resampling& how, const Box& box,
                    const ResizeKernels& kernels) {
  TM_CHECK(image.width >= 1 && image.height >= 1 && box.left >= 0 &&
           box.top >= 0 && box.width >= 1 && box.height >= 1 &&
           box.left + box.width <= width && box.top + box.height <= height);
  const Plan plan = MakePlan(image, width, height, how.filter, box);
  const bool down_first = IsDownFirst(image, width, height, how.passes);
  const std::int64_t between =
      down_first ? plan.columns * box.height : plan.rows * box.width;
  if (between > kMaxPixels) {
    throw DataError(StrCat("a picture of ", image.width, " x ", image.height,
                           " is too elongated to be resized to ", width, " x ",
                           height));
  }
  Image result{box.width, box.height, {}};
  result.rgb.resize(static_cast<std::size_t>(box.width) *
                    static_cast<std::size_t>(box.height) * 3);
  if (down_first) {
    DownThenAcross(plan, image, kernels, result);
  } else {
    AcrossThenDown(plan, image, kernels, result);
  }
  return result;
}

}  // namespace internal

Image ResizeAndCrop(const Image& image, std::int64_t width, std::int64_t height,
                    const Resampling& how, const Box& box) {
  return internal::ResizeAndCrop(image, width, height, how, box,
                                 internal::BestKernels());
}

Image Resize(const Image& image, int width, int height, const Resampling& how) {
  return ResizeAndCrop(image, width, height, how, {0, 0, width, height});
}

}  // namespace tailmark
