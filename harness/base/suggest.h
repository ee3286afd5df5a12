#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tailmark {

/// The candidate nearest to `word` by edit distance (swaps count as one), or
/// "" when none is near enough to be what was meant.
std::string Nearest(std::string_view word,
                    std::span<const std::string> candidates);

/// "unknown WHAT 'WORD'; did you mean 'X'?" or, when nothing is near,
/// "unknown WHAT 'WORD'; there are: a, b, c". The text of a ConfigError.
std::string UnknownName(std::string_view what, std::string_view word,
                        std::span<const std::string> candidates);

}  // namespace tailmark
