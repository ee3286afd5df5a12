#pragma once

#include <cstddef>
#include <string_view>

namespace tailmark {

/// Values of JSON are written out and compared by recursion, so a text of a
/// million brackets would take the whole stack.
inline constexpr std::size_t kDeepestJson = 256;

/// The byte of the first bracket that nests deeper than `deepest`, or npos.
/// Brackets in strings and comments do not count. `text` need not be JSON.
std::size_t FindTooDeep(std::string_view text,
                        std::size_t deepest = kDeepestJson);

}  // namespace tailmark
