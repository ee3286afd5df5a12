// The small parts of harness/base.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <set>
#include <sstream>

#include "harness/base/clock.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/base/log.h"
#include "harness/base/progress.h"
#include "harness/base/seeds.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

TEST(Seeds, AreTheSameOnEveryMachine) {
  EXPECT_EQ(Mix64(0), 0xE220A8397B1DCDAFU);  // splitmix64's first output
  ChanceStream stream(1, 1000, 5);
  const std::uint32_t first = stream.Bits();
  EXPECT_EQ(first, ChanceStream(1, 1000, 5).Bits());
  EXPECT_NE(first, ChanceStream(1, 1001, 5).Bits());
  EXPECT_NE(first, ChanceStream(1, 1000, 6).Bits());
  EXPECT_NE(first, ChanceStream(2, 1000, 5).Bits());
}

TEST(Seeds, NamesAndIndicesGiveDifferentStreams) {
  std::set<std::uint64_t> seen;
  for (const auto* name : {"train/shuffle", "train/augment", "init"}) {
    for (std::uint64_t i = 0; i < 100; ++i) seen.insert(DeriveSeed(7, name, i));
  }
  EXPECT_EQ(seen.size(), 300U);
  for (const std::uint64_t seed : seen) EXPECT_LT(seed, 1ULL << 63);
}

TEST(Seeds, BelowIsRoughlyUniform) {
  ChanceStream stream(3, 0, 0);
  std::array<int, 10> counts{};
  for (int i = 0; i < 100000; ++i) ++counts[stream.Below(10)];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 500);
}

TEST(Seeds, RangeHoldsBothEnds) {
  ChanceStream stream(3, 0, 0);
  std::set<int> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(stream.Range(-2, 2));
  EXPECT_EQ(seen, (std::set<int>{-2, -1, 0, 1, 2}));
}

TEST(Suggest, FindsTheNearestSpelling) {
  const std::vector<std::string> words = {"zero_shot_clip", "linear_probe",
                                          "label_prior"};
  EXPECT_EQ(Nearest("linaer_probe", words), "linear_probe");
  EXPECT_EQ(Nearest("linear-probe", words), "linear_probe");
  EXPECT_EQ(Nearest("clip", words), "zero_shot_clip");
  EXPECT_EQ(Nearest("resnet", words), "");
}

TEST(Suggest, ListsAllWhenNothingIsNear) {
  EXPECT_EQ(
      UnknownName("row", "x", std::vector<std::string>{"abc", "abc", "def"}),
      "unknown row 'x'; there are: abc, def");
  EXPECT_EQ(UnknownName("method", "resnet", std::vector<std::string>{"a", "b"}),
            "unknown method 'resnet'; there are: a, b");
}

template <class Part>
std::string Streamed(const Part& part) {
  std::ostringstream out;
  out << part;
  return out.str();
}

TEST(StrCat, WritesWhatAStreamWrites) {
  enum Plain { kZero, kOne };
  const auto one = [](const auto& part) {
    EXPECT_EQ(StrCat(part), Streamed(part));
  };
  const auto expect = [&one](const auto&... parts) {
    (one(parts), ...);
    EXPECT_EQ(StrCat(parts...), (Streamed(parts) + ...));
  };
  using Ints = std::numeric_limits<std::int64_t>;
  expect(0, -1, 7U, Ints::min(), Ints::max(), ~std::uint64_t{0},
         std::int8_t{65}, std::uint8_t{66}, std::int16_t{-3}, true, false, 'c');
  expect(0.0, -0.0, 1.0, 0.1, 1e-5, 1e-4, 123456.0, 1234567.0, 2.5F, -1e300,
         std::numeric_limits<double>::infinity(), -std::nan(""), 1.0L);
  expect("text", std::string("with \0 in it", 12), std::string_view("view"),
         std::filesystem::path("a \"b\""), kOne, Json("word"), Json(1.5));
  EXPECT_EQ(StrCat(), "");
}

TEST(Check, AbortsWithFileAndLine) {
  EXPECT_DEATH(TM_CHECK(1 == 2, "sum of ", 3), "base_test.cc:.*sum of 3");
}

TEST(Clock, SpeaksIso8601AndGoesForward) {
  EXPECT_THAT(UtcNow(),
              MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+Z"));
  const double before = MonotonicSeconds();
  EXPECT_GE(MonotonicSeconds(), before);
  EXPECT_GT(PeakResidentBytes(), 1 << 20);
}

TEST(Progress, WordsForTimeAndSize) {
  EXPECT_EQ(FormatSeconds(12.4), "12 s");
  EXPECT_EQ(FormatSeconds(245), "4:05");
  EXPECT_EQ(FormatSeconds(3723), "1:02:03");
  EXPECT_EQ(FormatBytes(1536), "1.5 KiB");
  EXPECT_EQ(FormatBytes(12), "12 B");
}

TEST(Progress, IsSilentWhenOnlyWarningsAreWanted) {
  testing::internal::CaptureStderr();
  SetLogLevel(LogLevel::kWarning);
  {
    Progress progress("encode", 10, "images");
    progress.Update(5);
    progress.Finish();
  }
  SetLogLevel(LogLevel::kInfo);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Progress, WritesPlainLinesWhenNotOnATerminal) {
  testing::internal::CaptureStderr();
  {
    Progress progress("encode", 10, "images");
    for (int i = 1; i <= 10; ++i) progress.Update(i);
    progress.Finish("done");
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr("encode: 10/10 images"));
  EXPECT_THAT(text, testing::Not(HasSubstr("\x1b")));
}

TEST(Environment, AMissingShippedFileIsNamed) {
  try {
    SharedFile("harness/recipes/none.json");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("harness/recipes/none.json"));
  }
}

}  // namespace
}  // namespace tailmark
