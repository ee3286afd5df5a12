#include "methods/clip/text_unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "harness/base/error.h"

namespace tailmark {
namespace {

constexpr char32_t kCapitalSigma = 0x3A3;
constexpr char32_t kFinalSigma = 0x3C2;

std::u32string Mapped(const std::string& text, int how) {
  utf8proc_uint8_t* out = nullptr;
  const auto length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &out,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | how));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(
      out, &std::free);
  TM_CHECK(length >= 0, utf8proc_errmsg(length));
  return FromUtf8(
      {reinterpret_cast<const char*>(out), static_cast<std::size_t>(length)});
}

// Unicode's Cased and Case_Ignorable, as far as general categories and the few
// marks inside words tell them.
bool IsCased(char32_t c) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT || (c >= 0x2160 && c <= 0x217F) ||
         (c >= 0x24B6 && c <= 0x24E9) || c == 0xAA || c == 0xBA;
}

bool IsCaseIgnorable(char32_t c) {
  constexpr std::u32string_view kInsideWords =
      U"'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55"
      U"\uFF07\uFF0E\uFF1A";
  if (kInsideWords.find(c) != kInsideWords.npos) return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return false;
  }
}

// A sigma at the end of a word that has a letter before it.
bool IsFinalSigma(const std::u32string& text, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && IsCaseIgnorable(text[before - 1])) --before;
  if (before == 0 || !IsCased(text[before - 1])) return false;
  std::size_t after = at + 1;
  while (after < text.size() && IsCaseIgnorable(text[after])) ++after;
  return after == text.size() || !IsCased(text[after]);
}

}  // namespace

std::optional<std::u32string> TryFromUtf8(std::string_view text,
                                          std::size_t* bad) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      out.push_back(byte);
      ++at;
      continue;
    }
    utf8proc_int32_t point = 0;
    const auto used = utf8proc_iterate(
        reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
        static_cast<utf8proc_ssize_t>(text.size() - at), &point);
    if (used <= 0) {
      if (bad != nullptr) *bad = at;
      return std::nullopt;
    }
    out.push_back(static_cast<char32_t>(point));
    at += static_cast<std::size_t>(used);
  }
  return out;
}

std::u32string FromUtf8(std::string_view text) {
  std::size_t bad = 0;
  auto points = TryFromUtf8(text, &bad);
  if (!points) {
    throw DataError(StrCat("text is not UTF-8: byte ",
                           int{static_cast<unsigned char>(text[bad])},
                           " at offset ", bad, " begins no character"));
  }
  return *std::move(points);
}

std::string ToUtf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    if (c < 0x80) {
      out.push_back(static_cast<char>(c));
      continue;
    }
    utf8proc_uint8_t bytes[4];
    const auto count =
        utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes);
    TM_CHECK(count > 0, "not a character: ", static_cast<std::uint32_t>(c));
    out.append(reinterpret_cast<const char*>(bytes),
               static_cast<std::size_t>(count));
  }
  return out;
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x80;
  });
}

bool IsSpace(char32_t c) {
  if (c < 0x80) return (c >= 9 && c <= 13) || (c >= 28 && c <= 32);
  return c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

bool IsWord(char32_t c) {
  if (c == '_') return true;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return (category >= UTF8PROC_CATEGORY_LU &&
          category <= UTF8PROC_CATEGORY_LO) ||
         (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

bool IsAlphabetic(char32_t c) {
  if (c == 0xAA || c == 0xBA) return false;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT || category == UTF8PROC_CATEGORY_LO;
}

bool IsSmallLetter(char32_t c) {
  return IsAlphabetic(c) &&
         utf8proc_category(static_cast<utf8proc_int32_t>(c)) ==
             UTF8PROC_CATEGORY_LL;
}

std::u32string Nfc(const std::u32string& text) {
  const bool plain = std::all_of(text.begin(), text.end(),
                                 [](char32_t c) { return c < 0x300; });
  return plain ? text : Mapped(ToUtf8(text), UTF8PROC_COMPOSE);
}

std::u32string Nfkc(char32_t c) {
  return Mapped(ToUtf8({&c, 1}), UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
}

std::u32string LowerEach(const std::u32string& text) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    if (c == 0x130) {
      out += U"i\u0307";  // the one lower case that is two characters
    } else {
      out += static_cast<char32_t>(
          utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
    }
  }
  return out;
}

std::u32string Lower(const std::u32string& text) {
  std::u32string marked = text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == kCapitalSigma && IsFinalSigma(text, i)) {
      marked[i] = kFinalSigma;
    }
  }
  return LowerEach(marked);
}

char32_t Upper(char32_t c) {
  return static_cast<char32_t>(
      utf8proc_toupper(static_cast<utf8proc_int32_t>(c)));
}

std::u32string Strip(const std::u32string& text) {
  std::size_t from = 0;
  std::size_t to = text.size();
  while (from < to && IsSpace(text[from])) ++from;
  while (to > from && IsSpace(text[to - 1])) --to;
  return text.substr(from, to - from);
}

}  // namespace tailmark
