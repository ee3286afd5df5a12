#include "harness/run/numerics.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <vector>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace {

// The two setters that LibTorch 2.11 and 2.13 share; setFloat32Precision, which
// would replace them, takes other types in each release.
void SetTf32(at::Context& context, bool products, bool convolutions) {
  context.setAllowTF32CuBLAS(products);
  context.setAllowTF32CuDNN(convolutions);
}

void RequireWord(const std::string& what, const std::string& word,
                 const std::vector<std::string>& known) {
  for (const std::string& each : known) {
    if (word == each) return;
  }
  throw ConfigError(UnknownName(what, word, known));
}

}  // namespace

std::string BestDeviceType() {
  return at::globalContext().hasCUDA() ? "cuda" : "cpu";
}

c10::Device DeviceOf(const RunSpec& spec) {
  const std::string& type = spec.identity.device_type;
  RequireWord("device type", type, {"cpu", "cuda"});
  RequireWord("precision", spec.identity.precision,
              {"fp32", "bf16", "fp16", "fp16-state"});
  std::string name = spec.place.device;
  if (name == "auto" || name.empty()) name = type;
  if (name.substr(0, name.find(':')) != type) {
    throw ConfigError(StrCat("the run is for device type '", type,
                             "', but its place says '", name, "'"));
  }
  const c10::Device device = [&] {
    try {
      return c10::Device(name);
    } catch (const c10::Error&) {
      throw ConfigError(
          StrCat("device '", name, "' is not one of cpu|cuda|cuda:<number>"));
    }
  }();
  if (device.is_cpu()) return device;
  const auto count =
      at::globalContext().hasCUDA()
          ? static_cast<int>(at::detail::getCUDAHooks().deviceCount())
          : 0;
  const int index = device.has_index() ? device.index() : 0;
  if (index >= count) {
    throw ConfigError(
        StrCat("device '", name, "' is not there: LibTorch sees ", count,
               " CUDA devices; use --device cpu, or a LibTorch with CUDA"));
  }
  return {device.type(), static_cast<c10::DeviceIndex>(index)};
}

void ApplyNumerics(const RunSpec& spec) {
  const std::string& mode = spec.identity.deterministic;
  RequireWord("deterministic mode", mode, {"strict", "off"});
  if (spec.place.threads < 1) {
    throw ConfigError(
        StrCat("threads = ", spec.place.threads, ", expected at least 1"));
  }
  const bool strict = mode == "strict";
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(strict, /*warn_only=*/false);
  // Filling fresh memory finds bugs, moves no bit, and costs time.
  context.setDeterministicFillUninitializedMemory(false);
  context.setDeterministicCuDNN(strict);
  context.setBenchmarkCuDNN(false);
  SetTf32(context, spec.identity.tf32, spec.identity.tf32);
  at::set_num_threads(spec.place.threads);
}

Json ReadNumerics() {
  const at::Context& context = at::globalContext();
  return {
      {"threads", at::get_num_threads()},
      {"deterministic_algorithms", context.deterministicAlgorithms()},
      {"deterministic_warn_only", context.deterministicAlgorithmsWarnOnly()},
      {"cudnn_deterministic", context.deterministicCuDNN()},
      {"cudnn_benchmark", context.benchmarkCuDNN()},
      {"tf32_matmul", context.allowTF32CuBLAS()},
      {"tf32_convolution", context.allowTF32CuDNN()},
      {"cublas_workspace", GetEnv("CUBLAS_WORKSPACE_CONFIG").value_or("")},
      {"default_dtype", std::string(c10::toString(at::typeMetaToScalarType(
                            c10::get_default_dtype())))},
  };
}

NumericsGuard::Switches NumericsGuard::Now() {
  const at::Context& context = at::globalContext();
  return {context.deterministicAlgorithms(),
          context.deterministicAlgorithmsWarnOnly(),
          context.deterministicFillUninitializedMemory(),
          context.deterministicCuDNN(),
          context.benchmarkCuDNN(),
          context.allowTF32CuBLAS(),
          context.allowTF32CuDNN(),
          at::get_num_threads()};
}

NumericsGuard::NumericsGuard() : before_(Now()) {}

NumericsGuard::~NumericsGuard() {
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(before_.deterministic, before_.warn_only);
  context.setDeterministicFillUninitializedMemory(before_.fill);
  context.setDeterministicCuDNN(before_.cudnn_deterministic);
  context.setBenchmarkCuDNN(before_.cudnn_benchmark);
  SetTf32(context, before_.tf32_products, before_.tf32_convolutions);
  at::set_num_threads(before_.threads);
}

}  // namespace tailmark
