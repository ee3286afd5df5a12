#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

/// The tables behind cleaning text; text_tables.inc is made by
/// make_text_tables.py.
namespace tailmark {

/// What "&NAME" stands for, as UTF-8; `name` with its ";" when it has one.
/// Empty: no entity.
std::string_view HtmlEntity(std::string_view name);
/// What "&#NUMBER;" stands for where that is not the number itself: another
/// character, or 0 for none at all.
std::optional<char32_t> HtmlReference(std::uint64_t number);

/// Code pages that UTF-8 is read as by mistake.
enum class CodePage {
  kWindows1252,  ///< western; with Latin-1, see PageByte
  kWindows1251,  ///< Cyrillic
  kWindows1250,  ///< central European
  kWindows1253,  ///< Greek
  kWindows1254,  ///< Turkish
  kWindows1257,  ///< Baltic
  kIsoLatin2,    ///< ISO 8859-2, central European
};

/// The byte of a character, nullopt when it has none there. Bytes that a page
/// leaves open stand for themselves, as do U+0080 to U+009F in windows-1252:
/// the controls of Latin-1.
std::optional<std::uint8_t> PageByte(CodePage page, char32_t c);
/// What a byte of windows-1252 means.
char32_t Windows1252Character(std::uint8_t byte);

}  // namespace tailmark
