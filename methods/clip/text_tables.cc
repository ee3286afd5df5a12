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

std::optional<std::uint8_t> PageByte(CodePage page, char32_t c) {
  const bool latin1 = page == CodePage::kWindows1252 && c < 0xA0;
  if (c < 0x80 || latin1) return static_cast<std::uint8_t>(c);
  const auto& table = kPages[static_cast<std::size_t>(page)];
  const auto* at = std::find(std::begin(table), std::end(table), c);
  if (at == std::end(table)) return std::nullopt;
  return static_cast<std::uint8_t>(0x80 + (at - std::begin(table)));
}

char32_t Windows1252Character(std::uint8_t byte) {
  return byte < 0x80 ? byte : kPages[0][byte - 0x80];
}

}  // namespace tailmark
