#include "harness/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/json_integer.h"

namespace tailmark {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string JsonMessageOf(std::string_view text) {
  try {
    ParseJson(text, "r.json");
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Json, CommentsAreAllowed) {
  EXPECT_EQ(ParseJson("{ // why\n \"a\": 1 /* that */ }", "r")["a"], 1);
}

TEST(Json, ABrokenTextNamesLineAndColumn) {
  EXPECT_THAT(JsonMessageOf("{\n  \"a\": 1\n  \"b\": 2\n}"),
              StartsWith("r.json:3:"));
  EXPECT_THAT(JsonMessageOf(""), StartsWith("r.json:1:1: not JSON"));
}

TEST(Json, ATrailingCommaIsCalledThat) {
  EXPECT_THAT(JsonMessageOf("{\n  \"a\": 1,\n}"),
              HasSubstr("a comma must not follow the last element"));
  EXPECT_THAT(JsonMessageOf("[1, 2, ]"),
              HasSubstr("a comma must not follow the last element"));
}

TEST(Json, WholeNumbersAreNeverCutOrWrapped) {
  EXPECT_EQ(IntegerOf<int>(Json(-3), "n"), -3);
  EXPECT_EQ(IntegerOf<std::uint64_t>(Json(18446744073709551615U), "n"),
            18446744073709551615U);
  const std::vector<Json> wrong = {
      3.7, 1e300, true, "3", 3000000000, -3, 18446744073709551615U};
  for (const Json& each : wrong) {
    EXPECT_THROW(IntegerOf<int>(each, "n", 0), DataError) << each;
  }
  try {
    IntegerOf<int>(Json(7), "size", 0, 5);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(),
                 "size: expected a whole number in [0, 5], found 7");
  }
}

TEST(Json, NestingThatWouldTakeTheStackIsRefusedWithItsPlace) {
  const std::string deep(200'000, '[');
  EXPECT_EQ(JsonMessageOf("{\"a\":\n" + deep),
            "r.json:2:256: nested more than 256 deep");
  EXPECT_THAT(JsonMessageOf(std::string(256, '[') + std::string(256, ']')),
              "no error");
}

TEST(Json, BracketsInStringsAndCommentsDoNotNest) {
  const std::string deep(300, '{');
  EXPECT_EQ(JsonMessageOf("[\"\\\"" + deep + "\", // " + deep + "\n1 /*" +
                          deep + "*/]"),
            "no error");
  EXPECT_THAT(JsonMessageOf("[1 / " + deep), HasSubstr("nested more than 256"));
}

TEST(Json, EqualValuesAreEqualText) {
  EXPECT_EQ(Canonical(ParseJson("{\"b\": 1.50, \"a\": [1, 2]}", "x")),
            Canonical(ParseJson("{ \"a\":[1,2],\n\"b\":1.5 }", "y")));
  EXPECT_EQ(Canonical(ParseJson("{\"b\":1.5,\"a\":[1,2]}", "x")),
            "{\"a\":[1,2],\"b\":1.5}");
}

TEST(Json, ANumberBeyondDoubleIsRefused) {
  EXPECT_THAT(JsonMessageOf("{\"a\": 1e999}"),
              StartsWith("r.json: not JSON: "));
}

TEST(Json, SkippedMembersAreParsedButNotKept) {
  const std::vector<std::string_view> skipped = {"bulk"};
  EXPECT_EQ(ParseJson(R"({"bulk": [1, {"a": 2}], "b": {"bulk": 3, "c": 4}})",
                      "r", skipped),
            Json::parse(R"({"b": {"c": 4}})"));
  EXPECT_THROW(ParseJson(R"({"bulk": [1, })", "r", skipped), DataError);
}

}  // namespace
}  // namespace tailmark
