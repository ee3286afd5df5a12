#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>

namespace tailmark {

/// Tensors as .npy files, for methods in other processes. C order, on the CPU.
/// Not synced: they need not survive anything.
void WriteTensor(const std::filesystem::path& path, const at::Tensor& tensor);
/// Throws DataError that begins with the path.
at::Tensor ReadTensor(const std::filesystem::path& path);

/// A matrix [rows, ...] written batch by batch, never held as a whole. `next`
/// gives the next rows, an undefined tensor at the end; there must be `rows`
/// in all, at least one.
void WriteTensorRows(const std::filesystem::path& path, std::int64_t rows,
                     const std::function<at::Tensor()>& next);

}  // namespace tailmark
