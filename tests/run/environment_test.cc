#include "harness/run/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/cuda.h>

#include "harness/api/registry.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/run/catalog.h"
#include "harness/run/gpu_memory.h"
#include "harness/run/numerics.h"
#include "harness/run/run_errors.h"
#include "methods/builtin.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

RunSpec OnCpu(const std::string& mode) {
  RunSpec spec;
  spec.identity.deterministic = mode;
  return spec;
}

TEST(Numerics, WhatWasSetIsReadBackAndPutBack) {
  const Json before = ReadNumerics();
  {
    const NumericsGuard guard;
    RunSpec spec = OnCpu("strict");
    spec.identity.tf32 = true;
    spec.place.threads = 2;
    ApplyNumerics(spec);
    const Json now = ReadNumerics();
    EXPECT_EQ(now.at("threads"), 2);
    EXPECT_EQ(now.at("deterministic_algorithms"), true);
    EXPECT_EQ(now.at("cudnn_deterministic"), true);
    EXPECT_EQ(now.at("tf32_matmul"), true);
    EXPECT_EQ(now.at("tf32_convolution"), true);
    ApplyNumerics(OnCpu("off"));
    EXPECT_EQ(ReadNumerics().at("deterministic_algorithms"), false);
    EXPECT_EQ(ReadNumerics().at("tf32_matmul"), false);
    EXPECT_EQ(ReadNumerics().at("tf32_convolution"), false);
  }
  EXPECT_EQ(ReadNumerics(), before);
}

TEST(Numerics, NoThreadsAndUnknownModesAreRefused) {
  const NumericsGuard guard;
  RunSpec spec;
  spec.place.threads = 0;
  EXPECT_THROW(ApplyNumerics(spec), ConfigError);
  EXPECT_THROW(ApplyNumerics(OnCpu("strickt")), ConfigError);
}

TEST(Numerics, ADeviceThatIsNotThereOrDoesNotFitIsRefused) {
  RunSpec spec;
  EXPECT_TRUE(DeviceOf(spec).is_cpu());
  spec.place.device = "auto";
  EXPECT_TRUE(DeviceOf(spec).is_cpu());
  spec.place.device = "cuda:0";
  EXPECT_THROW(DeviceOf(spec), ConfigError);  // its identity says cpu
  spec.place.device = "gpu";
  EXPECT_THROW(DeviceOf(spec), ConfigError);
  spec.identity.device_type = "cuda";
  spec.place.device = "cuda:99";
  try {
    DeviceOf(spec);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("'cuda:99' is not there"));
  }
}

TEST(Environment, NamesLibrariesProcessorAndSwitches) {
  const Json env = RunEnvironment(c10::Device("cpu"), "abc");
  EXPECT_THAT(env.at("libraries").at("libtorch").get<std::string>(),
              testing::StartsWith("2."));
  EXPECT_FALSE(env.at("libraries").at("mkl").get<std::string>().empty());
  EXPECT_THAT(env.at("libraries").at("jpeg").get<std::string>(),
              testing::MatchesRegex("libjpeg.* [0-9.]+"));
  EXPECT_THAT(env.at("libraries").at("png").get<std::string>(),
              testing::MatchesRegex("libpng [0-9.]+"));
  EXPECT_FALSE(env.at("cpu").at("capability").get<std::string>().empty());
  EXPECT_FALSE(env.at("system").at("os").get<std::string>().empty());
  EXPECT_EQ(env.at("device").at("type"), "cpu");
  EXPECT_EQ(env.at("pipeline_fingerprint"), "abc");
}

TEST(Environment, KeepsAllowedVariablesAndNoSecret) {
  SetEnv("OMP_TAILMARK_TEST", "4");
  SetEnv("MY_SECRET_TOKEN", "hunter2");
  const Json env = RunEnvironment(c10::Device("cpu"), "");
  EXPECT_EQ(env.at("variables").at("OMP_TAILMARK_TEST"), "4");
  EXPECT_THAT(env.dump(), testing::Not(testing::HasSubstr("hunter2")));
}

TEST(Environment, TheFingerprintFollowsWhatMovesBitsOnly) {
  const Json env = RunEnvironment(c10::Device("cpu"), "abc");
  const std::string print = EnvironmentFingerprint(env);
  Json other = env;
  other["system"]["kernel"] = "another";
  other["variables"]["OMP_X"] = "1";
  EXPECT_EQ(EnvironmentFingerprint(other), print);
  for (const auto& change : std::vector<std::function<void(Json&)>>{
           [](Json& e) { e["numerics"]["threads"] = 64; },
           [](Json& e) { e["libraries"]["mkl"] = "x"; },
           [](Json& e) { e["cpu"]["capability"] = "x"; },
           [](Json& e) { e["pipeline_fingerprint"] = "x"; },
           [](Json& e) { e["bit_moving_variables"]["MKL_CBWR"] = "AVX2"; }}) {
    other = env;
    change(other);
    EXPECT_NE(EnvironmentFingerprint(other), print);
  }
}

TEST(CatalogOfMethods, SaysWhatTheRegistrySaysAndSurvivesJson) {
  MethodRegistry registry;
  RegisterBuiltinMethods(registry);
  const Catalog made = MakeCatalog(registry, {.digest = "d"});
  const Catalog read = CatalogFromJson(ToJson(made));
  ASSERT_EQ(read.methods.size(), registry.Names().size());
  const MethodEntry& probe = read.Find("linear_probe");
  EXPECT_EQ(probe.input, "features");
  EXPECT_TRUE(probe.trains);
  EXPECT_TRUE(read.Find("zero_shot_clip").needs_text);
  EXPECT_FALSE(read.Find("label_prior").stochastic);
  ASSERT_FALSE(probe.presets.empty());
  EXPECT_EQ(probe.presets[0].name, "embedded");
  EXPECT_EQ(probe.options.size(), registry.Find("linear_probe").options.size());
}

TEST(GpuMemory, TheProcessorHasNoneAndBreaksNoLimit) {
  const c10::Device cpu("cpu");
  EXPECT_EQ(PeakGpuBytes(cpu), 0);
  RequireGpuMemory(cpu, 1);
}

TEST(GpuMemory, MoreThanTheLimitIsRefusedWithBothFigures) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << "no CUDA device";
  const c10::Device gpu("cuda:0");
  const auto held = torch::ones({8 << 20}, gpu);
  EXPECT_GE(GpuBytes(gpu), 32 << 20);
  RequireGpuMemory(gpu, 0);
  RequireGpuMemory(gpu, std::int64_t{1} << 40);
  try {
    RequireGpuMemory(gpu, 16 << 20);
    FAIL() << "not refused";
  } catch (const OverGpuLimit& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("limit of 16.0 MiB"));
  }
}

}  // namespace
}  // namespace tailmark
