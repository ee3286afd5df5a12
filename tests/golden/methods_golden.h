#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/json.h"
#include "harness/base/safetensors.h"
#include "methods/torch_pch.h"
#include "tests/golden/golden.h"

namespace tailmark {

/// The golden folder "methods": manifest.json lists cases, each with inputs and
/// outputs in a safetensors file. A file may hold a part of its cases.
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

  /// Cases that this file has, as the manifest describes them.
  const std::vector<Json>& cases() const { return cases_; }

  /// A tensor of a case: `side` is "inputs" or "outputs".
  at::Tensor Get(const Json& each, const std::string& side,
                 const std::string& name) const {
    return Tensor(KeyOf(each, side, name));
  }
  at::Tensor In(const Json& each, const std::string& name) const {
    return Get(each, "inputs", name);
  }
  at::Tensor Out(const Json& each, const std::string& name) const {
    return Get(each, "outputs", name);
  }

  /// Largest difference allowed for float32 code.
  static double Bound(const Json& each, const std::string& name) {
    return each.at("outputs").at(name).at("atol").get<double>();
  }
  /// For float64 code, by the type the output is stored in.
  static double DoubleBound(const Json& each, const std::string& name) {
    const Json& output = each.at("outputs").at(name);
    const double scale = output.value("scale", 1.0);
    return output.at("dtype") == "float32" ? 1e-6 * scale : 1e-9 * (1 + scale);
  }

  /// Compares `got` with output `name`, by the bound of its type (float32 or
  /// float64) or, if larger, `at_least`.
  void Expect(const Json& each, const std::string& name, const at::Tensor& got,
              double at_least = 0) const {
    const auto expected = Out(each, name).to(at::kDouble);
    const auto value = got.detach().to(at::kDouble).cpu();
    ASSERT_EQ(value.sizes(), expected.sizes()) << Id(each) << " " << name;
    const double bound = got.scalar_type() == at::kDouble
                             ? DoubleBound(each, name)
                             : Bound(each, name);
    const double apart =
        value.numel() == 0 ? 0 : (value - expected).abs().max().item<double>();
    EXPECT_LE(apart, std::max(bound, at_least)) << Id(each) << " " << name;
  }

  static std::string Id(const Json& each) {
    return each.at("id").get<std::string>();
  }

 private:
  MethodGoldens(const std::filesystem::path& folder, const std::string& file)
      : tensors_(Safetensors::Open(folder / file)) {
    const Json manifest = ReadJson(folder / "manifest.json");
    for (const Json& each : manifest.at("cases")) {
      if (each.at("file") == file && Holds(each)) cases_.push_back(each);
    }
  }

  static std::string KeyOf(const Json& each, const std::string& side,
                           const std::string& name) {
    return each.at(side).at(name).value(
        "key", Id(each) + (side == "inputs" ? "/in/" : "/out/") + name);
  }

  bool Holds(const Json& each) const {
    for (const char* side : {"inputs", "outputs"}) {
      for (const auto& [name, entry] : each.at(side).items()) {
        if (entry.is_object() && entry.contains("dtype") &&
            !tensors_.Has(KeyOf(each, side, name))) {
          return false;
        }
      }
    }
    return true;
  }

  at::Tensor Tensor(const std::string& key) const {
    const TensorView& view = tensors_.At(key);
    const std::map<DType, at::ScalarType> types = {
        {DType::kFloat16, at::kHalf},   {DType::kFloat32, at::kFloat},
        {DType::kFloat64, at::kDouble}, {DType::kUint8, at::kByte},
        {DType::kInt32, at::kInt},      {DType::kInt64, at::kLong}};
    at::Tensor out = at::empty(view.shape, types.at(view.dtype));
    std::memcpy(out.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
    return out;
  }

  Safetensors tensors_;
  std::vector<Json> cases_;
};

}  // namespace tailmark
