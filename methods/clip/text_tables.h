#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

/// The tables behind cleaning text; text_tables.inc is made by
/// make_text_tables.py.
namespace tailmark {

/// What "&NAME" stands for, as UTF-8; `name` with its ";" when it has one.
/// Empty: no entity.
std::string_view HtmlEntity(std::string_view name);
/// The same of names that only ftfy knows, all in capitals.
std::string_view ShoutedEntity(std::string_view name);
/// What "&#NUMBER;" stands for where that is not the number itself: another
/// character, or 0 for none at all.
std::optional<char32_t> HtmlReference(std::uint64_t number);

/// The encodings of one byte a character that mojibake is made with, in the
/// order they are tried.
inline constexpr int kLatin1 = 0;
inline constexpr int kWindows1252 = 1;
inline constexpr int kFirstStrict = 7;  ///< ISO 8859-2 and what follows it.
inline constexpr int kMacRoman = 8;
inline constexpr int kEncodingCount = 10;
/// The byte for a character; nullopt when the encoding has none. Bytes that
/// Windows leaves open stand for themselves, 0x1A for U+FFFD.
std::optional<std::uint8_t> EncodeByte(int encoding, char32_t c);
char32_t DecodeByte(int encoding, std::uint8_t byte);

/// How characters read from UTF-8 byte by byte look.
enum class Utf8Clue : std::uint8_t {
  kFirstOf2,
  kFirstOf3,
  kFirstOf4,
  kContinuation,
  kContinuationStrict
};
bool HasClue(Utf8Clue clue, char32_t c);

/// Whether a sequence of characters occurs that real text does not have.
bool LooksLikeMojibake(std::u32string_view text);

}  // namespace tailmark
