#include "harness/base/json_depth.h"

#include <algorithm>

namespace tailmark {
namespace {

/// The byte after the string that begins at `at`.
std::size_t EndOfString(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

/// The byte after the comment that begins at `at`, or after its slash.
std::size_t EndOfComment(std::string_view text, std::size_t at) {
  const bool line = text.substr(at).starts_with("//");
  if (!line && !text.substr(at).starts_with("/*")) return at + 1;
  const std::size_t end = text.find(line ? "\n" : "*/", at + 2);
  return end == text.npos ? text.size() : end + (line ? 1 : 2);
}

}  // namespace

std::size_t FindTooDeep(std::string_view text, std::size_t deepest) {
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size();) {
    switch (text[at]) {
      case '"':
        at = EndOfString(text, at);
        continue;
      case '/':
        at = EndOfComment(text, at);
        continue;
      case '[':
      case '{':
        if (++depth > deepest) return at;
        break;
      case ']':
      case '}':
        depth -= std::min<std::size_t>(depth, 1);
        break;
      default:
        break;
    }
    ++at;
  }
  return std::string_view::npos;
}

}  // namespace tailmark
