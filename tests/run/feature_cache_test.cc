#include "harness/run/feature_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <iterator>
#include <thread>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/run/runner.h"
#include "methods/torch_pch.h"
#include "tests/run/toy_engine.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using toys::ToyEngine;

FeatureKey SomeKey() {
  return {.weights_sha256 = "w",
          .pipeline = "clip-224",
          .ids_sha256 = "i",
          .manifest_sha256 = "m",
          .numerics = "n"};
}

at::Tensor SomeFeatures() {
  return torch::randn({5, 4}, at::detail::createCPUGenerator(1));
}

class Cache : public ::testing::Test {
 protected:
  ToyEngine toy_;
  FeatureCache cache_{toy_.Cache()};
};

TEST_F(Cache, GivesBackEveryBit) {
  EXPECT_FALSE(cache_.Load(SomeKey(), 5).has_value());
  cache_.Store(SomeKey(), SomeFeatures());
  const auto found = cache_.Load(SomeKey(), 5);
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->equal(SomeFeatures()));
  EXPECT_FALSE(found->is_inference());
}

TEST_F(Cache, OfSeveralThatMissTheSameOneComputesIt) {
  std::atomic<int> computed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto turn = cache_.WaitForTurn(SomeKey(), [] {});
      if (cache_.Load(SomeKey(), 5)) return;
      ++computed;
      cache_.Store(SomeKey(), SomeFeatures());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(computed, 1);
  const fs::path folder = cache_.PathOf(SomeKey()).parent_path();
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
}

TEST_F(Cache, WhoWaitsForATurnCanBeInterrupted) {
  const auto turn = cache_.WaitForTurn(SomeKey(), [] {});
  EXPECT_THROW(
      cache_.WaitForTurn(SomeKey(), [] { throw Interrupted(SIGTERM); }),
      Interrupted);
}

TEST_F(Cache, EveryMemberOfTheKeyTellsFilesApart) {
  cache_.Store(SomeKey(), SomeFeatures());
  const std::vector<std::function<void(FeatureKey&)>> changes = {
      [](auto& k) { k.weights_sha256 = "x"; },
      [](auto& k) { k.pipeline = "squash-224"; },
      [](auto& k) { k.pipeline_version = 2; },
      [](auto& k) { k.dtype = "float16"; },
      [](auto& k) { k.ids_sha256 = "x"; },
      [](auto& k) { k.manifest_sha256 = "x"; },
      [](auto& k) { k.view = "flip"; },
      [](auto& k) { k.device_type = "cuda"; },
      [](auto& k) { k.encoder_settings = "x"; },
      [](auto& k) { k.numerics = "x"; },
      [](auto& k) { k.batch_size = 1; }};
  for (const auto& change : changes) {
    FeatureKey key = SomeKey();
    change(key);
    EXPECT_FALSE(cache_.Load(key, 5).has_value()) << key.ToJson();
  }
  EXPECT_TRUE(cache_.Load(SomeKey(), 5).has_value());
}

TEST_F(Cache, TheKeyInsideTheFileDecidesNotItsName) {
  cache_.Store(SomeKey(), SomeFeatures());
  FeatureKey other = SomeKey();
  other.view = "flip";
  MakeFolders(cache_.PathOf(other).parent_path());
  fs::copy_file(cache_.PathOf(SomeKey()), cache_.PathOf(other));
  testing::internal::CaptureStderr();
  EXPECT_FALSE(cache_.Load(other, 5).has_value());
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("the key inside is another one"));
}

TEST_F(Cache, AChangedShortOrTornFileIsNotUsed) {
  cache_.Store(SomeKey(), SomeFeatures());
  const fs::path path = cache_.PathOf(SomeKey());
  const std::string good = ReadFile(path);
  std::string changed = good;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  testing::internal::CaptureStderr();
  for (const std::string& bytes :
       {changed, good.substr(0, good.size() - 4), std::string("x")}) {
    WriteFileAtomic(path, bytes);
    EXPECT_FALSE(cache_.Load(SomeKey(), 5).has_value());
  }
  WriteFileAtomic(path, good);
  EXPECT_FALSE(cache_.Load(SomeKey(), 6).has_value());
  EXPECT_TRUE(cache_.Load(SomeKey(), 5).has_value());
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("its bytes have changed"));
}

TEST_F(Cache, WithoutAFolderNothingIsKept) {
  const FeatureCache none("");
  none.Store(SomeKey(), SomeFeatures());
  EXPECT_FALSE(none.Load(SomeKey(), 5).has_value());
}

TEST_F(Cache, TwoWritersAndAReaderNeverMeetHalfAFile) {
  const auto big = torch::randn({4000, 16}, at::detail::createCPUGenerator(1));
  // One process writes under one temporary name: writers are processes.
  std::vector<pid_t> children;
  for (int i = 0; i < 2; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      for (int n = 0; n < 20; ++n) cache_.Store(SomeKey(), big);
      std::_Exit(0);
    }
    children.push_back(child);
  }
  testing::internal::CaptureStderr();
  int found = 0;
  for (int n = 0; n < 200; ++n) {
    if (const auto each = cache_.Load(SomeKey(), 4000)) {
      EXPECT_TRUE(each->equal(big));
      ++found;
    }
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(cache_.Load(SomeKey(), 4000).has_value());
  EXPECT_GE(found, 0);
}

std::string Scores(const ToyEngine& toy, const std::string& name) {
  return ReadFile(toy.Bundle(name) / "scores" / "test.npy");
}

TEST(FeaturesOfARun, AHitGivesTheScoresOfAMiss) {
  ToyEngine toy;
  RunSpec spec = toy.Spec("linear_probe", {{"augment", std::string("flip")}});
  ASSERT_EQ(toy.Execute(spec, "none"), kExitDone) << toy.log();
  spec.place.cache = toy.Cache();
  ASSERT_EQ(toy.Execute(spec, "miss"), kExitDone) << toy.log();
  ASSERT_EQ(toy.Execute(spec, "hit"), kExitDone) << toy.log();
  EXPECT_THAT(ReadFile(toy.Bundle("miss") / "events.jsonl"),
              HasSubstr("\"cached\":false"));
  EXPECT_THAT(ReadFile(toy.Bundle("hit") / "events.jsonl"),
              testing::Not(HasSubstr("\"cached\":false")));
  EXPECT_EQ(Scores(toy, "none"), Scores(toy, "miss"));
  EXPECT_EQ(Scores(toy, "miss"), Scores(toy, "hit"));
  // Three files: train plain and mirrored, test plain.
  int files = 0;
  for (const auto& each : fs::recursive_directory_iterator(toy.Cache())) {
    files += each.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 3);
}

TEST(FeaturesOfARun, MirroringIsDrawnAfreshAndMatters) {
  ToyEngine toy;
  const RunSpec plain = toy.Spec("linear_probe");
  const RunSpec flip =
      toy.Spec("linear_probe", {{"augment", std::string("flip")}});
  toy.Execute(plain, "plain");
  toy.Execute(flip, "flip");
  EXPECT_NE(Scores(toy, "plain"), Scores(toy, "flip"));
}

TEST(FeaturesOfARun, ABatchDependentEncoderIsRefused) {
  ToyEngine toy;
  toy.batch_norm = true;
  RunSpec spec = toy.Spec("linear_probe");
  spec.place.cache = toy.Cache();
  EXPECT_EQ(toy.Execute(spec, "a"), kExitBadInput);
  EXPECT_THAT(toy.log(), HasSubstr("depend on the batch"));
  EXPECT_FALSE(fs::exists(toy.Cache()));
}

}  // namespace
}  // namespace tailmark
