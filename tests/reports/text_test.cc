#include "reports/text.h"

#include <gtest/gtest.h>

#include <limits>

namespace tailmark {
namespace {

TEST(Rounding, GoesToTheNearestAndTiesToEven) {
  EXPECT_EQ(Fixed(0.25, 1), "0.2");
  EXPECT_EQ(Fixed(0.75, 1), "0.8");
  EXPECT_EQ(Fixed(0.5, 0), "0");
  EXPECT_EQ(Fixed(1.5, 0), "2");
  EXPECT_EQ(Fixed(60.205, 2), "60.20");  // 60.205 lies just below.
  EXPECT_EQ(Fixed(99.99, 1), "100.0");
}

TEST(Rounding, WritesATrueMinusButNeverANegativeZero) {
  EXPECT_EQ(Fixed(-1.26, 1), "\u22121.3");
  EXPECT_EQ(PlainFixed(-1.26, 1), "-1.3");
  EXPECT_EQ(Fixed(-0.01, 1), "0.0");
  EXPECT_EQ(Signed(-0.01, 1), "0.0");
  EXPECT_EQ(Signed(0.4, 0), "0");
  EXPECT_EQ(Signed(1.26, 1), "+1.3");
  EXPECT_EQ(Signed(-1.26, 1), "\u22121.3");
}

TEST(Rounding, TakesTheLargestNumbers) {
  EXPECT_EQ(PlainFixed(1e300, 1).size(), 303u);
  EXPECT_EQ(PlainFixed(std::numeric_limits<double>::infinity(), 1), "inf");
}

TEST(Figures, AreReadable) {
  EXPECT_EQ(Thousands(0), "0");
  EXPECT_EQ(Thousands(999), "999");
  EXPECT_EQ(Thousands(1248), "1,248");
  EXPECT_EQ(Thousands(-477528), "-477,528");
  EXPECT_EQ(Thousands(-528), "-528");
  EXPECT_EQ(Duration(0.0123), "12 ms");
  EXPECT_EQ(Duration(0.00001), "1 ms");
  EXPECT_EQ(Duration(0), "0.0 s");
  EXPECT_EQ(Duration(0.44), "0.4 s");
  EXPECT_EQ(Duration(9.97), "10 s");
  EXPECT_EQ(Duration(200), "3 min 20 s");
  EXPECT_EQ(Duration(7500), "2 h 5 min");
  EXPECT_EQ(Mebibytes(310.0 * 1024 * 1024), "310 MiB");
  EXPECT_EQ(Count(1, "seed"), "1 seed");
  EXPECT_EQ(Count(3, "seed"), "3 seeds");
}

TEST(Figures, AreExactWhereProgramsReadThem) {
  for (const double value : {0.1, 1.0 / 3, 60.205, 1e-300, -0.0, 100.0}) {
    EXPECT_EQ(std::stod(Exact(value)), value);
  }
  EXPECT_EQ(Exact(std::nullopt), "");
}

TEST(Escaping, LeavesNothingOfMarkup) {
  EXPECT_EQ(EscapeHtml("<a href=\"x\" title='y'>&\x01"),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;\uFFFD");
  EXPECT_EQ(EscapeLatex("a_b%{c}\\d~e"),
            "a\\_b\\%\\{c\\}\\textbackslash{}d\\textasciitilde{}e");
  EXPECT_EQ(EscapeLatex("\u00e9\u4e2d \u2212\u2026 --x"),
            "\u00e9\\tailmarkUnicode{4e2d} $-$\\ldots{} -{}-x");
  EXPECT_EQ(EscapeMarkdown("a|b_c\n<i>&lt;"), "a\\|b\\_c \\<i\\>&amp;lt;");
  EXPECT_EQ(MarkdownCode("a|b`c`"), "<code>a&#124;b&#96;c&#96;</code>");
  EXPECT_EQ(CsvField("plain"), "plain");
  EXPECT_EQ(CsvField("a,\"b\""), "\"a,\"\"b\"\"\"");
  EXPECT_EQ(EscapeTerminal("\x1b[31mred\x07 \xC2\x9B"),
            "\uFFFD[31mred\uFFFD \uFFFD");
}

TEST(Utf8, IsCountedAndCutByCodePoint) {
  EXPECT_EQ(Utf8Length("\u00e9t\u00e9"), 3u);
  EXPECT_EQ(Shorten("street lamp", 8), "street \u2026");
  EXPECT_EQ(Shorten("\u00e9t\u00e9", 3), "\u00e9t\u00e9");
  EXPECT_EQ(Shorten("ab", 0), "");
}

TEST(Utf8, BrokenSequencesAreReplaced) {
  EXPECT_EQ(ValidUtf8("a\xff"
                      "b"),
            "a\uFFFD"
            "b");
  EXPECT_EQ(ValidUtf8("\xC3"), "\uFFFD");                      // cut
  EXPECT_EQ(ValidUtf8("\xC0\x80"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(ValidUtf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // surrogate
  EXPECT_EQ(ValidUtf8("\U0001F600"), "\U0001F600");
}

}  // namespace
}  // namespace tailmark
