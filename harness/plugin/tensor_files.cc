#include "harness/plugin/tensor_files.h"

#include <ATen/ATen.h>

#include <array>
#include <fstream>
#include <memory>
#include <utility>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/npy.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::pair<DType, c10::ScalarType>, 7> kTypes = {{
    {DType::kBool, c10::ScalarType::Bool},
    {DType::kUint8, c10::ScalarType::Byte},
    {DType::kInt32, c10::ScalarType::Int},
    {DType::kInt64, c10::ScalarType::Long},
    {DType::kFloat16, c10::ScalarType::Half},
    {DType::kFloat32, c10::ScalarType::Float},
    {DType::kFloat64, c10::ScalarType::Double},
}};

DType FileType(const at::Tensor& tensor) {
  for (const auto& [dtype, scalar] : kTypes) {
    if (scalar == tensor.scalar_type()) return dtype;
  }
  throw DataError(StrCat("a tensor of type ",
                         c10::toString(tensor.scalar_type()),
                         " cannot be written to a file"));
}

void Put(std::ofstream& out, const at::Tensor& tensor) {
  out.write(static_cast<const char*>(tensor.const_data_ptr()),
            static_cast<std::streamsize>(tensor.nbytes()));
}

void Finish(std::ofstream& out, const fs::path& path) {
  out.close();
  if (!out) throw StoreError(path.string() + ": cannot be written");
}

}  // namespace

void WriteTensor(const fs::path& path, const at::Tensor& tensor) {
  const at::Tensor host = tensor.detach().to(at::kCPU).contiguous();
  std::ofstream out(path, std::ios::binary);
  out << NpyHeader(FileType(host), host.sizes().vec());
  Put(out, host);
  Finish(out, path);
}

at::Tensor ReadTensor(const fs::path& path) {
  auto array = std::make_shared<NpyArray>(ReadNpy(path));
  for (const auto& [dtype, scalar] : kTypes) {
    if (dtype != array->dtype) continue;
    return at::from_blob(
        array->bytes.data(), array->shape, [array](void*) {},
        at::TensorOptions(scalar));
  }
  throw DataError(path.string() + ": holds a type that is not read here");
}

void WriteTensorRows(const fs::path& path, std::int64_t rows,
                     const std::function<at::Tensor()>& next) {
  std::ofstream out(path, std::ios::binary);
  std::int64_t written = 0;
  for (at::Tensor part = next(); part.defined(); part = next()) {
    part = part.detach().to(at::kCPU).contiguous();
    if (written == 0) {
      std::vector<std::int64_t> shape = part.sizes().vec();
      shape[0] = rows;
      out << NpyHeader(FileType(part), shape);
    }
    Put(out, part);
    written += part.size(0);
  }
  TM_CHECK(written == rows, path.string(), ": ", written, " of ", rows);
  Finish(out, path);
}

}  // namespace tailmark
