// Which epoch counts: last, validation, best_on_test; schedules driven by test
// scores; budgets; episodes. All also when stopped and resumed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/npy.h"
#include "harness/launch/feedback_server.h"
#include "harness/record/bundle.h"
#include "tests/run/toy_engine.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using toys::ToyEngine;

class Selection : public ::testing::Test {
 protected:
  RunSpec Spec(const std::string& selection, double validation = 0) const {
    RunSpec spec = toy_.Spec("linear_probe", {{"epochs", std::int64_t{5}}});
    spec.identity.selection = selection;
    spec.identity.validation = validation;
    return spec;
  }
  /// Executes until it is done, an epoch at a time; in how many goes.
  int InPieces(RunSpec spec, const std::string& name, int feedback = -1) {
    spec.place.stop_after_epochs = 1;
    int goes = 1;
    while (toy_.Execute(spec, name, 0, feedback) == kExitStopped) {
      if (++goes > 100) break;
    }
    EXPECT_TRUE(IsSealed(toy_.Bundle(name))) << toy_.log();
    return goes;
  }
  /// Bytes of every score matrix, by name.
  std::map<std::string, std::string> Scores(const std::string& name) const {
    std::map<std::string, std::string> all;
    for (const ScoreFile& file : ReadBundle(toy_.Bundle(name)).scores) {
      all[file.split] = ReadFile(toy_.Bundle(name) / file.path);
    }
    return all;
  }
  std::vector<std::pair<std::int64_t, double>> Curve(
      const std::string& bundle, const std::string& name) const {
    std::vector<std::pair<std::int64_t, double>> points;
    for (const CurvePoint& point : ReadBundle(toy_.Bundle(bundle)).curves) {
      if (point.name == name) points.emplace_back(point.step, point.value);
    }
    return points;
  }
  ToyEngine toy_;
};

TEST_F(Selection, ValidationScoresTheEpochThatWasBestOnTheHeldOutImages) {
  const RunSpec spec = Spec("validation", 0.25);
  ASSERT_EQ(toy_.Execute(spec, "a"), kExitDone) << toy_.log();
  const auto values = Curve("a", "validation_map");
  const auto selected = Curve("a", "selected");
  ASSERT_EQ(values.size(), 5u);
  ASSERT_EQ(selected.size(), 1u);
  const std::int64_t best = selected[0].first;
  for (const auto& [epoch, value] : values) {
    const double chosen = values[static_cast<std::size_t>(best - 1)].second;
    EXPECT_LE(value, chosen);
    if (epoch < best) {
      EXPECT_LT(value, chosen);
    }
  }
  // The same fit, with the scores of every epoch.
  ASSERT_EQ(toy_.Execute(Spec("best_on_test", 0.25), "b"), kExitDone);
  EXPECT_EQ(Scores("a").at("test"),
            Scores("b").at("test.epoch-" + std::to_string(best)));
}

TEST_F(Selection, HeldOutImagesAreNotTrainedOn) {
  ASSERT_EQ(toy_.Execute(Spec("last"), "all"), kExitDone);
  ASSERT_EQ(toy_.Execute(Spec("last", 0.25), "some"), kExitDone);
  EXPECT_NE(Scores("all").at("test"), Scores("some").at("test"));
  EXPECT_TRUE(Curve("some", "selected").empty());
  EXPECT_EQ(Curve("some", "validation_map").size(), 5u);
}

TEST_F(Selection, BestOnTestLeavesTheScoresOfEveryEpochAndOfTheLast) {
  ASSERT_EQ(toy_.Execute(Spec("best_on_test"), "a"), kExitDone);
  const auto scores = Scores("a");
  ASSERT_EQ(scores.size(), 6u);
  EXPECT_EQ(scores.at("test.epoch-5"), scores.at("test"));
  EXPECT_NE(scores.at("test.epoch-1"), scores.at("test"));
  ASSERT_EQ(toy_.Execute(Spec("last"), "b"), kExitDone);
  EXPECT_EQ(scores.at("test"), Scores("b").at("test"));
}

TEST_F(Selection, StopAndResumeEqualsNeverStoppedUnderEveryRule) {
  for (const auto& [rule, held] :
       {std::pair{"last", 0.0}, {"validation", 0.25}, {"best_on_test", 0.0}}) {
    RunSpec spec = Spec(rule, held);
    spec.place.keep_state = true;
    const std::string whole = std::string("whole-") + rule;
    const std::string pieces = std::string("pieces-") + rule;
    ASSERT_EQ(toy_.Execute(spec, whole), kExitDone) << toy_.log();
    EXPECT_EQ(InPieces(spec, pieces), 5) << rule;
    EXPECT_EQ(Scores(pieces), Scores(whole)) << rule;
    EXPECT_EQ(ReadFile(toy_.Bundle(pieces) / "state.safetensors"),
              ReadFile(toy_.Bundle(whole) / "state.safetensors"))
        << rule;
  }
}

