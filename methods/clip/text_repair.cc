#include "methods/clip/text_repair.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "methods/clip/text_encoding.h"
#include "methods/clip/text_html.h"
#include "methods/clip/text_tables.h"
#include "methods/clip/text_unicode.h"

namespace tailmark {
namespace {

constexpr std::size_t kLongestSegment = 1'000'000;

bool IsC1(char32_t c) { return c >= 0x80 && c <= 0x9F; }

std::u32string WithoutC1(std::u32string text) {
  for (char32_t& c : text) {
    if (IsC1(c)) c = Windows1252Character(static_cast<std::uint8_t>(c));
  }
  return text;
}

bool IsUnwantedControl(char32_t c) {
  return c <= 0x08 || c == 0x0B || (c >= 0x0E && c < 0x20) || c == 0x7F ||
         (c >= 0x206A && c < 0x2070) || c == 0xFEFF ||
         (c >= 0xFFF9 && c < 0xFFFD);
}

std::u32string_view LigatureParts(char32_t c) {
  constexpr std::pair<char32_t, std::u32string_view> kLigatures[] = {
      {0x132, U"IJ"},      {0x133, U"ij"},      {0x149, U"\u02BCn"},
      {0x1F1, U"DZ"},      {0x1F2, U"Dz"},      {0x1F3, U"dz"},
      {0x1C4, U"D\u017D"}, {0x1C5, U"D\u017E"}, {0x1C6, U"d\u017E"},
      {0x1C7, U"LJ"},      {0x1C8, U"Lj"},      {0x1C9, U"lj"},
      {0x1CA, U"NJ"},      {0x1CB, U"Nj"},      {0x1CC, U"nj"},
      {0xFB00, U"ff"},     {0xFB01, U"fi"},     {0xFB02, U"fl"},
      {0xFB03, U"ffi"},    {0xFB04, U"ffl"},    {0xFB05, U"\u017Ft"},
      {0xFB06, U"st"}};
  for (const auto& [ligature, parts] : kLigatures) {
    if (ligature == c) return parts;
  }
  return {};
}

/// Ligatures, widths and quotes: one character at a time.
std::u32string PlainCharacters(const std::u32string& text) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    if (const auto parts = LigatureParts(c); !parts.empty()) {
      // U+02BC is a quote of its own, straightened below in its turn.
      for (const char32_t part : parts) out += part == 0x2BC ? U'\'' : part;
    } else if (c == 0x3000) {
      out += U' ';
    } else if (c >= 0xFF01 && c < 0xFFF0) {
      out += Nfkc(c);
    } else if (c == 0x2BC || (c >= 0x2018 && c <= 0x201B)) {
      out += U'\'';
    } else if (c >= 0x201C && c <= 0x201F) {
      out += U'"';
    } else {
      out += c;
    }
  }
  return out;
}

/// Length of a terminal's colour code at `at`, 0 when there is none.
std::size_t TerminalEscape(const std::u32string& text, std::size_t at) {
  if (text[at] != 0x1B || at + 1 >= text.size() || text[at + 1] != '[')
    return 0;
  std::size_t to = at + 2;
  while (to < text.size() &&
         ((text[to] >= '0' && text[to] <= '9') || text[to] == ';')) {
    ++to;
  }
  if (to >= text.size()) return 0;
  const char32_t last = text[to] | 0x20;
  return last >= 'a' && last <= 'z' ? to + 1 - at : 0;
}

std::u32string PlainControls(const std::u32string& text) {
  std::u32string lines;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char32_t c = text[at];
    if (c == '\r' && at + 1 < text.size() && text[at + 1] == '\n') continue;
    const bool breaks = c == '\r' || c == 0x2028 || c == 0x2029 || c == 0x85;
    lines += breaks ? U'\n' : c;
  }
  std::u32string out;
  for (std::size_t at = 0; at < lines.size();) {
    if (const std::size_t length = TerminalEscape(lines, at)) {
      at += length;
    } else {
      out += lines[at++];
    }
  }
  std::erase_if(out, IsUnwantedControl);
  return out;
}

std::u32string RepairSegment(std::u32string text, bool html) {
  for (;;) {
    std::u32string fixed = html ? UnescapeClearHtml(text) : text;
    fixed = WithoutC1(RepairEncoding(fixed));
    fixed = Nfc(PlainControls(PlainCharacters(fixed)));
    if (fixed == text) return fixed;
    text = std::move(fixed);
  }
}

}  // namespace

std::u32string RepairText(const std::u32string& text) {
  std::u32string out;
  bool html = true;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t line = text.find(U'\n', at);
    std::size_t end = line == text.npos ? text.size() : line + 1;
    end = std::min(end, at + kLongestSegment);
    std::u32string segment = text.substr(at, end - at);
    // Tags mean that the text is HTML, which is then left to who wants it, from
    // there on.
    if (segment.find(U'<') != segment.npos) html = false;
    out += RepairSegment(std::move(segment), html);
    at = end;
  }
  return out;
}

}  // namespace tailmark
