#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <span>

#include "harness/base/npy.h"

namespace tailmark {

/// Between LibTorch's element types and those of files. Throws DataError for a
/// type that files do not hold.
DType FileTypeOf(const at::Tensor& tensor);
c10::ScalarType TensorTypeOf(DType dtype);

/// The elements of a contiguous tensor on the CPU, as long as it lives.
/// REQUIRES: contiguous, on the CPU.
std::span<const std::byte> BytesOf(const at::Tensor& tensor);

/// `tensor` on the CPU and contiguous, detached from any graph.
at::Tensor OnHost(const at::Tensor& tensor);

}  // namespace tailmark
