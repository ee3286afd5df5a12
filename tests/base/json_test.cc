#include "harness/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/error.h"

namespace tailmark {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string MessageOf(std::string_view text) {
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
  EXPECT_THAT(MessageOf("{\n  \"a\": 1\n  \"b\": 2\n}"),
              StartsWith("r.json:3:"));
  EXPECT_THAT(MessageOf(""), StartsWith("r.json:1:1: not JSON"));
}

TEST(Json, ATrailingCommaIsCalledThat) {
  EXPECT_THAT(MessageOf("{\n  \"a\": 1,\n}"),
              HasSubstr("a comma must not follow the last element"));
  EXPECT_THAT(MessageOf("[1, 2, ]"),
              HasSubstr("a comma must not follow the last element"));
}

TEST(Json, EqualValuesAreEqualText) {
  EXPECT_EQ(Canonical(ParseJson("{\"b\": 1.50, \"a\": [1, 2]}", "x")),
            Canonical(ParseJson("{ \"a\":[1,2],\n\"b\":1.5 }", "y")));
  EXPECT_EQ(Canonical(ParseJson("{\"b\":1.5,\"a\":[1,2]}", "x")),
            "{\"a\":[1,2],\"b\":1.5}");
}

TEST(Json, ANumberBeyondDoubleIsRefused) {
  EXPECT_THAT(MessageOf("{\"a\": 1e999}"), StartsWith("r.json: not JSON: "));
}

TEST(Json, SkippedMembersAreParsedButNotKept) {
  const std::vector<std::string_view> skipped = {"bulk"};
  EXPECT_EQ(ParseJson(R"({"bulk": [1, {"a": 2}], "b": {"bulk": 3, "c": 4}})",
                      "r", skipped),
            Json::parse(R"({"b": {"c": 4}})"));
  EXPECT_THROW(ParseJson(R"({"bulk": [1, })", "r", skipped), DataError);
}

TEST(Json, ADeepTextIsRefusedNotOverflown) {
  const std::string deep(100000, '[');
  EXPECT_THAT(MessageOf(deep), HasSubstr("not JSON"));
}

}  // namespace
}  // namespace tailmark
