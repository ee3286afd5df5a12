// Packs as their readers meet them: verbs, words and exit codes, on a store of
// made runs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "harness/base/files.h"
#include "tests/e2e/made_store.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {

using ::testing::HasSubstr;

class PackVerbs : public ::testing::Test {
 protected:
  PackVerbs() { StoreCampaign(tailmark_.store(), "night", {{}, {.seed = 1}}); }

  ScratchFolder scratch_;
  Program tailmark_{scratch_.path()};
};

TEST_F(PackVerbs, AnUntouchedPackOfBuiltInDataHoldsWithExit0) {
  const Said packed = tailmark_({"pack", "-o", "night.tar"});
  ASSERT_EQ(packed.code, 0) << packed.err;
  const Said said = tailmark_({"verify", "night.tar", "--json"});
  EXPECT_EQ(said.code, 0) << said.out << said.err;
  const Json runs = said.json()[0]["runs"];
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0]["verdict"], "holds");
  EXPECT_EQ(runs[0]["claimed"], true);
}

TEST_F(PackVerbs, ATamperedPackIsExit1AndSaysWhere) {
  ASSERT_EQ(tailmark_({"pack", "-o", "night.tar"}).code, 0);
  const auto pack = scratch_.path() / "night.tar";
  std::string bytes = ReadFile(pack);
  const auto at = bytes.find("NUMPY");
  ASSERT_NE(at, bytes.npos);
  bytes[at + 1000] = static_cast<char>(bytes[at + 1000] ^ 1);
  WriteFileAtomic(pack, bytes);
  const Said said = tailmark_({"verify", "night.tar"});
  EXPECT_EQ(said.code, 1);
  EXPECT_THAT(said.out, HasSubstr("scores/test.npy: SHA-256 is"));
}

TEST_F(PackVerbs, ASignatureHoldsForItsSignerAndForUntouchedBytesAlone) {
  if (std::system("command -v ssh-keygen >/dev/null") != 0) {
    GTEST_SKIP() << "no ssh-keygen";
  }
  const std::string key = (scratch_.path() / "key").string();
  ASSERT_EQ(std::system(("ssh-keygen -q -t ed25519 -N '' -C me -f '" + key +
                         "' </dev/null")
                            .c_str()),
            0);
  WriteFileAtomic(scratch_.path() / "signers",
                  "me@lab " + ReadFile(key + ".pub"));
  ASSERT_EQ(tailmark_({"pack", "-o", "night.tar", "--sign", "key"}).code, 0);
  const auto verify = [&](const std::string& who) {
    return tailmark_(
        {"verify", "night.tar", "--signers", "signers", "--identity", who});
  };
  EXPECT_EQ(verify("me@lab").code, 0) << verify("me@lab").out;
  const Said other = verify("you@lab");
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.out, HasSubstr("not signed by you@lab"));
  // A byte behind the archive's end changes no file in it.
  WriteFileAtomic(scratch_.path() / "night.tar",
                  ReadFile(scratch_.path() / "night.tar") + std::string(1, 0));
  EXPECT_EQ(verify("me@lab").code, 1);
  std::filesystem::remove(scratch_.path() / "night.tar.sig");
  EXPECT_THAT(verify("me@lab").out, HasSubstr("night.tar.sig is not there"));
  EXPECT_EQ(tailmark_({"verify", "night.tar", "--signers", "signers"}).code, 2);
  EXPECT_EQ(tailmark_({"pack", "--sign", "nokey"}).code, 2);
}

TEST_F(PackVerbs, WhatIsNotThereIsExit2AndAnEmptyCampaignExit4) {
  EXPECT_EQ(tailmark_({"verify", "nowhere.tar"}).code, 2);
  EXPECT_EQ(tailmark_({"pack", "--campaign", "nobody"}).code, 2);
  StoreCampaign(tailmark_.store(), "broken",
                {{.method = "broken", .state = RunState::kFailed}});
  EXPECT_EQ(tailmark_({"pack", "--campaign", "broken"}).code, 4);
}

TEST_F(PackVerbs, StoresAreMergedOnceHoweverOftenItIsSaid) {
  const Program other(scratch_.path() / "other");
  for (int i = 0; i < 2; ++i) {
    const Said said = other({"merge", tailmark_.store().string(), "--json"});
    ASSERT_EQ(said.code, 0) << said.err;
    EXPECT_EQ(said.json()["runs"].size(), 2u);
  }
  const Said rows =
      other({"db", "query", "SELECT count(*) AS runs FROM run", "--json"});
  EXPECT_EQ(rows.json()[0]["runs"], 2) << rows.out << rows.err;
  EXPECT_EQ(other({"merge", scratch_.path().string()}).code, 2);
}

}  // namespace
}  // namespace tailmark
