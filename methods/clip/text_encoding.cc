#include "methods/clip/text_encoding.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "methods/clip/text_tables.h"
#include "methods/clip/text_unicode.h"

namespace tailmark {
namespace {

constexpr CodePage kWholePages[] = {
    CodePage::kWindows1252, CodePage::kWindows1251, CodePage::kWindows1250,
    CodePage::kWindows1253, CodePage::kWindows1254, CodePage::kWindows1257,
    CodePage::kIsoLatin2};
/// Those whose capitals are letters of words and nothing else: not Greek, whose
/// letters stand before signs in formulas ("Δ±"), nor Cyrillic, where two
/// letters that mean themselves are often a sequence.
constexpr CodePage kPartPages[] = {
    CodePage::kWindows1252, CodePage::kWindows1250, CodePage::kWindows1254,
    CodePage::kWindows1257};

bool Continues(std::uint8_t byte) { return byte >= 0x80 && byte < 0xC0; }

/// Characters of the UTF-8 sequence that such a byte begins; 0: it begins none.
std::size_t SequenceLength(std::uint8_t lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

/// What a character behind a letter says of the two.
enum class Shown {
  kLetter,  ///< nothing: "ÍŽ"
  kEnd,     ///< punctuation that follows words: "É…"
  kSign,    ///< a sign that follows words: "É™"
  kOdd,     ///< that it is no text: "Ã¼"
};
Shown ShownAs(char32_t c) {
  constexpr std::u32string_view kEnds =
      U"\u00A0\u00AB\u00AD\u00B7\u00BB\u2013\u2014\u2018\u2019\u201C\u201D"
      U"\u2026\u203A\u2039";
  constexpr std::u32string_view kSigns =
      U"\u00A9\u00AA\u00AE\u00B0\u00B2\u00B3\u00B9\u00BA\u2020\u2021\u2022"
      U"\u20AC\u2116\u2122";
  constexpr char32_t kMicro = 0xB5;
  constexpr char32_t kFlorin = 0x192;
  constexpr char32_t kCapitalY = 0x178;  // with two dots: behind no accent
  if (kEnds.find(c) != kEnds.npos) return Shown::kEnd;
  if (kSigns.find(c) != kSigns.npos) return Shown::kSign;
  const bool letter =
      IsAlphabetic(c) && c != kMicro && c != kFlorin && c != kCapitalY;
  return letter ? Shown::kLetter : Shown::kOdd;
}

constexpr char32_t kHat = 0xC2;    // the A of "Â°"
constexpr char32_t kTilde = 0xC3;  // the A of "Ã¼"
constexpr char32_t kApostrophe = 0x2019;

bool IsGreek(char32_t c) { return c >= 0x391 && c <= 0x3C9; }

/// A quote that stands before words.
bool Opens(char32_t c) {
  return c == 0xAB || c == 0x2018 || c == 0x201C || c == 0x2039;
}
/// What stands between words, glued to both.
bool Joins(char32_t c) { return c == 0xAD || c == 0x2013 || c == 0x2014; }

/// How much of a text the page accounts for.
enum class Extent { kWhole, kPart };

/// Characters that are the bytes of one character in UTF-8.
struct Sequence {
  std::uint8_t lead = 0;
  std::size_t at = 0;
  std::size_t length = 0;
  std::u32string meaning;
  bool restored = false;  ///< A blank in it was a no-break space.
};

/// A no-break space is a byte of sequences, and programs like to make a blank
/// of it.
bool MayBeRestored(std::uint8_t lead, char32_t tail, Extent extent) {
  return tail == U' ' && (extent == Extent::kWhole || lead == kTilde);
}

/// Whether a word ended before `next`: no blank is left, and no "às" begun.
bool EndsWord(const std::u32string& text, std::size_t next) {
  const auto blank = [&](std::size_t at) {
    return at >= text.size() || text[at] == U' ';
  };
  if (next >= text.size()) return true;
  return text[next] == U's' ? !blank(next + 1) : !blank(next);
}

/// The sequence at `at` in the bytes of the page; length 0: there is none.
Sequence SequenceAt(const std::u32string& text, std::size_t at, CodePage page,
                    Extent extent) {
  const auto lead = PageByte(page, text[at]);
  const std::size_t length = lead ? SequenceLength(*lead) : 0;
  if (length == 0 || at + length > text.size()) return {};
  Sequence found{.lead = *lead, .at = at, .length = length};
  std::string bytes(1, static_cast<char>(*lead));
  for (std::size_t i = 1; i < length; ++i) {
    const char32_t tail = text[at + i];
    const bool restored = MayBeRestored(*lead, tail, extent);
    const auto byte = PageByte(page, restored ? U'\u00A0' : tail);
    if (!byte || !Continues(*byte)) return {};
    bytes += static_cast<char>(*byte);
    found.restored = found.restored || restored;
  }
  auto meaning = TryFromUtf8(bytes);
  if (!meaning) return {};
  found.meaning = *std::move(meaning);
  // "Ã " is "à" and mostly the end of a word, whose own blank went with it.
  if (found.restored && *lead == kTilde && EndsWord(text, at + 2)) {
    found.meaning += U' ';
  }
  return found;
}

/// Two characters, the first of which is a capital unless the text is wrong.
bool PairLooksWrong(char32_t before, char32_t lead, char32_t tail,
                    char32_t after) {
  if (!IsAlphabetic(lead) || IsSmallLetter(lead)) return false;
  if (IsSmallLetter(before)) return true;
  // Hardly a word ends with a hat; with a tilde they do, in capitals.
  if (lead == kHat) return tail != kApostrophe || !IsAlphabetic(before);
  const Shown shown = ShownAs(tail);
  const bool within =
      IsAlphabetic(before) && IsAlphabetic(after) && tail != kApostrophe;
  const bool alone = !IsAlphabetic(before);
  if (lead == kTilde) {
    return alone || within || Opens(tail) || Joins(tail) ||
           shown != Shown::kEnd;
  }
  return shown == Shown::kSign ? alone || within : within && Opens(tail);
}

/// Three characters, the first of them a small letter.
bool TripleLooksWrong(char32_t before, std::uint8_t lead,
                      std::u32string_view tails, char32_t after) {
  constexpr std::uint8_t kPunctuation = 0xE2;  // and most signs
  const auto is = [&](Shown what) {
    return ShownAs(tails[0]) == what || ShownAs(tails[1]) == what;
  };
  const bool sign = is(Shown::kSign);
  const bool alone = !IsAlphabetic(before);
  if (lead == kPunctuation ? sign || alone : sign && alone) return true;
  const bool within = IsAlphabetic(before) && IsAlphabetic(after);
  return within && (sign || is(Shown::kEnd)) && tails[1] != kApostrophe;
}

/// Whether nobody would write so.
bool LooksWrong(const std::u32string& text, const Sequence& found) {
  constexpr char32_t kTimes = 0xD7;
  const char32_t lead = text[found.at];
  const std::size_t end = found.at + found.length;
  const char32_t before = found.at == 0 ? U' ' : text[found.at - 1];
  const char32_t after = end < text.size() ? text[end] : U' ';
  const auto tails =
      std::u32string_view(text).substr(found.at + 1, found.length - 1);
  if (found.restored) {
    const bool capitals = IsAlphabetic(before) && !IsSmallLetter(before);
    const bool ends = lead == kHat && before != U' ';
    return (lead == kTilde || ends) && !capitals;
  }
  if (tails.size() == 3) return true;
  const bool odd = std::any_of(tails.begin(), tails.end(), [](char32_t c) {
    return ShownAs(c) == Shown::kOdd;
  });
  // Of a multiplication and of formulas with Greek letters: "3×½", "Δ±".
  const bool term = lead == kTimes || (IsGreek(lead) && !IsAlphabetic(before) &&
                                       !IsAlphabetic(after));
  if (odd) return !term;
  if (tails.size() == 2) {
    return TripleLooksWrong(before, found.lead, tails, after);
  }
  return PairLooksWrong(before, lead, tails[0], after);
}

/// Dashes and quotes, E2 80 xx, read as windows-1251 or 1253: what stands there
/// for the first two no language puts side by side.
Sequence PunctuationAt(const std::u32string& text, std::size_t at) {
  for (const auto page : {CodePage::kWindows1251, CodePage::kWindows1253}) {
    Sequence found = SequenceAt(text, at, page, Extent::kPart);
    if (found.length == 3 && found.meaning[0] >> 6 == 0x2000 >> 6) {
      return found;
    }
  }
  return {};
}

/// Whether two characters look wrong among others that no page explains. There
/// a sign of currency, trade or speech behind a letter says less, and so do
/// letters of alphabets whose words would be several such pairs.
bool StandsOut(const std::u32string& text, const Sequence& found) {
  constexpr std::u32string_view kCommon =
      U"\u00A1\u00A2\u00A3\u00A5\u00A9\u00AE\u00B4\u00BF\u0178\u02DD\u201A"
      U"\u201E\u2022\u20AC\u2122";
  constexpr std::u32string_view kInside = U"\u0153\u0160\u0161\u0178\u017E";
  // Of western letters and signs, of Greek and of Cyrillic ones.
  constexpr std::u32string_view kTelling = U"\u00C2\u00C3\u00CE\u00D0";
  const char32_t lead = text[found.at];
  const char32_t tail = text[found.at + 1];
  if (found.length != 2) return lead == found.lead;  // as in windows-1252
  if (found.restored) return true;
  if (kTelling.find(lead) != kTelling.npos) {
    const bool common = tail == 0xA5 || tail == 0x2026 || tail == kApostrophe;
    return !common &&
           (!IsAlphabetic(tail) || kInside.find(tail) != kInside.npos);
  }
  constexpr char32_t kArabic = 0xD8;
  const bool rare =
      (found.lead >= 0xD2 && found.lead <= 0xDB && lead != kArabic) ||
      found.lead >= 0xDE;
  const Shown shown = ShownAs(tail);
  return !rare && (shown == Shown::kOdd || shown == Shown::kSign) &&
         kCommon.find(tail) == kCommon.npos;
}

/// Whether sequences side by side are no text: one of them looks wrong, two
/// begin alike, as letters of one alphabet do, or they are three.
bool LooksWrong(const std::u32string& text, const std::vector<Sequence>& run,
                Extent extent) {
  for (std::size_t i = 0; i < run.size(); ++i) {
    const bool counts = extent == Extent::kWhole || StandsOut(text, run[i]);
    if (counts && LooksWrong(text, run[i])) return true;
    if (i > 0 && text[run[i].at] == text[run[i - 1].at]) return true;
  }
  return run.size() > 2;
}

/// Sequences side by side from `at` on.
std::vector<Sequence> RunAt(const std::u32string& text, std::size_t at,
                            CodePage page, Extent extent) {
  std::vector<Sequence> run;
  while (at < text.size()) {
    Sequence found = SequenceAt(text, at, page, extent);
    if (found.length == 0) break;
    at += found.length;
    run.push_back(std::move(found));
  }
  return run;
}

/// The whole text read again, when each of its characters is a byte of the page
/// and the bytes are well-formed UTF-8.
std::optional<std::u32string> Reread(const std::u32string& text,
                                     CodePage page) {
  std::u32string out;
  bool wrong = false;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] < 0x80) {
      out += text[at++];
      continue;
    }
    const auto run = RunAt(text, at, page, Extent::kWhole);
    if (run.empty()) return std::nullopt;
    wrong = wrong || LooksWrong(text, run, Extent::kWhole);
    for (const Sequence& found : run) out += found.meaning;
    at = run.back().at + run.back().length;
  }
  if (!wrong) return std::nullopt;
  return out;
}

