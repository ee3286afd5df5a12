#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "harness/base/json.h"
#include "harness/base/safetensors.h"
#include "methods/torch_pch.h"
#include "tests/golden/golden.h"

namespace tailmark {

/// The golden folder "methods": manifest.json lists cases, each with inputs and
/// outputs in a safetensors file.
class MethodGoldens {
 public:
  /// Nothing when the folder or this file of it is absent.
  static std::optional<MethodGoldens> Open(const std::string& file) {
    const auto folder = GoldenFolder("methods");
    if (!std::filesystem::exists(folder / "manifest.json") ||
        !std::filesystem::exists(folder / file)) {
      return std::nullopt;
    }
    return MethodGoldens(folder, file);
  }

  /// Cases of this file, as the manifest describes them.
  const std::vector<Json>& cases() const { return cases_; }

  /// A tensor of a case: `side` is "inputs" or "outputs".
  at::Tensor Get(const Json& each, const std::string& side,
                 const std::string& name) const {
    const Json& entry = each.at(side).at(name);
    const std::string own = each.at("id").get<std::string>() +
                            (side == "inputs" ? "/in/" : "/out/") + name;
    const TensorView& view = tensors_.At(entry.value("key", own));
    const std::map<DType, at::ScalarType> types = {
        {DType::kFloat32, at::kFloat},
        {DType::kFloat64, at::kDouble},
        {DType::kUint8, at::kByte},
        {DType::kInt64, at::kLong}};
    at::Tensor out = at::empty(view.shape, types.at(view.dtype));
    std::memcpy(out.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
    return out;
  }

  /// Largest difference allowed for float32 code.
  static double Bound(const Json& each, const std::string& name) {
    return each.at("outputs").at(name).at("atol").get<double>();
  }

 private:
  MethodGoldens(const std::filesystem::path& folder, const std::string& file)
      : tensors_(Safetensors::Open(folder / file)) {
    const Json manifest = ReadJson(folder / "manifest.json");
    for (const Json& each : manifest.at("cases")) {
      if (each.at("file") == file) cases_.push_back(each);
    }
  }

  Safetensors tensors_;
  std::vector<Json> cases_;
};

}  // namespace tailmark
