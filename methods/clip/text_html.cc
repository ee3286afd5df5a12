#include "methods/clip/text_html.h"

#include <algorithm>
#include <cstdint>

#include "methods/clip/text_tables.h"
#include "methods/clip/text_unicode.h"

namespace tailmark {
namespace {

constexpr std::size_t kLongestName = 32;
constexpr std::size_t kLongestClearName = 24;

int DigitOf(char32_t c, int base) {
  if (c >= '0' && c <= '9') return static_cast<int>(c - '0');
  if (base == 10) return -1;
  if (c >= 'a' && c <= 'f') return static_cast<int>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<int>(c - 'A') + 10;
  return -1;
}

bool IsAlnum(char32_t c) {
  return DigitOf(c, 10) >= 0 || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

bool InName(char32_t c) {
  constexpr std::u32string_view kNot = U"\t\n\f <&#;";
  return kNot.find(c) == kNot.npos;
}

/// The number behind "&#" at `at`, added to `out` as its character. Returns the
/// place behind it, or `at` when there is none.
std::size_t Number(const std::u32string& text, std::size_t at,
                   std::u32string& out) {
  std::size_t from = at + 2;
  int base = 10;
  if (from < text.size() && (text[from] == 'x' || text[from] == 'X')) {
    base = 16;
    ++from;
  }
  std::size_t to = from;
  std::uint64_t number = 0;
  for (; to < text.size() && DigitOf(text[to], base) >= 0; ++to) {
    const auto digit = static_cast<std::uint64_t>(DigitOf(text[to], base));
    // Beyond the last character all numbers are the same.
    number = std::min<std::uint64_t>(
        number * static_cast<std::uint64_t>(base) + digit, 0x110000);
  }
  if (to == from) return at;
  if (to < text.size() && text[to] == ';') ++to;
  const auto other = HtmlReference(number);
  if (!other) {
    out += static_cast<char32_t>(number);
  } else if (*other != 0) {
    out += *other;
  }
  return to;
}

/// The same for a name behind "&": all of it, or the longest beginning that is
/// an entity.
std::size_t Name(const std::u32string& text, std::size_t at,
                 std::u32string& out) {
  const std::size_t from = at + 1;
  std::size_t to = from;
  while (to < text.size() && to - from < kLongestName && InName(text[to])) ++to;
  if (to == from) return at;
  if (to < text.size() && text[to] == ';') ++to;
  for (std::size_t end = to; end > from; --end) {
    if (end < to && end < from + 2) break;
    const auto name =
        ToUtf8(std::u32string_view(text).substr(from, end - from));
    const auto entity = HtmlEntity(name);
    if (entity.empty()) continue;
    out += FromUtf8(entity);
    return end;
  }
  out.append(text, at, to - at);
  return to;
}

/// What a name in capitals stands for where HTML knows only the small one:
/// "EACUTE;" is a capital letter, "NBSP;" has no case. Empty: none.
std::u32string Shouted(std::string name) {
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') return {};
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto small = FromUtf8(HtmlEntity(name));
  if (small.size() != 1) return {};
  return {Upper(small[0])};
}

}  // namespace

std::u32string UnescapeHtml(const std::u32string& text) {
  std::u32string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t next = at;
    if (text[at] == '&' && at + 1 < text.size()) {
      next = text[at + 1] == '#' ? Number(text, at, out) : Name(text, at, out);
    }
    if (next == at) out += text[next++];
    at = next;
  }
  return out;
}

std::u32string UnescapeClearHtml(const std::u32string& text) {
  std::u32string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = at + 1;
    std::size_t to = from;
    const bool numeric = text[at] == '&' && to < text.size() && text[to] == '#';
    const std::size_t word = numeric ? ++to : to;
    if (text[at] == '&') {
      while (to < text.size() && to - word < kLongestClearName &&
             IsAlnum(text[to])) {
        ++to;
      }
    }
    if (to == word || to >= text.size() || text[to] != ';') {
      out += text[at++];
      continue;
    }
    ++to;
    std::u32string whole = text.substr(at, to - at);
    if (numeric) {
      // Taken only when all of it, semicolon included, was understood.
      const auto plain = UnescapeHtml(whole);
      if (plain.find(U';') == plain.npos) whole = plain;
    } else {
      const auto name = ToUtf8(std::u32string_view(whole).substr(1));
      const auto entity = HtmlEntity(name);
      if (!entity.empty()) {
        whole = FromUtf8(entity);
      } else if (const auto shouted = Shouted(name); !shouted.empty()) {
        whole = shouted;
      }
    }
    out += whole;
    at = to;
  }
  return out;
}

}  // namespace tailmark
