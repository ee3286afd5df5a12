#include "reports/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "harness/base/error.h"

namespace tailmark {
namespace {

constexpr std::string_view kMinus = "\u2212";
constexpr std::string_view kReplacement = "\uFFFD";

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
}

/// Length of the well-formed UTF-8 sequence at `at`, 0 when there is none.
std::size_t SequenceLength(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const unsigned lead = byte(at);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0u) != 0x80u) return 0;
  }
  const unsigned second = byte(at + 1);
  // Overlong forms, surrogates, and what lies above U+10FFFF.
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
      (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
    return 0;
  }
  return length;
}

/// Calls `put` for each code point, the replacement for what is not UTF-8.
template <class Put>
void EachCodePoint(std::string_view text, const Put& put) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = SequenceLength(text, at);
    put(length == 0 ? kReplacement : text.substr(at, length));
    at += length == 0 ? 1 : length;
  }
}

/// Of well-formed UTF-8.
char32_t CodePoint(std::string_view each) {
  if (each.size() == 1) return static_cast<unsigned char>(each[0]);
  char32_t code =
      static_cast<unsigned char>(each[0]) & (0xFFU >> (each.size() + 1));
  for (const char c : each.substr(1)) {
    code = code << 6U | (static_cast<unsigned char>(c) & 0x3FU);
  }
  return code;
}

/// What pdflatex sets in any font encoding; all else is named by its number.
std::string LatexBeyondAscii(std::string_view each) {
  const char32_t code = CodePoint(each);
  switch (code) {
    case 0xB1:
      return "$\\pm$";
    case 0xD7:
      return "$\\times$";
    case 0x2013:
      return "--";
    case 0x2014:
      return "---";
    case 0x2018:
      return "`";
    case 0x2019:
      return "'";
    case 0x201C:
      return "``";
    case 0x201D:
      return "''";
    case 0x2026:
      return "\\ldots{}";
    case 0x2212:
      return "$-$";
    default:
      break;
  }
  // Eth and thorn are in no font that is there by default.
  const bool letter = code >= 0xC0 && code <= 0xFF && code != 0xD0 &&
                      code != 0xDE && code != 0xF0 && code != 0xF7 &&
                      code != 0xFE;
  if (letter) return std::string(each);
  std::array<char, 8> hex{};
  const auto end = std::to_chars(hex.data(), hex.data() + hex.size(),
                                 static_cast<std::uint32_t>(code), 16);
  return StrCat("\\tailmarkUnicode{", std::string_view(hex.data(), end.ptr),
                "}");
}

}  // namespace

std::string PlainFixed(double value, int decimals) {
  // to_chars rounds the exact binary value to the nearest, ties to even, and
  // knows no locale.
  std::array<char, 512> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                 value, std::chars_format::fixed, decimals);
  std::string text(buffer.data(), end.ptr);
  const bool zero = text.find_first_of("123456789infa") == text.npos;
  if (zero && text.starts_with('-')) text.erase(0, 1);
  return text;
}

std::string Fixed(double value, int decimals) {
  std::string text = PlainFixed(value, decimals);
  if (text.starts_with('-')) text.replace(0, 1, kMinus);
  return text;
}

std::string Signed(double value, int decimals) {
  const std::string text = Fixed(value, decimals);
  const bool zero = text.find_first_of("123456789infa") == text.npos;
  return zero || text.starts_with(kMinus) ? text : "+" + text;
}

std::string Exact(Figure value) {
  if (!value) return "";
  std::array<char, 64> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), *value);
  return {buffer.data(), end.ptr};
}

std::string Thousands(std::int64_t value) {
  std::string text = StrCat(value);
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3;
       at > static_cast<std::ptrdiff_t>(first); at -= 3) {
    text.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return text;
}

std::string Duration(double seconds) {
  if (seconds > 0 && seconds < 0.0995) {
    return StrCat(std::max<std::int64_t>(std::llround(seconds * 1000), 1),
                  " ms");
  }
  if (seconds < 9.95) return StrCat(Fixed(seconds, 1), " s");
  const auto whole = static_cast<std::int64_t>(std::nearbyint(seconds));
  if (whole < 120) return StrCat(whole, " s");
  if (whole < 7200) return StrCat(whole / 60, " min ", whole % 60, " s");
  return StrCat(whole / 3600, " h ", whole / 60 % 60, " min");
}

