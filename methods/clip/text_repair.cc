#include "methods/clip/text_repair.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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

bool Continues(std::uint8_t byte) { return byte >= 0x80 && byte < 0xC0; }

/// Characters of the UTF-8 sequence that such a byte begins; 0: it begins none.
std::size_t SequenceLength(std::uint8_t lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

/// A capital and a closing quote, as in «CAFÉ», are two bytes of a letter of
/// phonetic alphabets; nobody meant that letter.
bool IsLetterAndQuote(std::uint8_t lead, std::uint8_t next) {
  const bool quote = next == 0xBB || (next >= 0x91 && next <= 0x94);
  return quote && lead > 0xC3 && lead <= 0xDF && lead != 0xD0;
}

/// The sequence of UTF-8 at `at`, when the characters there are its bytes in
/// windows-1252: how many they are, and what they mean.
struct Sequence {
  std::size_t length = 0;
  std::u32string meaning;
};
Sequence SequenceAt(const std::u32string& text, std::size_t at) {
  const auto lead = Windows1252Byte(text[at]);
  const std::size_t length = lead ? SequenceLength(*lead) : 0;
  if (length == 0 || at + length > text.size()) return {};
  std::string bytes(1, static_cast<char>(*lead));
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = Windows1252Byte(text[at + i]);
    if (!byte || !Continues(*byte)) return {};
    if (length == 2 && IsLetterAndQuote(*lead, *byte)) return {};
    bytes += static_cast<char>(*byte);
  }
  auto meaning = TryFromUtf8(bytes);
  if (!meaning) return {};
  return {length, std::move(*meaning)};
}

/// What a byte inside a sequence is shown as and what does not stand well
/// before a letter: no dash, quote, bullet or ellipsis.
bool IsStrayTail(char32_t c) {
  if (c >= 0x80 && c <= 0xBF) return true;
  if ((c >= 0x2013 && c <= 0x201E) || c == 0x2022 || c == 0x2026) return false;
  for (const auto byte : {Windows1252Byte(c), Windows1251Byte(c)}) {
    if (byte && Continues(*byte)) return true;
  }
  return false;
}

/// Dashes and quotes, E2 80 xx, read as windows-1251: two Cyrillic letters that
/// no language puts side by side, and a third character.
Sequence CyrillicPunctuationAt(const std::u32string& text, std::size_t at) {
  constexpr char32_t kVe = 0x432;
  constexpr char32_t kDje = 0x402;
  if (at + 2 >= text.size() || text[at] != kVe || text[at + 1] != kDje) {
    return {};
  }
  const auto last = Windows1251Byte(text[at + 2]);
  if (!last || !Continues(*last)) return {};
  return {3, std::u32string(1, 0x2000U + (*last & 0x3FU))};
}

/// The whole text read again, when each of its characters is a byte of
/// windows-1251 and the bytes are well-formed UTF-8. Not part by part: Cyrillic
/// letters often stand where two of them would do.
std::optional<std::u32string> RereadCyrillic(const std::u32string& text) {
  std::string bytes;
  for (const char32_t c : text) {
    const auto byte = Windows1251Byte(c);
    if (!byte) return std::nullopt;
    bytes += static_cast<char>(*byte);
  }
  return TryFromUtf8(bytes);
}

/// UTF-8 that was read in the wrong encoding, wherever it stands: right letters
/// almost never make a well-formed sequence. Behind a byte of a sequence that
/// lost its beginning nothing is: part of such a text would only get worse.
std::u32string RepairEncoding(const std::u32string& text) {
  std::u32string out;
  bool stray = false;
  for (std::size_t at = 0; at < text.size();) {
    const bool may = text[at] >= 0x80 && !stray;
    Sequence found = may ? SequenceAt(text, at) : Sequence{};
    if (may && found.length == 0) found = CyrillicPunctuationAt(text, at);
    stray = found.length == 0 && IsStrayTail(text[at]);
    if (found.length == 0) {
      out += text[at++];
    } else {
      out += found.meaning;
      at += found.length;
    }
  }
  if (out != text) return out;
  return RereadCyrillic(text).value_or(text);
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
