#include "harness/metrics/letters.h"

#include <algorithm>
#include <cstddef>

#include "harness/base/error.h"

namespace tailmark {
namespace {

using Column = std::vector<bool>;  // [rows] which rows carry the letter

bool Covers(const Column& outer, const Column& inner) {
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] && !outer[i]) return false;
  }
  return true;
}

// Drops columns that say nothing another one does not say.
void Absorb(std::vector<Column>& columns) {
  for (std::size_t i = 0; i < columns.size();) {
    bool covered = false;
    for (std::size_t j = 0; j < columns.size() && !covered; ++j) {
      covered = i != j && Covers(columns[j], columns[i]) &&
                (columns[i] != columns[j] || j < i);
    }
    if (covered) {
      columns.erase(columns.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
}

std::string Letter(std::size_t index) {
  constexpr std::size_t kSigns = 52;
  const std::size_t at = index % kSigns;
  std::string letter(1, at < 26 ? static_cast<char>('a' + at)
                                : static_cast<char>('A' + at - 26));
  if (index >= kSigns) letter += std::to_string(index / kSigns + 1);
  return letter;
}

}  // namespace

std::vector<std::string> CompactLetters(
    const std::vector<std::vector<bool>>& differs) {
  const std::size_t n = differs.size();
  std::vector<Column> columns = {Column(n, true)};
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      if (!differs[i][j]) continue;
      // A column that holds both becomes two, each without one of them.
      const std::size_t old = columns.size();
      for (std::size_t k = 0; k < old; ++k) {
        if (!columns[k][i] || !columns[k][j]) continue;
        columns.push_back(columns[k]);
        columns.back()[i] = false;
        columns[k][j] = false;
      }
      Absorb(columns);
    }
  }
  // By the best row that carries it.
  std::sort(columns.begin(), columns.end(), std::greater<>());
  std::vector<std::string> letters(n);
  for (std::size_t k = 0; k < columns.size(); ++k) {
    for (std::size_t i = 0; i < n; ++i) {
      if (!columns[k][i]) continue;
      const std::string letter = Letter(k);
      if (!letters[i].empty() && columns.size() > 52) letters[i] += " ";
      letters[i] += letter;
    }
  }
  return letters;
}

}  // namespace tailmark
