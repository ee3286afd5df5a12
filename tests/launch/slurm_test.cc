#include "harness/launch/slurm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/launch/sample_plan.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
using ::testing::HasSubstr;
using ::testing::Not;

Plan SeedsPlan(int seeds, std::optional<double> estimate = {}) {
  Recipe recipe = SampleRecipe();
  MethodUse use{.use = "prior", .name = "prior"};
  for (int i = 0; i < seeds; ++i) use.seeds.push_back(i);
  recipe.methods = {use};
  Plan plan = MakeSamplePlan(recipe);
  for (PlanTask& task : plan.tasks) task.estimate_s = estimate;
  return plan;
}

SlurmOptions UsualOptions() {
  return {.name = "tailmark-c",
          .folder = "/s/slurm/c",
          .program = "/opt/tail mark/tailmark",
          .store = "/s"};
}

TEST(Slurm, AnArrayIsNoLargerThanTheClusterAllows) {
  SlurmOptions options = UsualOptions();
  options.max_array_size = 4;
  const auto scripts = SlurmScripts(SeedsPlan(10), options);
  ASSERT_EQ(scripts.size(), 4u);
  EXPECT_THAT(scripts[0].text, HasSubstr("--array=0-3%16\n"));
  EXPECT_THAT(scripts[2].text, HasSubstr("--array=0-1%16\n"));
  EXPECT_THAT(scripts[2].text, HasSubstr("(\n  8 9\n)"));
  EXPECT_EQ(scripts[3].name, "merge.sbatch");
  EXPECT_EQ(scripts[3].stage, 1);
}

TEST(Slurm, SmallTasksShareAnElementAndUnknownOnesDoNot) {
  const auto small = SlurmScripts(SeedsPlan(10, 100.0), UsualOptions());
  EXPECT_THAT(small[0].text, HasSubstr("(\n  0,1,2 3,4,5 6,7,8 9\n)"));
  const auto large = SlurmScripts(SeedsPlan(2, 400.0), UsualOptions());
  EXPECT_THAT(large[0].text, HasSubstr("(\n  0 1\n)"));
}

TEST(Slurm, SmallTasksThatShareFeaturesShareAnElement) {
  Plan plan = SeedsPlan(6, 100.0);
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    plan.tasks[i].spec.identity.weights_sha256 = i % 2 == 0 ? "a" : "b";
  }
  EXPECT_THAT(SlurmScripts(plan, UsualOptions())[0].text,
              HasSubstr("(\n  0,2,4 1,3,5\n)"));
}

TEST(Slurm, WhatStartsFromOthersComesInALaterStage) {
  Recipe recipe = SampleRecipe();
  MethodUse use{.use = "staged", .name = "staged", .seeds = {0}};
  use.options["teachers"] = {3, {"test", {}}};
  recipe.methods = {use};
  const auto scripts = SlurmScripts(MakeSamplePlan(recipe), UsualOptions());
  ASSERT_EQ(scripts.size(), 4u);
  EXPECT_THAT(scripts[0].text, HasSubstr("--array=0-0%"));
  EXPECT_THAT(scripts[1].text, HasSubstr("--array=0-2%"));
  EXPECT_THAT(scripts[2].text, HasSubstr("--array=0-0%"));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(scripts[static_cast<std::size_t>(i)].stage, i);
  }
}

TEST(Slurm, AnElementStopsItselfBeforeTheLimitAndIsRequeued) {
  SlurmOptions options = UsualOptions();
  options.wall_s = 3600;
  options.grace_s = 120;
  const std::string text = SlurmScripts(SeedsPlan(1), options)[0].text;
  for (const char* part :
       {"#SBATCH --time=0-01:00:00\n", "--stop-after 3480s",
        "#SBATCH --requeue", "#SBATCH --open-mode=append",
        "--signal=B:USR1@60\n", "'/opt/tail mark/tailmark' worker",
        "scontrol requeue \"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}\""}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  options.wall_s = 200;
  EXPECT_THROW(SlurmScripts(SeedsPlan(1), options), ConfigError);
}

TEST(Slurm, DirectivesOfTheSiteStandBeforeItsCommands) {
  SlurmOptions options = UsualOptions();
  options.site_lines = {"module load cuda", "#SBATCH --account=x"};
  const std::string text = SlurmScripts(SeedsPlan(1), options)[0].text;
  EXPECT_THAT(text, HasSubstr("#SBATCH --account=x\nmodule load cuda\nset -u"));
  EXPECT_LT(text.rfind("#SBATCH"), text.find("module load"));
  EXPECT_THAT(text, Not(HasSubstr("--partition")));
}

TEST(Slurm, WhatIsDoneIsNotSubmitted) {
  Plan plan = SeedsPlan(3);
  plan.tasks[1].state = RunState::kDone;
  EXPECT_THAT(SlurmScripts(plan, UsualOptions())[0].text,
              HasSubstr("(\n  0 2\n)"));
  plan.tasks[0].state = plan.tasks[2].state = RunState::kDone;
  EXPECT_TRUE(SlurmScripts(plan, UsualOptions()).empty());
}

TEST(Slurm, EveryScriptIsRightForBash) {
  const ScratchFolder scratch;
  for (const SlurmScript& script :
       SlurmScripts(SeedsPlan(20), UsualOptions())) {
    const auto path = scratch.path() / script.name;
    WriteFileAtomic(path, script.text);
    EXPECT_EQ(std::system(("bash -n " + path.string()).c_str()), 0);
  }
}

TEST(Slurm, TheLargestArrayIsReadFromItsConfiguration) {
  EXPECT_EQ(MaxArraySizeIn("A = 1\nMaxArraySize            = 75\n"), 75);
  EXPECT_EQ(MaxArraySizeIn(""), 1001);
  EXPECT_EQ(MaxArraySizeIn("MaxArraySize = (null)"), 1001);
}

}  // namespace
}  // namespace tailmark
