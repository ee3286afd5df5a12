#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What cleaning text needs of Unicode, by the rules Python has for `str`.
namespace tailmark {

/// Code points of UTF-8. Throws DataError with the offset of the first byte
/// that is none (overlong forms and surrogates included).
std::u32string FromUtf8(std::string_view text);
/// The same without a word: nullopt, and the offset in `bad` if not null.
std::optional<std::u32string> TryFromUtf8(std::string_view text,
                                          std::size_t* bad = nullptr);
/// REQUIRES: no surrogates, nothing above 0x10FFFF.
std::string ToUtf8(std::u32string_view text);

bool IsAscii(std::string_view text);
/// str.isspace(), also what `\s` of Python's re matches.
bool IsSpace(char32_t c);
/// What `\w` of Python's re matches.
bool IsWord(char32_t c);

/// A letter of any script; marks and signs of phonetics that stand for
/// themselves (ˆ, ª) are none.
bool IsAlphabetic(char32_t c);
bool IsSmallLetter(char32_t c);

/// Normalization form C.
std::u32string Nfc(const std::u32string& text);
/// Normalization form KC of one character.
std::u32string Nfkc(char32_t c);
/// str.lower(): full mappings and the final sigma.
std::u32string Lower(const std::u32string& text);
/// The same without regard to the letters around: sigma is never final.
std::u32string LowerEach(const std::u32string& text);
/// The capital of one letter, itself when it has none.
char32_t Upper(char32_t c);
/// str.strip().
std::u32string Strip(const std::u32string& text);

}  // namespace tailmark