TEST_F(Selection, AMethodOfImagesHoldsOutAlike) {
  RunSpec spec = toy_.Spec("pixel_mean");
  spec.identity.selection = "validation";
  spec.identity.validation = 0.25;
  ASSERT_EQ(toy_.Execute(spec, "whole"), kExitDone) << toy_.log();
  InPieces(spec, "pieces");
  EXPECT_EQ(Scores("pieces"), Scores("whole"));
}

TEST_F(Selection, RulesThatCannotBeFollowedAreRefused) {
  const auto refused = [&](const RunSpec& spec, const std::string& why) {
    EXPECT_EQ(toy_.Execute(spec, "a"), kExitBadInput);
    EXPECT_THAT(toy_.log(), HasSubstr(why));
  };
  refused(Spec("best_on_tset"), "did you mean 'best_on_test'?");
  refused(Spec("validation"), "needs held-out images");
  refused(Spec("validation", 0.9), "outside [0, 0.5]");
}

TEST_F(Selection, AStepBudgetEndsItWithTheEpoch) {
  RunSpec spec = Spec("last");
  spec.place.stop_after_steps = 1;
  EXPECT_EQ(toy_.Execute(spec, "a"), kExitStopped);
  EXPECT_THAT(toy_.log(), HasSubstr("step budget"));
}

/// Answers 1, 2, 3, ... in a thread while it lives.
class Answering {
 public:
  explicit Answering(const fs::path& bundle)
      : server_(bundle,
                [this](const fs::path& scores) {
                  shape = ReadNpy(scores).shape;
                  return static_cast<double>(++asked);
                }),
        thread_([this] {
          while (!over_) {
            server_.Serve();
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
          }
        }) {}
  ~Answering() {
    over_ = true;
    thread_.join();
  }
  int descriptor() const { return server_.worker_descriptor(); }

  std::vector<std::int64_t> shape;
  std::atomic<int> asked{0};

 private:
  std::atomic<bool> over_{false};
  FeedbackServer server_;
  std::thread thread_;
};

TEST_F(Selection, AScheduleThatAsksForTestScoresIsAnswered) {
  fs::create_directories(toy_.Bundle("a"));
  Answering answering(toy_.Bundle("a"));
  ASSERT_EQ(toy_.Execute(toy_.Spec("driven"), "a", 5.0, answering.descriptor()),
            kExitDone)
      << toy_.log();
  EXPECT_EQ(answering.asked, 3);
  EXPECT_EQ(answering.shape, (std::vector<std::int64_t>{20, 3}));
  EXPECT_EQ(ReadNpy(toy_.Bundle("a") / "scores/test.npy").As<float>()[0], 6.0F);
  const std::string notes = ReadFile(toy_.Bundle("a") / "feedback.jsonl");
  EXPECT_EQ(std::count(notes.begin(), notes.end(), '\n'), 3);
  EXPECT_FALSE(fs::exists(toy_.Bundle("a") / "scores/test.feedback.npy"));
}

TEST_F(Selection, AnAnswerIsNotAskedForAgainAfterAStop) {
  fs::create_directories(toy_.Bundle("a"));
  Answering answering(toy_.Bundle("a"));
  EXPECT_EQ(InPieces(toy_.Spec("driven"), "a", answering.descriptor()), 3);
  EXPECT_EQ(answering.asked, 3);
  EXPECT_EQ(ReadNpy(toy_.Bundle("a") / "scores/test.npy").As<float>()[0], 6.0F);
}

TEST_F(Selection, WithoutAnybodyToAnswerSuchARunIsRefusedBeforeItStarts) {
  EXPECT_EQ(toy_.Execute(toy_.Spec("driven"), "a"), kExitBadInput);
  EXPECT_THAT(toy_.log(), HasSubstr("a worker started by hand knows no test "
                                    "label"));
  EXPECT_FALSE(fs::exists(toy_.Bundle("a") / "state.safetensors"));
}

TEST_F(Selection, OneRunCoversAllEpisodesAndScoresTheNovelClasses) {
  RunSpec spec = toy_.Spec("linear_probe", {{"epochs", std::int64_t{3}}});
  spec.identity.dataset_options["episodes"] = std::int64_t{3};
  ASSERT_EQ(toy_.Execute(spec, "whole"), kExitDone) << toy_.log();
  const auto scores = Scores("whole");
  ASSERT_EQ(scores.size(), 3u);
  EXPECT_NE(scores.at("test.episode-1"), scores.at("test.episode-2"));
  const NpyArray first =
      ReadNpy(toy_.Bundle("whole") / "scores/test.episode-1.npy");
  EXPECT_EQ(first.shape, (std::vector<std::int64_t>{20, 3}));
  for (std::size_t row = 0; row < 20; ++row) {
    EXPECT_EQ(first.As<float>()[row * 3], 0.0F);  // the base class
    EXPECT_NE(first.As<float>()[row * 3 + 1], 0.0F);
  }
  EXPECT_EQ(Curve("whole", "episode-3/loss").size(), 3u);
}

