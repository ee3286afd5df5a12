#include "harness/launch/task_numbers.h"

#include <gtest/gtest.h>

#include <map>

#include "harness/base/error.h"

namespace tailmark {
namespace {

using Numbers = std::vector<std::size_t>;

Numbers Of(const std::string& text,
           const std::map<std::string, std::string>& env = {}) {
  return TaskNumbers(text, 9,
                     [&](std::string_view name) -> std::optional<std::string> {
                       const auto it = env.find(std::string(name));
                       if (it == env.end()) return std::nullopt;
                       return it->second;
                     });
}

TEST(TaskNumbers, AreOneOrAListOrARange) {
  EXPECT_EQ(Of("3"), Numbers({3}));
  EXPECT_EQ(Of("7,0"), Numbers({7, 0}));
  EXPECT_EQ(Of("2-4,8"), Numbers({2, 3, 4, 8}));
}

TEST(TaskNumbers, OfEveryEngineAreRecognised) {
  for (const char* name :
       {"SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "PBS_ARRAY_INDEX",
        "PBS_ARRAYID", "CONDOR_PROCNO", "_CONDOR_PROCNO"}) {
    EXPECT_EQ(Of("auto", {{name, "4"}}), Numbers({4})) << name;
  }
}

TEST(TaskNumbers, OfEnginesThatCountFromOneAreShifted) {
  EXPECT_EQ(Of("auto", {{"SGE_TASK_ID", "1"}}), Numbers({0}));
  EXPECT_EQ(Of("auto", {{"LSB_JOBINDEX", "9"}}), Numbers({8}));
  EXPECT_THROW(Of("auto", {{"SGE_TASK_ID", "0"}}), ConfigError);
}

TEST(TaskNumbers, OutsideOfAnArraySayNothing) {
  EXPECT_EQ(Of("auto", {{"SGE_TASK_ID", "undefined"}, {"PBS_ARRAYID", "2"}}),
            Numbers({2}));
  EXPECT_THROW(Of("auto", {{"LSB_JOBINDEX", "0"}}), ConfigError);
}

TEST(TaskNumbers, ThatAreWrongAreRefusedWithWhatIsAllowed) {
  for (const char* text : {"", "x", "-1", "3-", "4-2", "1,,2", "9", "5-9"}) {
    EXPECT_THROW(Of(text), ConfigError) << text;
  }
  try {
    Of("auto");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("JOB_COMPLETION_INDEX"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace tailmark
