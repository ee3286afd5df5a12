#include "harness/run/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/npy.h"
#include "harness/record/bundle.h"
#include "tests/run/toy_engine.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using toys::ToyEngine;

RunRecord RecordOf(const fs::path& bundle) {
  return RunRecordFromJson(ReadJson(bundle / "run.json"));
}

std::string Scores(const fs::path& bundle) {
  return ReadFile(bundle / "scores" / "test.npy");
}

TEST(Runner, LeavesASealedBundleOfScoresIdsStateAndRecord) {
  ToyEngine toy;
  RunSpec spec = toy.Spec("linear_probe", {{"epochs", std::int64_t{4}}});
  spec.seed = 3;
  ASSERT_EQ(toy.Execute(spec, "a"), kExitDone) << toy.log();
  const fs::path bundle = toy.Bundle("a");
  const RunRecord record = ReadBundle(bundle);
  EXPECT_EQ(record.state, RunState::kDone);
  EXPECT_EQ(record.exit_code, 0);
  ASSERT_EQ(record.scores.size(), 1U);
  EXPECT_EQ(record.scores[0].scale, "logit");
  EXPECT_EQ(record.scores[0].dtype, "float32");
  const NpyArray scores = ReadNpy(bundle / "scores" / "test.npy");
  EXPECT_EQ(scores.shape, (std::vector<std::int64_t>{20, 3}));
  EXPECT_THAT(ReadFile(bundle / "ids.txt"), testing::StartsWith("test-0\n"));
  EXPECT_EQ(record.trained_parameters, 8 * 3 + 3);
  EXPECT_EQ(ToText(record.resolved_options.at("epochs")), "4");
  EXPECT_EQ(record.curves.size(), 8U);  // loss and lr of four epochs
  EXPECT_EQ(record.seeds.at("run"), 3U);
  EXPECT_EQ(record.spec.build, "toy-build");
  EXPECT_EQ(record.environment_fingerprint.size(), 64U);
  ASSERT_EQ(record.phases.size(), 4U);
  EXPECT_EQ(record.phases[3].phase, "predict");
  EXPECT_GT(record.phases[3].peak_rss, 0);
}

TEST(Runner, EveryLineOfTheEventsIsOneObjectWithTimeAndPhase) {
  ToyEngine toy;
  ASSERT_EQ(toy.Execute(toy.Spec("linear_probe"), "a"), kExitDone);
  std::ifstream in(toy.Bundle("a") / "events.jsonl");
  std::vector<std::string> phases;
  double done = 0;
  for (std::string line; std::getline(in, line);) {
    const Json event = ParseJson(line, "event");
    EXPECT_TRUE(event.contains("utc")) << line;
    if (event.at("event") == "phase") {
      phases.push_back(event.at("phase").get<std::string>());
    }
    if (event.at("event") == "progress" && event.at("phase") == "fit") {
      done = event.at("done").get<double>() / event.at("total").get<double>();
      EXPECT_THAT(event.at("note").get<std::string>(), HasSubstr("loss"));
    }
  }
  EXPECT_THAT(phases,
              testing::ElementsAre("open", "features of train",
                                   "features of test", "fit", "predict"));
  EXPECT_EQ(done, 1);
}

TEST(Runner, SameSpecSameBytesAnotherSeedOthers) {
  ToyEngine toy;
  RunSpec spec = toy.Spec("linear_probe");
  spec.place.keep_state = true;
  toy.Execute(spec, "a");
  toy.Execute(spec, "b");
  EXPECT_EQ(Scores(toy.Bundle("a")), Scores(toy.Bundle("b")));
  EXPECT_EQ(ReadFile(toy.Bundle("a") / "state.safetensors"),
            ReadFile(toy.Bundle("b") / "state.safetensors"));
  spec.seed = 1;
  toy.Execute(spec, "c");
  EXPECT_NE(Scores(toy.Bundle("a")), Scores(toy.Bundle("c")));
}

TEST(Runner, ADoneBundleIsLeftAsItIs) {
  ToyEngine toy;
  const RunSpec spec = toy.Spec("label_prior");
  ASSERT_EQ(toy.Execute(spec, "a"), kExitDone);
  const auto before = fs::last_write_time(toy.Bundle("a") / "run.json");
  EXPECT_EQ(toy.Execute(spec, "a"), kExitDone);
  EXPECT_EQ(fs::last_write_time(toy.Bundle("a") / "run.json"), before);
  EXPECT_THAT(toy.log(), HasSubstr("already done"));
}

