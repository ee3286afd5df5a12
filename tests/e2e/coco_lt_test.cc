// COCO-LT from a server to the report, all 6,909 images of it, small and made
// up; nano-CLIP. `tests/bench/coco_lt_run.cc` is the same at full size.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/e2e/coco_lt_stand_in.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

// One test: its steps need what those before them left, and 6,909 files are not
// made twice.
TEST(CocoLt, FromAServerToTheReportWithEachImageEncodedOnce) {
  // All are fetched, few encoded.
  const std::vector<std::string> few = {"--limit", "128"};
  // Its workers have two threads each: on busy cores they would spin.
  SetEnv("OMP_WAIT_POLICY", "PASSIVE");
  const ScratchFolder scratch;
  CocoLtStandIn stand_in(scratch.path(), 64);
  const Program& tailmark = stand_in.tailmark();
  const Said before = tailmark({"run", "zero-shot", "--only", "dataset=coco-lt",
                                "--only", "method=hpdval"});
  EXPECT_EQ(before.code, 4);
  EXPECT_THAT(before.out + before.err,
              HasSubstr("tailmark data fetch coco-lt"));

  const Said fetched = stand_in.Fetch();
  ASSERT_EQ(fetched.code, 0) << fetched.err;
  EXPECT_EQ(fetched.json().at("got"), CocoLtStandIn::kImages);
  // Cut off, refused and answered wrongly at first: asked again.
  EXPECT_GT(stand_in.requests(), CocoLtStandIn::kImages + 100);
  const Said verified = tailmark({"data", "verify", "coco-lt", "--json"});
  EXPECT_EQ(verified.code, 0) << verified.err;
  EXPECT_TRUE(verified.json().at("good").get<bool>());

  const auto first = stand_in.Run("zero_shot_clip-hpdval", few);
  ASSERT_EQ(first.said.code, 0) << first.said.err;
  EXPECT_EQ(first.run.at("state"), "done");
  EXPECT_FALSE(first.cached);

  const auto again =
      stand_in.Run("zero_shot_clip-hpdval", {"--limit", "128", "--force"});
  ASSERT_EQ(again.said.code, 0) << again.said.err;
  EXPECT_TRUE(again.cached);
  EXPECT_EQ(again.scores, first.scores);
  // Other texts and another way of scoring: the same images.
  const auto other_texts = stand_in.Run("plain", few);
  ASSERT_EQ(other_texts.said.code, 0) << other_texts.said.err;
  EXPECT_TRUE(other_texts.cached);
  EXPECT_NE(other_texts.scores, first.scores);
  // Another pipeline and another picture: others.
  const auto squashed =
      stand_in.Run("zero_shot_clip-hpdval",
                   {"--limit", "128", "--set", "pipeline=squash-48"});
  ASSERT_EQ(squashed.said.code, 0) << squashed.said.err;
  EXPECT_FALSE(squashed.cached);
  // HP-DVAL's dry run, two steps of each stage on eight training images.
  const Said dry = tailmark({"run", "hp-dval-dry-run", "--json", "--limit", "8",
                             "--set", "hp_dval.batch_size=4"});
  ASSERT_EQ(dry.code, 0) << dry.err;
  ASSERT_EQ(dry.json().at("runs").size(), 2u);
  for (const Json& run : dry.json().at("runs")) {
    EXPECT_EQ(run.at("state"), "done");
    const std::string key = run.at("key");
    const Json record =
        ReadJson(tailmark.store() / "bundles" / key / "run.json");
    for (const Json& phase : record.at("phases")) {
      EXPECT_GT(phase.at("peak_rss"), 0) << run << phase;
    }
  }
  stand_in.ChangeTestImage(7);
  const auto changed = stand_in.Run("zero_shot_clip-hpdval", few);
  ASSERT_EQ(changed.said.code, 0) << changed.said.err;
  EXPECT_FALSE(changed.cached);
  EXPECT_NE(changed.run.at("key"), first.run.at("key"));
  const Said wrong = tailmark({"data", "verify", "coco-lt", "--json"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_EQ(wrong.json().at("problems").size(), 1u);

  const Said report =
      tailmark({"report", "-f", "html,md,tex,csv,json", "-o", "report"});
  ASSERT_EQ(report.code, 0) << report.err;
  const std::string text = ReadFile(scratch.path() / "report/report.md");
  EXPECT_THAT(text, HasSubstr("coco-lt"));
  // Of 128 images: said, and kept apart from whole results.
  EXPECT_THAT(text, HasSubstr("Zero-shot CLIP, hpdval [partial]"));
  for (const char* name : {"html", "tex", "csv", "json"}) {
    EXPECT_TRUE(
        fs::exists(scratch.path() / "report" / StrCat("report.", name)));
  }
}

}  // namespace
}  // namespace tailmark
