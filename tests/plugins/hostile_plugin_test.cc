// A hostile method under `plugin check`, and files that are not loaded.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/files.h"
#include "tests/plugins/hostile_program.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

class HostilePlugin : public ::testing::Test, protected HostileProgram {
 protected:
  /// What `plugin check` says of each promise.
  Json Checked(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"plugin", "check", Use(), "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const Said said = program(words);
    EXPECT_EQ(said.code, 1) << said.err;
    return ParseJson(said.out, "plugin check")[0]["checks"];
  }
};

TEST_F(HostilePlugin, AnEarlierPromiseIsNotToBlameForABrokenOne) {
  const Json fresh = Checked();
  // It crashes in the company of others, and does not alone.
  program.environment["TM_TEST_MOST_FITS"] = "8";
  EXPECT_EQ(Checked(), fresh);
}

TEST_F(HostilePlugin, APromiseThatCrashesIsNamedAndTheNextIsAsked) {
  program.environment["TM_TEST_MOST_FITS"] = "0";
  const Json said = Checked({"--only", "RefusesAnOptionItDoesNotHave", "--only",
                             "WorksWithOneClass", "--only", "WorksWithOneImage",
                             "--only", "EveryPresetCanBeMade"});
  ASSERT_EQ(said.size(), 4u) << said;
  for (const Json& each : said) {
    const bool fits = each["check"].get<std::string>().starts_with("Works");
    EXPECT_EQ(each["outcome"], fits ? "broken" : "kept") << each;
    if (fits) {
      EXPECT_THAT(each["detail"].get<std::string>(),
                  HasSubstr("it crashed: signal 11"));
    }
  }
}

TEST_F(HostilePlugin, NoneOfItsCodeRunsWhenItsStampDoesNotFit) {
  program.environment["TM_TEST_LOADED"] = "1";
  const fs::path fits = folder() / "fits.so", other = folder() / "other.so";
  std::string bytes = ReadFile(fs::path(TM_PLUGIN_DIR) / "libhostile.so");
  WriteFileAtomic(fits, bytes);
  bytes.replace(bytes.find("\"build_type\":\"") + 14, 2, "xx");
  WriteFileAtomic(other, bytes);
  WriteRecipe({{{"use", "plugin:" + fits.string()}},
               {{"use", "plugin:" + other.string()}}});
  const Said said = RunAll();
  const Json runs = said.json()["runs"];
  ASSERT_EQ(runs.size(), 3u) << said.err;
  EXPECT_THAT(runs[1]["reason"].get<std::string>(), HasSubstr("86"));
  EXPECT_THAT(runs[2]["reason"].get<std::string>(),
              HasSubstr("the build type differ"));
}

TEST_F(HostilePlugin, WhatCannotBeLoadedIsARowToo) {
  const fs::path stamp = folder() / "stamp.so", bare = folder() / "bare.so";
  std::string bytes = ReadFile(fs::path(TM_PLUGIN_DIR) / "libhostile.so");
  const auto at = bytes.find("\"build_type\":\"");
  ASSERT_NE(at, bytes.npos);
  std::string other = bytes;
  other.replace(at + 14, 2, "xx");
  WriteFileAtomic(stamp, other);
  // The symbol by another name, wherever it stands.
  const std::string name = "tailmark_plugin_register";
  for (auto found = bytes.find(name); found != bytes.npos;
       found = bytes.find(name)) {
    bytes[found] = 'x';
  }
  WriteFileAtomic(bare, bytes);
  WriteRecipe({{{"use", "plugin:" + stamp.string()}},
               {{"use", "plugin:" + bare.string()}}});
  const Said said = RunAll();
  const Json runs = said.json()["runs"];
  ASSERT_EQ(runs.size(), 3u) << said.err;
  EXPECT_EQ(runs[0]["state"], "done");
  EXPECT_THAT(runs[1]["reason"].get<std::string>(),
              HasSubstr("the build type differ"));
  EXPECT_THAT(runs[2]["reason"].get<std::string>(),
              HasSubstr("has no symbol 'tailmark_plugin_register'"));
}

}  // namespace
}  // namespace tailmark
