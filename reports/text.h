#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "reports/model.h"

namespace tailmark {

/// How figures and names become text. The only place in the project that
/// rounds: to the nearest, ties to even.

/// "60.2"; a negative one has U+2212, -0.0 is "0.0".
std::string Fixed(double value, int decimals);
/// "+1.3", "−0.4", "0.0": always with its sign unless it rounds to zero.
std::string Signed(double value, int decimals);
/// As Fixed, with an ASCII hyphen: for formats that programs read.
std::string PlainFixed(double value, int decimals);
/// Shortest text that reads back to the same double; "" when undefined.
std::string Exact(Figure value);
/// "1,248".
std::string Thousands(std::int64_t value);
/// "12 ms", "0.4 s", "14 s", "3 min 20 s", "2 h 5 min".
std::string Duration(double seconds);
/// "310 MiB".
std::string Mebibytes(double bytes);
/// "1 seed", "3 seeds"; `plural` when an s does not do.
std::string Count(std::int64_t n, std::string_view singular,
                  std::string_view plural = {});

/// For element content and quoted attributes; controls become U+FFFD.
std::string EscapeHtml(std::string_view text);
/// For running text in LaTeX, ASCII but for Latin letters; other characters are
/// \tailmarkUnicode{HEX}, which RenderLatex defines.
std::string EscapeLatex(std::string_view text);
/// One CSV field, quoted when it has to be (RFC 4180).
std::string CsvField(std::string_view text);
/// For a cell of a Markdown table, or running text.
std::string EscapeMarkdown(std::string_view text);
/// `text` as an inline code span of Markdown, safe in a table cell.
std::string MarkdownCode(std::string_view text);
/// For a terminal: no control character gets through.
std::string EscapeTerminal(std::string_view text);

/// Replaces what is not UTF-8 by U+FFFD.
std::string ValidUtf8(std::string_view text);
/// Code points in UTF-8 text.
std::size_t Utf8Length(std::string_view text);
/// The first `limit` code points, the last one "…" when some were cut.
std::string Shorten(std::string_view text, std::size_t limit);

}  // namespace tailmark