std::string Mebibytes(double bytes) {
  return StrCat(Thousands(std::llround(bytes / (1024.0 * 1024.0))), " MiB");
}

std::string Count(std::int64_t n, std::string_view singular,
                  std::string_view plural) {
  if (n == 1) return StrCat("1 ", singular);
  return plural.empty() ? StrCat(Thousands(n), " ", singular, "s")
                        : StrCat(Thousands(n), " ", plural);
}

std::string ValidUtf8(std::string_view text) {
  std::string out;
  EachCodePoint(text, [&](std::string_view each) { out += each; });
  return out;
}

std::size_t Utf8Length(std::string_view text) {
  std::size_t length = 0;
  EachCodePoint(text, [&](std::string_view) { ++length; });
  return length;
}

std::string Shorten(std::string_view text, std::size_t limit) {
  if (Utf8Length(text) <= limit) return ValidUtf8(text);
  std::string out;
  std::size_t length = 0;
  EachCodePoint(text, [&](std::string_view each) {
    if (++length < limit) out += each;
  });
  return limit == 0 ? "" : out + "\u2026";
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  EachCodePoint(text, [&](std::string_view each) {
    switch (each.front()) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += IsControl(each.front()) ? kReplacement : each;
    }
  });
  return out;
}

std::string EscapeLatex(std::string_view text) {
  std::string out;
  EachCodePoint(text, [&](std::string_view each) {
    switch (each.front()) {
      case '\\':
        out += "\\textbackslash{}";
        break;
      case '~':
        out += "\\textasciitilde{}";
        break;
      case '^':
        out += "\\textasciicircum{}";
        break;
      case '<':
        out += "\\textless{}";
        break;
      case '>':
        out += "\\textgreater{}";
        break;
      case '|':
        out += "\\textbar{}";
        break;
      case '"':
        out += "''";
        break;
      case '`':
        out += "\\textasciigrave{}";
        break;
      case '&':
      case '%':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}':
        out += '\\';
        out += each;
        break;
      case '\n':
      case '\t':
        out += ' ';
        break;
      case '-':  // two would become one dash
        out += out.ends_with('-') ? "{}-" : "-";
        break;
      default:
        if (each.size() > 1) {
          out += LatexBeyondAscii(each);
        } else {
          out += IsControl(each.front()) ? "?" : each;
        }
    }
  });
  return out;
}

std::string CsvField(std::string_view text) {
  std::string valid = ValidUtf8(text);
  if (valid.find_first_of(",\"\r\n") == valid.npos) return valid;
  std::string out = "\"";
  for (const char c : valid) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string EscapeMarkdown(std::string_view text) {
  constexpr std::string_view kSpecial = "\\`*_{}[]<>#|~$!";
  std::string out;
  EachCodePoint(text, [&](std::string_view each) {
    const char c = each.front();
    if (c == '\n' || c == '\t' || c == '\r') {
      out += ' ';
    } else if (IsControl(c)) {
      out += kReplacement;
    } else if (c == '&') {
      out += "&amp;";  // else "&lt;" in a name would be shown as "<"
    } else {
      if (kSpecial.find(c) != kSpecial.npos) out += '\\';
      out += each;
    }
  });
  return out;
}

std::string MarkdownCode(std::string_view text) {
  // HTML, because neither a backtick nor a pipe can be escaped in a code span.
  std::string out = "<code>";
  for (const char c : EscapeHtml(text)) {
    switch (c) {
      case '|':
        out += "&#124;";
        break;
      case '`':
        out += "&#96;";
        break;
      case '*':
        out += "&#42;";
        break;
      case '_':
        out += "&#95;";
        break;
      case '\\':
        out += "&#92;";
        break;
      case '[':
        out += "&#91;";
        break;
      case ']':
        out += "&#93;";
        break;
      case '\n':
      case '\t':
        out += ' ';
        break;
      default:
        out += c;
    }
  }
  return out + "</code>";
}

std::string EscapeTerminal(std::string_view text) {
  std::string out;
  EachCodePoint(text, [&](std::string_view each) {
    // U+0080..U+009F are controls too, and some terminals obey them.
    const bool upper_control = each.size() == 2 && each.front() == '\xC2' &&
                               static_cast<unsigned char>(each[1]) < 0xA0;
    const char c = each.front();
    if (c == '\n' || c == '\t') {
      out += ' ';
    } else {
      out += IsControl(c) || upper_control ? kReplacement : each;
    }
  });
  return out;
}

}  // namespace tailmark