TEST(Runner, ABudgetStopsWithACheckpointAndTheNextGoesOnToTheSameBytes) {
  ToyEngine toy;
  RunSpec spec = toy.Spec("linear_probe", {{"epochs", std::int64_t{6}}});
  ASSERT_EQ(toy.Execute(spec, "whole"), kExitDone);
  spec.place.stop_after_s = 1e-6;  // each process gets one epoch done
  int legs = 0;
  int code = kExitStopped;
  while (code == kExitStopped && ++legs < 100) {
    code = toy.Execute(spec, "pieces");
    if (code == kExitStopped) {
      EXPECT_FALSE(IsSealed(toy.Bundle("pieces")));
      EXPECT_THAT(RecordOf(toy.Bundle("pieces")).reason,
                  HasSubstr("time budget"));
    }
  }
  EXPECT_EQ(code, kExitDone);
  EXPECT_EQ(legs, 6);
  EXPECT_EQ(Scores(toy.Bundle("pieces")), Scores(toy.Bundle("whole")));
  EXPECT_EQ(ReadBundle(toy.Bundle("pieces")).curves.size(),
            ReadBundle(toy.Bundle("whole")).curves.size());
}

TEST(Runner, ACheckpointOfAnotherRunIsNotContinued) {
  ToyEngine toy;
  RunSpec spec = toy.Spec("linear_probe");
  ASSERT_EQ(toy.Execute(spec, "whole"), kExitDone);
  RunSpec other = spec;
  other.seed = 9;
  other.place.stop_after_s = 1e-6;
  ASSERT_EQ(toy.Execute(other, "mixed"), kExitStopped);
  ASSERT_EQ(toy.Execute(spec, "mixed"), kExitDone);
  EXPECT_THAT(toy.log(), HasSubstr("belongs to another run"));
  EXPECT_EQ(Scores(toy.Bundle("mixed")), Scores(toy.Bundle("whole")));
}

TEST(Runner, ABrokenCheckpointIsSetAside) {
  ToyEngine toy;
  RunSpec spec = toy.Spec("linear_probe");
  spec.place.keep_state = true;
  ASSERT_EQ(toy.Execute(spec, "whole"), kExitDone);
  fs::create_directories(toy.Bundle("torn"));
  const std::string state = ReadFile(toy.Bundle("whole") / "state.safetensors");
  WriteFileAtomic(toy.Bundle("torn") / "state.safetensors",
                  state.substr(0, state.size() / 2));
  WriteFileAtomic(toy.Bundle("torn") / "ids.txt.tmp.123", "half");
  ASSERT_EQ(toy.Execute(spec, "torn"), kExitDone) << toy.log();
  EXPECT_THAT(toy.log(), HasSubstr("starts anew"));
  EXPECT_EQ(Scores(toy.Bundle("torn")), Scores(toy.Bundle("whole")));
  EXPECT_NO_THROW(ReadBundle(toy.Bundle("torn")));
}

TEST(Runner, TheStateStaysOnlyWhenAsked) {
  ToyEngine toy;
  RunSpec spec = toy.Spec("label_prior");
  ASSERT_EQ(toy.Execute(spec, "a"), kExitDone);
  EXPECT_FALSE(fs::exists(toy.Bundle("a") / "state.safetensors"));
  spec.place.keep_state = true;
  ASSERT_EQ(toy.Execute(spec, "b"), kExitDone);
  EXPECT_TRUE(fs::exists(toy.Bundle("b") / "state.safetensors"));
}

class RunnerNeeds : public ::testing::Test {
 protected:
  /// Executes stage 1 without scores into a bundle of its key; its spec.
  RunSpec First(std::int64_t episodes = 0) {
    RunSpec spec = toy_.Spec("staged", {{"stage", std::int64_t{1}}});
    spec.identity.dataset_options["episodes"] = episodes;
    spec.identity.scores = false;
    spec.build = toy_.engine().build.digest;
    spec.place.keep_state = true;
    EXPECT_EQ(toy_.Execute(spec, RunKey(spec)), kExitDone) << toy_.log();
    return spec;
  }
  RunSpec Second(const RunSpec& first) {
    RunSpec spec = toy_.Spec("staged");
    spec.identity.dataset_options = first.identity.dataset_options;
    spec.identity.needs = {{"stage1", RecipeId(first.identity), RunKey(first)}};
    spec.place.bundles = toy_.folder();
    return spec;
  }
  ToyEngine toy_;
};

TEST_F(RunnerNeeds, ATaskWithoutScoresLeavesItsStateAlone) {
  const RunSpec first = First();
  const RunRecord record = ReadBundle(toy_.Bundle(RunKey(first)));
  EXPECT_TRUE(record.scores.empty());
  EXPECT_EQ(record.phases.size(), 3U);
  EXPECT_FALSE(fs::exists(toy_.Bundle(RunKey(first)) / "scores"));
  EXPECT_FALSE(FindState(toy_.folder(), RunKey(first)).empty());
}

