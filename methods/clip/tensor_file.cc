#include "methods/clip/tensor_file.h"

#include <cstring>

#include "harness/base/error.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

struct TypePair {
  DType dtype;
  at::ScalarType scalar;
};
constexpr TypePair kTypes[] = {
    {DType::kBool, at::kBool},     {DType::kUint8, at::kByte},
    {DType::kInt32, at::kInt},     {DType::kInt64, at::kLong},
    {DType::kFloat16, at::kHalf},  {DType::kBfloat16, at::kBFloat16},
    {DType::kFloat32, at::kFloat}, {DType::kFloat64, at::kDouble},
};

at::ScalarType ScalarOf(DType dtype) {
  for (const TypePair& pair : kTypes) {
    if (pair.dtype == dtype) return pair.scalar;
  }
  TM_CHECK(false, "no such type");
}

}  // namespace

DType DTypeOf(const at::Tensor& tensor) {
  for (const TypePair& pair : kTypes) {
    if (pair.scalar == tensor.scalar_type()) return pair.dtype;
  }
  throw ConfigError(StrCat("a tensor of type ", tensor.scalar_type(),
                           " cannot be written to a file"));
}

at::Tensor ToTensor(const TensorView& view) {
  auto tensor = at::empty(view.shape, at::TensorOptions(ScalarOf(view.dtype)));
  TM_CHECK(tensor.nbytes() == view.bytes.size());
  if (!view.bytes.empty()) {
    if (!view.bytes.empty()) {  // of nothing there is no address
      std::memcpy(tensor.mutable_data_ptr(), view.bytes.data(),
                  view.bytes.size());
    }
  }
  return tensor;
}

TensorFile TensorFile::Read(const std::filesystem::path& path) {
  const auto file = Safetensors::Open(path);
  TensorFile out;
  out.name_ = path.string();
  out.notes_ = file.metadata();
  for (const auto& [name, view] : file.tensors()) {
    out.tensors_.emplace(name, ToTensor(view));
  }
  return out;
}

void TensorFile::Write(const std::filesystem::path& path) const {
  Safetensors::Tensors views;
  for (const auto& [name, tensor] : tensors_) {
    views[name] = {DTypeOf(tensor),
                   tensor.sizes().vec(),
                   {static_cast<const std::byte*>(tensor.const_data_ptr()),
                    static_cast<std::size_t>(tensor.nbytes())}};
  }
  WriteSafetensors(path, views, notes_);
}

void TensorFile::SetNote(std::string_view key, std::string_view text) {
  notes_[std::string(key)] = text;
}

std::string TensorFile::Note(std::string_view key) const {
  const auto found = notes_.find(key);
  return found == notes_.end() ? "" : found->second;
}

void TensorFile::Put(std::string_view key, const at::Tensor& value) {
  // A copy of its own: the caller goes on training.
  tensors_[std::string(key)] =
      value.detach().to(at::kCPU).clone(at::MemoryFormat::Contiguous);
}

void TensorFile::PutInt(std::string_view key, std::int64_t value) {
  tensors_[std::string(key)] = at::scalar_tensor(value, at::kLong);
}

bool TensorFile::Has(std::string_view key) const {
  return tensors_.contains(key);
}

at::Tensor TensorFile::Get(std::string_view key) const {
  const auto found = tensors_.find(key);
  if (found == tensors_.end()) {
    throw DataError(StrCat(name_, ": '", key, "' is missing"));
  }
  return found->second;
}

std::int64_t TensorFile::GetInt(std::string_view key) const {
  const auto value = Get(key);
  if (value.scalar_type() != at::kLong || value.dim() != 0) {
    throw DataError(StrCat(name_, ": '", key, "' is not a whole number"));
  }
  return value.item<std::int64_t>();
}

}  // namespace tailmark
