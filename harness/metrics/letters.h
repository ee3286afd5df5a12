#pragma once

#include <string>
#include <vector>

namespace tailmark {

/// Compact letters (Piepho 2004, insert and absorb): rows that share a letter
/// are not distinguishable. `differs[i][j]`: rows i and j are; symmetric. Rows
/// are given best first, so that "a" is the best group. After z come A ... Z,
/// then a2, b2, ...; joined by blanks when longer than one sign. [rows]
std::vector<std::string> CompactLetters(
    const std::vector<std::vector<bool>>& differs);

}  // namespace tailmark
