#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "harness/api/state.h"
#include "harness/base/safetensors.h"

namespace tailmark {

/// The element type of a tensor as files name it. Throws ConfigError for types
/// that files cannot hold.
DType DTypeOf(const at::Tensor& tensor);

/// A copy of the view in a tensor of its own, on the CPU.
at::Tensor ToTensor(const TensorView& view);

/// Tensors and numbers in memory, to and from one safetensors file: what a
/// checkpoint is written through. Numbers are int64 tensors without dimensions.
class TensorFile : public StateWriter, public StateReader {
 public:
  TensorFile() = default;
  /// Throws DataError when the file is missing or not true.
  static TensorFile Read(const std::filesystem::path& path);
  /// Atomically; equal contents give equal bytes. Throws StoreError.
  void Write(const std::filesystem::path& path) const;

  /// A text kept beside the tensors, "" when absent.
  void SetNote(std::string_view key, std::string_view text);
  std::string Note(std::string_view key) const;

  void Put(std::string_view key, const at::Tensor& value) override;
  void PutInt(std::string_view key, std::int64_t value) override;
  bool Has(std::string_view key) const override;
  at::Tensor Get(std::string_view key) const override;
  std::int64_t GetInt(std::string_view key) const override;

 private:
  std::string name_ = "checkpoint";
  std::map<std::string, at::Tensor, std::less<>> tensors_;
  Safetensors::Metadata notes_;
};

}  // namespace tailmark