TEST_F(RunnerNeeds, AFitIsGivenTheStateOfTheRunItStartsFrom) {
  ASSERT_EQ(toy_.Execute(Second(First()), "two"), kExitDone) << toy_.log();
  // Stage 1 leaves 7, stage 2 adds 1 and scores the sum.
  const NpyArray scores = ReadNpy(toy_.Bundle("two") / "scores/test.npy");
  EXPECT_EQ(scores.As<float>()[0], 8.0F);
}

TEST_F(RunnerNeeds, AnEpisodeIsGivenWhatWasFittedToItsOwnSupport) {
  const RunSpec first = First(3);
  EXPECT_TRUE(ReadBundle(toy_.Bundle(RunKey(first))).scores.empty());
  ASSERT_EQ(toy_.Execute(Second(first), "two"), kExitDone) << toy_.log();
  for (int episode = 1; episode <= 3; ++episode) {
    const NpyArray scores = ReadNpy(
        toy_.Bundle("two") / StrCat("scores/test.episode-", episode, ".npy"));
    EXPECT_EQ(scores.As<float>()[1], 8.0F) << "episode " << episode;
  }
}

TEST_F(RunnerNeeds, AMissingOrForeignStateIsRefusedByRole) {
  const RunSpec first = First();
  RunSpec spec = Second(first);
  spec.identity.needs[0].key = std::string(64, 'a');
  EXPECT_EQ(toy_.Execute(spec, "two"), kExitBadInput);
  EXPECT_THAT(toy_.log(), HasSubstr("starts from stage1, key aaaa"));
  fs::copy(toy_.Bundle(RunKey(first)), toy_.Bundle(std::string(64, 'a')),
           fs::copy_options::recursive);
  EXPECT_EQ(toy_.Execute(spec, "two"), kExitBadInput);
  EXPECT_THAT(toy_.log(), HasSubstr("is the state of run"));
}

TEST_F(RunnerNeeds, ASpecMustNameWhatItsOptionsNeed) {
  RunSpec spec = toy_.Spec("staged");
  EXPECT_EQ(toy_.Execute(spec, "two"), kExitBadInput);
  EXPECT_THAT(toy_.log(), HasSubstr("starts from stage1, the run spec names "
                                    "nothing"));
}

TEST_F(RunnerNeeds, AChangedStateIsRefused) {
  const RunSpec first = First();
  std::ofstream(toy_.Bundle(RunKey(first)) / "state.safetensors", std::ios::app)
      << "x";
  EXPECT_EQ(toy_.Execute(Second(first), "two"), kExitBadInput);
  EXPECT_THAT(toy_.log(), HasSubstr("SHA-256"));
}

TEST(Runner, NanScoresFailWithRowAndClass) {
  ToyEngine toy;
  EXPECT_EQ(toy.Execute(toy.Spec("nan_scores"), "a"), kExitFailed);
  EXPECT_FALSE(IsSealed(toy.Bundle("a")));
  const RunRecord record = RecordOf(toy.Bundle("a"));
  EXPECT_EQ(record.state, RunState::kFailed);
  EXPECT_EQ(record.exit_code, kExitFailed);
  EXPECT_THAT(record.reason, AllOf(HasSubstr("nan for row 17 ('test-17')"),
                                   HasSubstr("class 2 ('thing2')")));
}

TEST(Runner, TheRecordSaysWhatTypeTheFileOfScoresHas) {
  ToyEngine toy;
  ASSERT_EQ(toy.Execute(toy.Spec("bfloat16_scores"), "a"), kExitDone)
      << toy.log();
  const RunRecord record = ReadBundle(toy.Bundle("a"));
  const NpyArray scores = ReadNpy(toy.Bundle("a") / record.scores[0].path);
  EXPECT_EQ(record.scores[0].dtype, NameOf(scores.dtype));
}

TEST(Runner, WhatAMethodDoesWrongIsRecordedInWords) {
  ToyEngine toy;
  for (const auto& [method, reason] :
       {std::pair{"wrong_shape", "shape [20, 2], expected [20, 3]"},
        {"nan_loss", "curve 'loss' is nan after epoch 2 of 9"},
        {"throws", "mat1 and mat2"},
        {"out_of_memory", "out of memory"}}) {
    EXPECT_EQ(toy.Execute(toy.Spec(method), method), kExitFailed);
    const RunRecord record = RecordOf(toy.Bundle(method));
    EXPECT_THAT(record.reason, HasSubstr(reason));
    EXPECT_EQ(record.state, std::string(method) == "out_of_memory"
                                ? RunState::kOom
                                : RunState::kFailed);
  }
}

