#include "datasets/folder/csv.h"

#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "harness/base/seeds.h"

namespace tailmark::folder {
namespace {

using Table = std::vector<std::vector<std::string>>;

Table Read(std::string_view text) {
  CsvReader csv(text, "t.csv");
  Table table;
  CsvRow row;
  while (csv.Next(row)) {
    table.emplace_back();
    for (const auto& field : row) table.back().push_back(field.text);
  }
  return table;
}

TEST(Csv, ReadsFieldsQuotesAndLineEnds) {
  EXPECT_EQ(Read(""), Table{});
  EXPECT_EQ(Read("a,b"), (Table{{"a", "b"}}));
  EXPECT_EQ(Read("a,b\r\nc,\n"), (Table{{"a", "b"}, {"c", ""}}));
  EXPECT_EQ(Read("\xEF\xBB\xBF"
                 "a\n"),
            (Table{{"a"}}));
  EXPECT_EQ(Read("\n\r\na\n\n\nb\n"), (Table{{"a"}, {"b"}}));
  EXPECT_EQ(Read("\"a,b\",\"say \"\"x\"\"\"\n"), (Table{{"a,b", "say \"x\""}}));
  EXPECT_EQ(Read("\"two\nlines\",c"), (Table{{"two\nlines", "c"}}));
  EXPECT_EQ(Read(","), (Table{{"", ""}}));
  EXPECT_EQ(Read("a\rb"), (Table{{"a\rb"}}));
}

TEST(Csv, KnowsWhereAFieldBegan) {
  CsvReader csv("a,\"x\ny\",b\ncd,e", "t.csv");
  CsvRow row;
  ASSERT_TRUE(csv.Next(row));
  EXPECT_EQ(row[1].line, 1);
  EXPECT_EQ(row[1].column, 3);
  EXPECT_EQ(row[2].line, 2);
  EXPECT_EQ(row[2].column, 4);
  ASSERT_TRUE(csv.Next(row));
  EXPECT_EQ(row[1].line, 3);
  EXPECT_EQ(row[1].column, 4);
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

// Property: whatever was written quoted comes back.
TEST(Csv, WhatWasWrittenComesBack) {
  constexpr std::string_view kAlphabet = "ab,\"\n\r |";
  for (std::uint64_t round = 0; round < 300; ++round) {
    ChanceStream chance(1, 2, round);
    Table table(static_cast<std::size_t>(chance.Range(1, 5)));
    std::string text;
    for (auto& row : table) {
      row.resize(static_cast<std::size_t>(chance.Range(1, 4)));
      for (std::size_t i = 0; i < row.size(); ++i) {
        const int length = chance.Range(0, 6);
        for (int n = 0; n < length; ++n) {
          row[i] += kAlphabet[chance.Below(kAlphabet.size())];
        }
        text += (i > 0 ? "," : "") + Quoted(row[i]);
      }
      text += chance.Chance(50) ? "\n" : "\r\n";
    }
    EXPECT_EQ(Read(text), table) << text;
  }
}

TEST(Utf8, FindsTheFirstBadByte) {
  EXPECT_EQ(FindBadUtf8("plain"), std::string_view::npos);
  EXPECT_EQ(FindBadUtf8("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"),
            std::string_view::npos);
  EXPECT_EQ(FindBadUtf8("ab\x80"), 2u);            // lone continuation
  EXPECT_EQ(FindBadUtf8("a\xC0\x80"), 1u);         // overlong
  EXPECT_EQ(FindBadUtf8("\xE0\x9F\xBF"), 0u);      // overlong
  EXPECT_EQ(FindBadUtf8("\xED\xA0\x80"), 0u);      // surrogate
  EXPECT_EQ(FindBadUtf8("\xF4\x90\x80\x80"), 0u);  // beyond U+10FFFF
  EXPECT_EQ(FindBadUtf8("x\xE2\x82"), 1u);         // cut off
  EXPECT_EQ(FindBadUtf8("\xF0\x9F\x98\x41"), 0u);  // bad third byte
}

}  // namespace
}  // namespace tailmark::folder
