#include "harness/plugin/stamp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kStamp =
    "TAILMARKSTAMP{\"kind\":\"cxx\",\"abi\":\"a1\",\"compiler\":\"gcc 12\","
    "\"libstdcxx_abi\":\"1\",\"torch\":\"2.13.0\",\"torch_git\":\"cafe\","
    "\"cuda\":\"CPU\",\"build_type\":\"release\",\"sanitizer\":\"\"}";

class Stamp : public ::testing::Test {
 protected:
  std::filesystem::path Shared(const std::string& body) const {
    const auto path = scratch_.path() / "lib.so";
    WriteFileAtomic(path,
                    "\x7f"
                    "ELF" +
                        std::string(20, '\0') + body);
    return path;
  }
  static std::string Failure(const std::filesystem::path& path) {
    try {
      ReadStamp(path);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }
  ScratchFolder scratch_;
};

TEST_F(Stamp, IsReadFromTheBytesOfTheFile) {
  const auto path = Shared("code" + std::string(kStamp) + '\0' + "more code");
  const PluginStamp stamp = ReadStamp(path);
  EXPECT_EQ(stamp.kind, "cxx");
  EXPECT_EQ(stamp.torch_git, "cafe");
  EXPECT_EQ(stamp.sanitizer, "");
}

TEST_F(Stamp, TheMarkAloneIsNoStamp) {
  const auto nothing = Shared(std::string("TAILMARKSTAMP\0 code", 19));
  EXPECT_THAT(Failure(nothing), HasSubstr("holds no plugin stamp"));
}

TEST_F(Stamp, AFileThatIsNoSharedObjectIsRefusedByName) {
  const auto path = scratch_.path() / "a.so";
  WriteFileAtomic(path, "#!/bin/sh\n");
  EXPECT_THAT(Failure(path), HasSubstr("a.so: is no ELF shared object"));
}

TEST_F(Stamp, TwoThatDifferAreRefused) {
  std::string other = kStamp;
  other.replace(other.find("gcc 12"), 6, "gcc 13");
  EXPECT_THAT(Failure(Shared(std::string(kStamp) + '\0' + other + '\0')),
              HasSubstr("two stamps"));
  EXPECT_EQ(Failure(Shared(std::string(kStamp) + '\0' + kStamp + '\0')), "");
}

TEST_F(Stamp, BrokenJsonNamesTheFile) {
  EXPECT_THAT(Failure(Shared(std::string("TAILMARKSTAMP{\"kind\" 1}\0", 25))),
              HasSubstr("lib.so"));
  EXPECT_THAT(
      Failure(Shared(std::string("TAILMARKSTAMP{\"kind\":\"pl1\"}\0", 28))),
      HasSubstr("'pl1', not one of cxx, c"));
}

TEST_F(Stamp, EveryMemberThatDiffersGetsASentenceWithBothSidesAndTheFix) {
  const PluginStamp host = ReadStamp(Shared(std::string(kStamp) + '\0'));
  EXPECT_THAT(StampMismatches(host, host), IsEmpty());
  PluginStamp plugin = host;
  plugin.torch = "2.11.0";
  plugin.sanitizer = "address";
  EXPECT_THAT(StampMismatches(plugin, host),
              ElementsAre(AllOf(HasSubstr("'2.11.0'"), HasSubstr("'2.13.0'"),
                                HasSubstr("TAILMARK_TORCH_PREFIX")),
                          AllOf(HasSubstr("'address'"), HasSubstr("none"),
                                HasSubstr("-fsanitize"))));
}

TEST_F(Stamp, TheCommitOfThePluginDoesNotMatter) {
  PluginStamp plugin = ReadStamp(Shared(std::string(kStamp) + '\0'));
  const PluginStamp host = plugin;
  plugin.source = "0123";
  EXPECT_THAT(StampMismatches(plugin, host), IsEmpty());
}

TEST_F(Stamp, APluginInCNeedsOnlyTheVersionOfTheInterface) {
  const PluginStamp host = ReadStamp(Shared(std::string(kStamp) + '\0'));
  PluginStamp plugin{.kind = "c", .abi = "1", .compiler = "tcc"};
  EXPECT_THAT(StampMismatches(plugin, host), IsEmpty());
  plugin.abi = "2";
  EXPECT_THAT(StampMismatches(plugin, host),
              ElementsAre(AllOf(HasSubstr("version '2'"), HasSubstr("'1'"))));
}

}  // namespace
}  // namespace tailmark