/// What a byte inside a sequence is shown as and what does not stand well
/// before a letter: no dash, quote, bullet or ellipsis.
bool IsStrayTail(char32_t c) {
  if (c >= 0x80 && c <= 0xBF) return true;
  if ((c >= 0x2013 && c <= 0x201E) || c == 0x2022 || c == 0x2026) return false;
  for (const auto page : {CodePage::kWindows1252, CodePage::kWindows1251}) {
    const auto byte = PageByte(page, c);
    if (byte && Continues(*byte)) return true;
  }
  return false;
}

/// What to read again at `at`: empty, or sequences side by side.
std::vector<Sequence> PartAt(const std::u32string& text, std::size_t at) {
  for (const CodePage page : kPartPages) {
    auto run = RunAt(text, at, page, Extent::kPart);
    if (LooksWrong(text, run, Extent::kPart)) return run;
  }
  auto dash = PunctuationAt(text, at);
  if (dash.length == 0) return {};
  return {std::move(dash)};
}

/// Each part that looks wrong read again. Behind a byte of a sequence that lost
/// its beginning nothing is: part of such a text would only get worse.
std::u32string RereadParts(const std::u32string& text) {
  std::u32string out;
  bool stray = false;
  for (std::size_t at = 0; at < text.size();) {
    std::vector<Sequence> part;
    if (text[at] >= 0x80 && !stray) part = PartAt(text, at);
    stray = part.empty() && IsStrayTail(text[at]);
    if (part.empty()) out += text[at++];
    for (const Sequence& found : part) {
      out += found.meaning;
      at += found.length;
    }
  }
  return out;
}

std::u32string RepairOnce(const std::u32string& text) {
  for (const CodePage page : kWholePages) {
    if (auto reread = Reread(text, page)) return *std::move(reread);
  }
  return RereadParts(text);
}

}  // namespace

std::u32string RepairEncoding(const std::u32string& text) {
  std::u32string current = text;
  while (std::any_of(current.begin(), current.end(),
                     [](char32_t c) { return c >= 0x80; })) {
    std::u32string repaired = RepairOnce(current);
    if (repaired == current) break;
    current = std::move(repaired);  // shorter each time
  }
  return current;
}

}  // namespace tailmark
