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

/// The byte of windows-1252 for a character, nullopt when it has none. The five
/// bytes that it leaves open stand for themselves, as do U+0080 to U+009F.
std::optional<std::uint8_t> Windows1252Byte(char32_t c);
char32_t Windows1252Character(std::uint8_t byte);
/// The same of windows-1251, Cyrillic.
std::optional<std::uint8_t> Windows1251Byte(char32_t c);

}  // namespace tailmark
