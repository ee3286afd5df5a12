#include "harness/metrics/arrays.h"

#include "harness/base/error.h"

namespace tailmark {
namespace {

std::string ShapeText(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += StrCat(i == 0 ? "" : ", ", shape[i]);
  }
  return text + "]";
}

}  // namespace

ScoreMatrix ScoreArray::view() const {
  ScoreMatrix out{.rows = rows, .classes = classes};
  std::visit([&](const auto& held) { out.values = std::span(held); }, values);
  return out;
}

ScoreArray ScoresFromNpy(const NpyArray& array, std::string_view name) {
  if (array.shape.size() != 2) {
    throw DataError(StrCat(name, ": scores must be [images, classes], found ",
                           ShapeText(array.shape)));
  }
  ScoreArray out{
      .rows = array.shape[0], .classes = array.shape[1], .dtype = array.dtype};
  const auto copy = [&]<class T>(std::vector<T> values) {
    out.values = std::move(values);
  };
  switch (array.dtype) {
    case DType::kFloat16: {
      std::vector<float> wide;
      wide.reserve(array.bytes.size() / 2);
      for (const auto half : array.As<std::uint16_t>()) {
        wide.push_back(HalfToFloat(half));
      }
      copy(std::move(wide));
      break;
    }
    case DType::kFloat32: {
      const auto held = array.As<float>();
      copy(std::vector<float>(held.begin(), held.end()));
      break;
    }
    case DType::kFloat64: {
      const auto held = array.As<double>();
      copy(std::vector<double>(held.begin(), held.end()));
      break;
    }
    default:
      throw DataError(
          StrCat(name, ": scores must be float16, float32 or float64, found ",
                 NameOf(array.dtype)));
  }
  return out;
}

std::vector<std::uint8_t> BitsFromNpy(const NpyArray& array, std::int64_t rows,
                                      std::int64_t classes,
                                      std::string_view name) {
  if (array.dtype != DType::kUint8 && array.dtype != DType::kBool) {
    throw DataError(
        StrCat(name, ": expected uint8 or bool, found ", NameOf(array.dtype)));
  }
  const std::vector<std::int64_t> shape = {rows, classes};
  if (array.shape != shape) {
    throw DataError(StrCat(name, ": expected the shape of the scores, ",
                           ShapeText(shape), ", found ",
                           ShapeText(array.shape)));
  }
  const auto held = array.As<std::uint8_t>();
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (held[i] <= 1) continue;
    const auto wide = static_cast<std::size_t>(classes);
    throw DataError(StrCat(name, ": row ", i / wide, ", class ", i % wide,
                           " is ", int{held[i]}, "; expected 0 or 1"));
  }
  return {held.begin(), held.end()};
}

}  // namespace tailmark