TEST_F(Selection, EpisodesStoppedAndResumedGiveTheSameBytes) {
  for (const auto& [method, rule] : {std::pair{"linear_probe", "last"},
                                     {"from_base", "last"},
                                     {"linear_probe", "best_on_test"},
                                     {"from_base", "best_on_test"}}) {
    RunSpec spec = toy_.Spec(method);
    spec.identity.selection = rule;
    if (spec.identity.method_options.contains("epochs")) {
      spec.identity.method_options["epochs"] = std::int64_t{2};
    }
    spec.identity.dataset_options["episodes"] = std::int64_t{3};
    const std::string whole = StrCat("whole-", method, rule);
    const std::string pieces = StrCat("pieces-", method, rule);
    ASSERT_EQ(toy_.Execute(spec, whole), kExitDone) << toy_.log();
    InPieces(spec, pieces);
    EXPECT_EQ(Scores(pieces), Scores(whole)) << method << ", " << rule;
    EXPECT_EQ(ReadBundle(toy_.Bundle(pieces)).curves.size(),
              ReadBundle(toy_.Bundle(whole)).curves.size());
  }
}

TEST_F(Selection, AnEpisodeDoesNotHangOnTheOnesBeforeIt) {
  RunSpec spec = toy_.Spec("linear_probe");
  spec.identity.dataset_options["episodes"] = std::int64_t{1};
  ASSERT_EQ(toy_.Execute(spec, "one"), kExitDone);
  spec.identity.dataset_options["episodes"] = std::int64_t{2};
  ASSERT_EQ(toy_.Execute(spec, "two"), kExitDone);
  EXPECT_EQ(Scores("one").at("test.episode-1"),
            Scores("two").at("test.episode-1"));
}

TEST_F(Selection, EpisodesStartFromTheBaseFitWhenTheMethodAsks) {
  RunSpec spec = toy_.Spec("from_base");
  spec.identity.dataset_options["episodes"] = std::int64_t{2};
  ASSERT_EQ(toy_.Execute(spec, "a"), kExitDone) << toy_.log();
  const NpyArray scores =
      ReadNpy(toy_.Bundle("a") / "scores/test.episode-2.npy");
  // One base class, two novel ones.
  EXPECT_EQ(scores.As<float>()[1], 102.0F);
  EXPECT_FALSE(fs::exists(toy_.Bundle("a") / "base.safetensors"));
}

TEST_F(Selection, EpisodesHaveNoImageToSpareForValidation) {
  for (const auto& [rule, held] : {std::pair{"validation", 0.25},
                                   {"last", 0.25},
                                   {"best_on_test", 0.25}}) {
    RunSpec spec = Spec(rule, held);
    spec.identity.dataset_options["episodes"] = std::int64_t{2};
    EXPECT_EQ(toy_.Execute(spec, "a"), kExitBadInput) << rule;
    EXPECT_THAT(toy_.log(), HasSubstr("have no image to spare for validation"));
  }
}

TEST_F(Selection, BestOnTestLeavesTheScoresOfEveryEpochOfEachEpisode) {
  for (const char* method : {"linear_probe", "from_base"}) {
    RunSpec spec = toy_.Spec(method);
    std::int64_t epochs = 1;
    if (spec.identity.method_options.contains("epochs")) {
      spec.identity.method_options["epochs"] = epochs = 3;
    }
    spec.identity.dataset_options["episodes"] = std::int64_t{2};
    const std::string name = method;
    ASSERT_EQ(toy_.Execute(spec, "last-" + name), kExitDone) << toy_.log();
    spec.identity.selection = "best_on_test";
    ASSERT_EQ(toy_.Execute(spec, "best-" + name), kExitDone) << toy_.log();
    const auto last = Scores("last-" + name);
    const auto best = Scores("best-" + name);
    // No look at the query while the base classes are fitted.
    EXPECT_EQ(best.size(), static_cast<std::size_t>(2 * (epochs + 1)));
    for (const char* episode : {"episode-1", "episode-2"}) {
      const std::string whole = StrCat("test.", episode);
      EXPECT_EQ(best.at(whole), last.at(whole)) << method;
      EXPECT_EQ(best.at(StrCat("test.epoch-", epochs, ".", episode)),
                best.at(whole));
    }
    if (epochs == 1) continue;
    EXPECT_NE(best.at("test.epoch-1.episode-1"), best.at("test.episode-1"));
    EXPECT_NE(best.at("test.epoch-1.episode-1"),
              best.at("test.epoch-1.episode-2"));
  }
}

TEST_F(Selection, OnlyEverySoManyEpochsAndTheLastAreCandidates) {
  RunSpec spec = Spec("best_on_test");
  spec.identity.selection_every = 2;
  ASSERT_EQ(toy_.Execute(spec, "a"), kExitDone) << toy_.log();
  std::vector<std::string> names;
  for (const auto& [name, bytes] : Scores("a")) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"test", "test.epoch-2",
                                             "test.epoch-4", "test.epoch-5"}));
  EXPECT_EQ(InPieces(spec, "pieces"), 5);
  EXPECT_EQ(Scores("pieces"), Scores("a"));
  spec.identity.selection = "last";
  EXPECT_EQ(toy_.Execute(spec, "b"), kExitBadInput);
  EXPECT_THAT(toy_.log(), HasSubstr("selection_every = 2: at least 1, and 1"));
}

}  // namespace
}  // namespace tailmark
