#include "methods/clip/text_tables.h"

#include <algorithm>
#include <array>

#include "methods/clip/text_unicode.h"

namespace tailmark {
namespace {

struct Entity {
  std::string_view name;
  std::string_view text;
};
struct Reference {
  std::uint32_t number;
  char32_t point;
};
struct CharRange {
  char32_t first;
  char32_t last;
};
struct CharSet {
  int from;  // into kRanges
  int count;
};
constexpr int kSpaceSet = -1;
constexpr int kWordSet = -2;
constexpr int kAnySet = -3;
constexpr int kLongestRule = 7;
struct Rule {
  bool at_start;
  int length;
  std::array<int, kLongestRule> sets;
};

#include "methods/clip/text_tables.inc"

std::string_view Find(std::span<const Entity> table, std::string_view name) {
  const auto at =
      std::lower_bound(table.begin(), table.end(), name,
                       [](const Entity& entity, std::string_view wanted) {
                         return entity.name < wanted;
                       });
  return at != table.end() && at->name == name ? at->text : "";
}

bool InSet(int set, char32_t c) {
  if (set == kSpaceSet) return IsSpace(c);
  if (set == kWordSet) return IsWord(c);
  if (set == kAnySet) return c != U'\n';
  const CharSet& chosen = kSets[set];
  const auto* from = kRanges + chosen.from;
  const auto* to = from + chosen.count;
  const auto* at = std::upper_bound(
      from, to, c,
      [](char32_t value, const CharRange& r) { return value < r.first; });
  return at != from && c <= (at - 1)->last;
}

bool Matches(const Rule& rule, std::u32string_view text, std::size_t at) {
  if (rule.at_start && at > 0) return false;
  const auto length = static_cast<std::size_t>(rule.length);
  if (text.size() - at < length) return false;
  for (std::size_t i = 0; i < length; ++i) {
    if (!InSet(rule.sets[i], text[at + i])) return false;
  }
  return true;
}

}  // namespace

std::string_view HtmlEntity(std::string_view name) {
  return Find(kEntities, name);
}

std::string_view ShoutedEntity(std::string_view name) {
  return Find(kUpperEntities, name);
}

std::optional<char32_t> HtmlReference(std::uint64_t number) {
  for (const Reference& reference : kReferences) {
    if (reference.number == number) return reference.point;
  }
  if ((number >= 0xD800 && number <= 0xDFFF) || number > 0x10FFFF) {
    return U'\uFFFD';
  }
  const bool none =
      std::binary_search(std::begin(kNoCharacters), std::end(kNoCharacters),
                         static_cast<char32_t>(number));
  return none ? std::optional<char32_t>(0) : std::nullopt;
}

std::optional<std::uint8_t> EncodeByte(int encoding, char32_t c) {
  if (c < 0x80 && c != 0x1A) return static_cast<std::uint8_t>(c);
  const auto& table = kEncodings[encoding];
  const auto* at = std::find(std::begin(table), std::end(table), c);
  if (at == std::end(table)) return std::nullopt;
  const auto index = at - std::begin(table);
  return static_cast<std::uint8_t>(index == 128 ? 0x1A : 0x80 + index);
}

char32_t DecodeByte(int encoding, std::uint8_t byte) {
  if (byte == 0x1A) return kEncodings[encoding][128];
  return byte < 0x80 ? byte : kEncodings[encoding][byte - 0x80];
}

bool HasClue(Utf8Clue clue, char32_t c) {
  constexpr std::array kClues = {kUtf8FirstOf2, kUtf8FirstOf3, kUtf8FirstOf4,
                                 kUtf8Continuation, kUtf8ContinuationStrict};
  return InSet(kClues[static_cast<std::size_t>(clue)], c);
}

bool LooksLikeMojibake(std::u32string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const Rule& rule : kBadRules) {
      if (Matches(rule, text, at)) return true;
    }
  }
  return false;
}

}  // namespace tailmark
