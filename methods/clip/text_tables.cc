#include "methods/clip/text_tables.h"

#include <algorithm>
#include <iterator>
#include <span>

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
#include "methods/clip/text_tables.inc"

std::string_view Find(std::span<const Entity> table, std::string_view name) {
  const auto at =
      std::lower_bound(table.begin(), table.end(), name,
                       [](const Entity& entity, std::string_view wanted) {
                         return entity.name < wanted;
                       });
  return at != table.end() && at->name == name ? at->text : "";
}

}  // namespace

std::string_view HtmlEntity(std::string_view name) {
  return Find(kEntities, name);
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

std::optional<std::uint8_t> Windows1252Byte(char32_t c) {
  if (c < 0x100) return static_cast<std::uint8_t>(c);
  const auto* at =
      std::find(std::begin(kWindows1252), std::end(kWindows1252), c);
  if (at == std::end(kWindows1252)) return std::nullopt;
  return static_cast<std::uint8_t>(0x80 + (at - std::begin(kWindows1252)));
}

std::optional<std::uint8_t> Windows1251Byte(char32_t c) {
  if (c < 0x80) return static_cast<std::uint8_t>(c);
  const auto* at =
      std::find(std::begin(kWindows1251), std::end(kWindows1251), c);
  if (at == std::end(kWindows1251)) return std::nullopt;
  return static_cast<std::uint8_t>(0x80 + (at - std::begin(kWindows1251)));
}

char32_t Windows1252Character(std::uint8_t byte) {
  return byte >= 0x80 && byte < 0xA0 ? kWindows1252[byte - 0x80] : byte;
}

}  // namespace tailmark
