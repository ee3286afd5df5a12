#include "harness/run/tensors.h"

#include <ATen/ATen.h>

#include <array>
#include <utility>

#include "harness/base/error.h"

namespace tailmark {
namespace {

constexpr std::array<std::pair<DType, c10::ScalarType>, 8> kTypes = {{
    {DType::kBool, c10::ScalarType::Bool},
    {DType::kUint8, c10::ScalarType::Byte},
    {DType::kInt32, c10::ScalarType::Int},
    {DType::kInt64, c10::ScalarType::Long},
    {DType::kFloat16, c10::ScalarType::Half},
    {DType::kBfloat16, c10::ScalarType::BFloat16},
    {DType::kFloat32, c10::ScalarType::Float},
    {DType::kFloat64, c10::ScalarType::Double},
}};

}  // namespace

DType FileTypeOf(const at::Tensor& tensor) {
  for (const auto& [dtype, scalar] : kTypes) {
    if (scalar == tensor.scalar_type()) return dtype;
  }
  throw DataError(StrCat("a tensor of type ",
                         c10::toString(tensor.scalar_type()),
                         " cannot be written to a file"));
}

c10::ScalarType TensorTypeOf(DType dtype) {
  for (const auto& [each, scalar] : kTypes) {
    if (each == dtype) return scalar;
  }
  TM_CHECK(false, "element type without a LibTorch type");
  return c10::ScalarType::Float;
}

std::span<const std::byte> BytesOf(const at::Tensor& tensor) {
  TM_CHECK(tensor.is_contiguous() && tensor.device().is_cpu());
  return {static_cast<const std::byte*>(tensor.const_data_ptr()),
          static_cast<std::size_t>(tensor.nbytes())};
}

at::Tensor OnHost(const at::Tensor& tensor) {
  return tensor.detach().to(at::kCPU).contiguous();
}

}  // namespace tailmark