TEST(Runner, WhatTheSpecSaysOfTheDataMustBeTrue) {
  ToyEngine toy;
  const std::string wrong(64, '0');
  const auto refused = [&](const RunSpec& spec, const std::string& words) {
    EXPECT_EQ(toy.Execute(spec, "a"), kExitBadInput) << words;
    EXPECT_THAT(toy.log(), HasSubstr(words));
    EXPECT_THAT(RecordOf(toy.Bundle("a")).reason, HasSubstr(words));
  };
  const RunSpec good = toy.Spec("linear_probe");
  RunSpec spec = good;
  spec.identity.manifest_sha256 = wrong;
  refused(spec, "manifest: SHA-256 is toy-manifest");
  spec = good;
  spec.identity.train_list_sha256 = wrong;
  refused(spec, "training list: SHA-256 is");
  spec = good;
  spec.identity.weights_sha256 = wrong;
  refused(spec, "not the weights it was planned for");
  spec = good;
  spec.place.weights = toy.folder() / "gone";
  refused(spec, "gone: no such weights");
  spec = good;
  spec.place.weights = "";
  refused(spec, "needs an encoder");
  spec = good;
  spec.identity.method_version = 99;
  refused(spec, "the run spec says 99");
  spec = good;
  spec.identity.method = "linear_prob";
  refused(spec, "did you mean 'linear_probe'?");
  spec = good;
  spec.identity.dataset = "toi";
  refused(spec, "did you mean 'toy'?");
  spec = good;
  spec.build = wrong;
  refused(spec, "this worker is build toy-build");
  spec = good;
  spec.identity.precision = "fp8";
  refused(spec, "precision");
  spec = good;
  spec.identity.pipeline = "as-is8";
  refused(spec, "as-is8");
  spec = good;
  spec.identity.selection = "best_on_tests";
  refused(spec, "best_on_test");
}

TEST(Runner, UnknownLabelsGoOnlyToMethodsThatHonourThem) {
  ToyEngine toy;
  RunSpec spec = toy.Spec("pixel_mean");
  spec.identity.dataset_options["hidden"] = true;
  EXPECT_EQ(toy.Execute(spec, "a"), kExitBadInput);
  EXPECT_THAT(toy.log(), HasSubstr("some training labels"));
  spec = toy.Spec("linear_probe");
  spec.identity.dataset_options["hidden"] = true;
  EXPECT_EQ(toy.Execute(spec, "b"), kExitDone) << toy.log();
}

TEST(Runner, ABrokenPictureIsNamed) {
  ToyEngine toy;
  RunSpec spec = toy.Spec("linear_probe");
  spec.identity.dataset_options["broken_row"] = std::int64_t{31};
  EXPECT_EQ(toy.Execute(spec, "a"), kExitBadInput);
  EXPECT_THAT(toy.log(), HasSubstr("train-31: not a picture"));
}

TEST(Runner, ALimitTakesTheFirstRowsOfEachSplit) {
  ToyEngine toy;
  RunSpec spec = toy.Spec("label_prior");
  spec.identity.limit = 5;
  ASSERT_EQ(toy.Execute(spec, "a"), kExitDone) << toy.log();
  EXPECT_EQ(ReadNpy(toy.Bundle("a") / "scores" / "test.npy").shape[0], 5);
  EXPECT_EQ(ReadFile(toy.Bundle("a") / "ids.txt"),
            "test-0\ntest-1\ntest-2\ntest-3\ntest-4\n");
}

TEST(Runner, AMethodOfImagesSeesTheSamePixelsWithOneThreadAndThree) {
  ToyEngine toy;
  RunSpec spec = toy.Spec("pixel_mean");
  ASSERT_EQ(toy.Execute(spec, "a"), kExitDone) << toy.log();
  // Threads of the loader only: LibTorch's would move bits of its own.
  spec.place.threads = 3;
  ASSERT_EQ(toy.Execute(spec, "b"), kExitDone) << toy.log();
  EXPECT_EQ(Scores(toy.Bundle("a")), Scores(toy.Bundle("b")));
}

TEST(Runner, ABundleInOtherHandsIsRefused) {
  ToyEngine toy;
  fs::create_directories(toy.Bundle("a"));
  const int fd = open(toy.Bundle("a").c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(toy.Execute(toy.Spec("label_prior"), "a"), kExitDisk);
  EXPECT_THAT(toy.log(), HasSubstr("another worker"));
  close(fd);
  EXPECT_EQ(toy.Execute(toy.Spec("label_prior"), "a"), kExitDone);
}

TEST(Runner, AnUnwritableBundleIsADiskError) {
  ToyEngine toy;
  WriteFileAtomic(toy.folder() / "file", "");
  EXPECT_EQ(toy.Execute(toy.Spec("label_prior"), "file/a"), kExitDisk);
}

}  // namespace
}  // namespace tailmark
