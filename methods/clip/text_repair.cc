#include "methods/clip/text_repair.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "methods/clip/text_html.h"
#include "methods/clip/text_tables.h"
#include "methods/clip/text_unicode.h"

namespace tailmark {
namespace {

constexpr std::size_t kLongestSegment = 1'000'000;

using ByteTest = std::function<bool(unsigned char)>;

ByteTest Between(int lo, int hi) {
  return [=](unsigned char b) { return b >= lo && b <= hi; };
}
ByteTest AnyOf(std::string_view bytes) {
  return [=](unsigned char b) {
    return bytes.find(static_cast<char>(b)) != bytes.npos;
  };
}
ByteTest Or(const ByteTest& a, const ByteTest& b) {
  return [=](unsigned char byte) { return a(byte) || b(byte); };
}

using BytePattern = std::vector<ByteTest>;

std::size_t MatchLength(const std::vector<BytePattern>& patterns,
                        std::string_view bytes, std::size_t at) {
  for (const BytePattern& pattern : patterns) {
    if (bytes.size() - at < pattern.size()) continue;
    std::size_t i = 0;
    while (i < pattern.size() &&
           pattern[i](static_cast<unsigned char>(bytes[at + i]))) {
      ++i;
    }
    if (i == pattern.size()) return i;
  }
  return 0;
}

// Sequences of UTF-8 in which a no-break space (0xA0) became a space, where the
// character they stood for is a likely one.
const std::vector<BytePattern>& SpacedPatterns() {
  static const ByteTest space = AnyOf(" ");
  static const ByteTest rest = Between(0x80, 0xBF);
  static const ByteTest some =
      Or(Between(0x80, 0x84), Or(Between(0x86, 0x9F), Between(0xA1, 0xBF)));
  static const ByteTest four = Between(0xF0, 0xF0);
  static const std::vector<BytePattern> patterns = {
      {AnyOf("\xC2\xC3\xC5\xCE\xD0\xD9"), space},
      {AnyOf("\xE2\xE3"), space, some},
      {Between(0xE0, 0xE3), some, space},
      {four, space, rest, rest},
      {four, rest, space, rest},
      {four, rest, rest, space},
  };
  return patterns;
}

// Sequences of UTF-8 in which bytes were lost.
const std::vector<BytePattern>& LossyPatterns() {
  static const ByteTest lost = AnyOf("\x1A");
  static const ByteTest gone = AnyOf("\x1A?");
  static const ByteTest rest = Or(lost, Between(0x80, 0xBF));
  static const ByteTest any = Or(gone, Between(0x80, 0xBF));
  static const ByteTest ed = Between(0xED, 0xED);
  static const ByteTest high = Between(0xA0, 0xAF);
  static const ByteTest low = Between(0xB0, 0xBF);
  static const ByteTest three = Between(0xE0, 0xEF);
  static const ByteTest four = Between(0xF0, 0xF4);
  static const std::vector<BytePattern> patterns = {
      {Between(0xC2, 0xDF), lost},
      {Between(0xC2, 0xC3), AnyOf("?")},
      {ed, high, gone, ed, low, any},
      {ed, high, any, ed, low, gone},
      {three, gone, rest},
      {three, rest, gone},
      {four, gone, rest, rest},
      {four, rest, gone, rest},
      {four, rest, rest, gone},
      {lost},
  };
  return patterns;
}

bool Contains(const std::vector<BytePattern>& patterns,
              std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (MatchLength(patterns, bytes, at) > 0) return true;
  }
  return false;
}

// "Ã la": a word of its own, so that a space has to stay behind it, unless what
// follows makes it one of the few longer words.
std::string SplitAGrave(std::string_view bytes) {
  constexpr std::string_view kWord = "\xC3 ";
  constexpr std::string_view kGoesOn[] = {" ", "quele", "quela", "quilo", "s "};
  std::string out;
  for (std::size_t at = 0; at < bytes.size();) {
    if (bytes.substr(at).starts_with(kWord)) {
      const auto behind = bytes.substr(at + kWord.size());
      const bool goes_on =
          std::any_of(std::begin(kGoesOn), std::end(kGoesOn),
                      [&](auto end) { return behind.starts_with(end); });
      if (!goes_on) {
        out += "\xC3\xA0 ";
        at += kWord.size();
        continue;
      }
    }
    out += bytes[at++];
  }
  return out;
}

std::string RestoreNoBreakSpaces(const std::string& bytes) {
  std::string out = SplitAGrave(bytes);
  for (std::size_t at = 0; at < out.size();) {
    const std::size_t length = MatchLength(SpacedPatterns(), out, at);
    const auto from = out.begin() + static_cast<std::ptrdiff_t>(at);
    std::replace(from, from + static_cast<std::ptrdiff_t>(length), ' ', '\xA0');
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}

std::string ReplaceLost(const std::string& bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = MatchLength(LossyPatterns(), bytes, at);
    if (length > 0) {
      out += "\xEF\xBF\xBD";
    } else {
      out += bytes[at];
    }
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}

// Java's zero and CESU-8's pairs of surrogates, turned into true UTF-8.
std::string FromVariants(const std::string& bytes) {
  const std::vector<BytePattern> pair = {
      {Between(0xED, 0xED), Between(0xA0, 0xAF), Between(0x80, 0xBF),
       Between(0xED, 0xED), Between(0xB0, 0xBF), Between(0x80, 0xBF)}};
  std::string out;
  for (std::size_t at = 0; at < bytes.size();) {
    if (std::string_view(bytes).substr(at).starts_with("\xC0\x80")) {
      out += '\0';
      at += 2;
    } else if (MatchLength(pair, bytes, at) > 0) {
      const auto part = [&](std::size_t i, unsigned mask) {
        return static_cast<unsigned char>(bytes[at + i]) & mask;
      };
      const char32_t point = ((part(1, 0x0F) << 16) + (part(2, 0x3F) << 10) +
                              (part(4, 0x0F) << 6) + part(5, 0x3F)) +
                             0x10000;
      out += point <= 0x10FFFF ? ToUtf8({&point, 1}) : std::string(1, '\xFF');
      at += 6;
    } else {
      out += bytes[at++];
    }
  }
  return out;
}

std::optional<std::string> Encoded(const std::u32string& text, int encoding) {
  std::string bytes;
  for (const char32_t c : text) {
    const auto byte = EncodeByte(encoding, c);
    if (!byte) return std::nullopt;
    bytes += static_cast<char>(*byte);
  }
  return bytes;
}

/// `text` written in `encoding` and read as UTF-8, if that is possible.
std::optional<std::u32string> Reread(const std::u32string& text, int encoding) {
  auto bytes = Encoded(text, encoding);
  if (!bytes) return std::nullopt;
  if (encoding != kMacRoman && Contains(SpacedPatterns(), *bytes)) {
    bytes = RestoreNoBreakSpaces(*bytes);
  }
  const bool windows = encoding != kLatin1 && encoding < kFirstStrict;
  if (windows) bytes = ReplaceLost(*bytes);
  if (bytes->find_first_of("\xED\xC0") != std::string::npos) {
    bytes = FromVariants(*bytes);
  }
  return TryFromUtf8(*bytes);
}

std::u32string RepairEncoding(std::u32string text);

/// Length of the run of characters at `at` that look like bytes of UTF-8.
std::size_t Utf8Run(const std::u32string& text, std::size_t at) {
  constexpr std::array kFirsts = {Utf8Clue::kFirstOf2, Utf8Clue::kFirstOf3,
                                  Utf8Clue::kFirstOf4};
  const auto one = [&](std::size_t from) -> std::size_t {
    for (std::size_t i = 0; i < kFirsts.size(); ++i) {
      const std::size_t length = i + 2;
      if (from >= text.size() || text.size() - from < length ||
          !HasClue(kFirsts[i], text[from])) {
        continue;
      }
      std::size_t have = 1;
      while (have < length &&
             HasClue(Utf8Clue::kContinuation, text[from + have]))
        ++have;
      if (have == length) return length;
    }
    return 0;
  };
  if (at > 0 && HasClue(Utf8Clue::kContinuationStrict, text[at - 1])) return 0;
  std::size_t to = at;
  while (const std::size_t more = one(to)) to += more;
  return to - at;
}

/// Repairs only the runs that look wrong, for text of which the rest is right.
std::u32string RepairRuns(const std::u32string& text) {
  std::u32string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = Utf8Run(text, at);
    if (length == 0) {
      out += text[at++];
      continue;
    }
    std::u32string run = text.substr(at, length);
    if (length < text.size() && LooksLikeMojibake(run)) {
      run = RepairEncoding(std::move(run));
    }
    out += run;
    at += length;
  }
  return out;
}

bool IsC1(char32_t c) { return c >= 0x80 && c <= 0x9F; }

std::u32string WithoutC1(std::u32string text) {
  for (char32_t& c : text) {
    if (IsC1(c)) c = DecodeByte(kWindows1252, static_cast<std::uint8_t>(c));
  }
  return text;
}

std::u32string RepairEncodingOnce(const std::u32string& text) {
  const bool ascii = std::all_of(text.begin(), text.end(),
                                 [](char32_t c) { return c < 0x80; });
  if (ascii || !LooksLikeMojibake(text)) return text;
  for (int encoding = 0; encoding < kEncodingCount; ++encoding) {
    if (auto fixed = Reread(text, encoding)) return *fixed;
  }
  if (const auto fixed = RepairRuns(text); fixed != text) return fixed;
  return WithoutC1(text);
}

std::u32string RepairEncoding(std::u32string text) {
  for (;;) {
    auto fixed = RepairEncodingOnce(text);
    if (fixed == text) return text;
    text = std::move(fixed);
  }
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
    fixed = WithoutC1(RepairEncoding(std::move(fixed)));
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
    // Tags mean that the text is HTML, which is then left to who wants it; from
    // there on, as in ftfy.
    if (segment.find(U'<') != segment.npos) html = false;
    out += RepairSegment(std::move(segment), html);
    at = end;
  }
  return out;
}

}  // namespace tailmark
