#include "harness/run/environment.h"

#include <ATen/ATen.h>
#include <ATen/Version.h>
#include <sys/utsname.h>

#include <array>
#include <clocale>
#include <filesystem>
#include <fstream>
#include <thread>

#include "datasets/images/codecs.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/run/numerics.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::string_view, 16> kAllowed = {
    "CUBLAS_WORKSPACE_CONFIG",
    "OMP_*",
    "GOMP_*",
    "KMP_*",
    "MKL_*",
    "CUDA_*",
    "TORCH_*",
    "PYTORCH_*",
    "ATEN_*",
    "ONEDNN_*",
    "DNNL_*",
    "NVIDIA_TF32_OVERRIDE",
    "NVIDIA_VISIBLE_DEVICES",
    "SLURM_JOB_ID",
    "SLURM_ARRAY_JOB_ID",
    "SLURM_ARRAY_TASK_ID"};
// Of those, what may move a bit.
constexpr std::array<std::string_view, 8> kBitMoving = {
    "CUBLAS_WORKSPACE_CONFIG",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "ATEN_*",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "TORCH_BLAS_PREFER_CUBLASLT",
    "ONEDNN_*",
    "NVIDIA_TF32_OVERRIDE"};

/// What stands behind the first line of `path` that begins with `key`, without
/// separators and quotes; "" when there is none.
std::string ValueIn(const fs::path& path, std::string_view key) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (!std::string_view(line).starts_with(key)) continue;
    const auto from = line.find_first_not_of(" \t:=\"", key.size());
    const auto to = line.find_last_not_of(" \t\"");
    return from == line.npos ? "" : line.substr(from, to - from + 1);
  }
  return "";
}

std::string FirstLineOf(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

Json Libraries() {
  return {{"libtorch", TM_TORCH_VERSION},
          {"libtorch_git", TM_TORCH_GIT},
          {"mkl", FirstLineOf(at::get_mkl_version())},
          {"onednn", FirstLineOf(at::get_mkldnn_version())},
          {"openmp", FirstLineOf(at::get_openmp_version())},
          {"jpeg", internal::JpegLibrary()},
          {"png", internal::PngLibrary()}};
}

Json Processor() {
  return {{"model", ValueIn("/proc/cpuinfo", "model name")},
          {"capability", at::get_cpu_capability()},
          {"cores", std::thread::hardware_concurrency()}};
}

// From the driver's own files: asking the runtime for them would need CUDA's
// headers, which a build against LibTorch does not have.
Json Devices(c10::Device device) {
  Json out = {{"type", c10::DeviceTypeName(device.type(), /*lower_case=*/true)},
              {"name", device.str()}};
  if (!device.is_cuda()) return out;
  const auto& hooks = at::detail::getCUDAHooks();
  out["driver"] = ValueIn("/proc/driver/nvidia/version", "NVRM version");
  out["runtime"] = hooks.versionCUDART();
  out["cudnn"] = hooks.hasCuDNN() ? hooks.versionCuDNN() : 0;
  out["gpus"] = Json::array();
  std::error_code code;
  for (const auto& gpu :
       fs::directory_iterator("/proc/driver/nvidia/gpus", code)) {
    const fs::path info = gpu.path() / "information";
    out["gpus"].push_back({{"model", ValueIn(info, "Model")},
                           {"uuid", ValueIn(info, "GPU UUID")}});
  }
  return out;
}

Json System() {
  utsname name{};
  uname(&name);
  const char* locale = std::setlocale(LC_ALL, nullptr);
  return {{"os", ValueIn("/etc/os-release", "PRETTY_NAME")},
          {"kernel", StrCat(name.sysname, " ", name.release)},
          {"machine", name.machine},
          {"locale", locale == nullptr ? "" : locale},
          {"container",
           fs::exists("/.dockerenv") || fs::exists("/run/.containerenv")}};
}

}  // namespace

Json RunEnvironment(c10::Device device, const std::string& pipeline) {
  return {{"libraries", Libraries()},
          {"cpu", Processor()},
          {"device", Devices(device)},
          {"numerics", ReadNumerics()},
          {"variables", GetAllowedEnv(kAllowed)},
          {"bit_moving_variables", GetAllowedEnv(kBitMoving)},
          {"system", System()},
          {"pipeline_fingerprint", pipeline}};
}

std::string EnvironmentFingerprint(const Json& environment) {
  Json device = environment.at("device");
  // Which of several equal cards it was, and its serial number, move nothing.
  device.erase("name");
  if (device.contains("gpus")) {
    for (Json& gpu : device["gpus"]) gpu.erase("uuid");
  }
  const Json& cpu = environment.at("cpu");
  return HashOf({{"libraries", environment.at("libraries")},
                 {"cpu", {cpu.at("model"), cpu.at("capability")}},
                 {"device", device},
                 {"numerics", environment.at("numerics")},
                 {"variables", environment.at("bit_moving_variables")},
                 {"pipeline", environment.at("pipeline_fingerprint")}});
}

}  // namespace tailmark
