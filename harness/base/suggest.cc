#include "harness/base/suggest.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "harness/base/error.h"

namespace tailmark {
namespace {

// Optimal string alignment: insert, delete, replace and swap cost one each.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(
      a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + differs});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

std::string Folded(std::string_view word) {
  std::string out;
  for (const char c : word) {
    if (c == '-' || c == '_' || c == ' ') continue;
    out.push_back(
        static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  return out;
}

}  // namespace

std::string Nearest(std::string_view word,
                    std::span<const std::string> candidates) {
  const std::string folded = Folded(word);
  const std::string* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(1, folded.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::string other = Folded(candidate);
    std::size_t distance = Distance(folded, other);
    // "lr" for "lr_head", "clip" for "zero_shot_clip".
    if (folded.size() >= 2 && other.find(folded) != other.npos) {
      distance = std::min<std::size_t>(distance, 1);
    }
    if (distance < best_distance) {
      best_distance = distance;
      best = &candidate;
    }
  }
  return best == nullptr ? std::string() : *best;
}

std::string UnknownName(std::string_view what, std::string_view word,
                        std::span<const std::string> candidates) {
  std::string message = StrCat("unknown ", what, " '", word, "'");
  if (const std::string near = Nearest(word, candidates); !near.empty()) {
    return StrCat(message, "; did you mean '", near, "'?");
  }
  if (candidates.empty()) return message;
  message += "; there are: ";
  std::vector<std::string_view> said;
  for (const std::string& each : candidates) {
    if (std::find(said.begin(), said.end(), each) != said.end()) continue;
    message += StrCat(said.empty() ? "" : ", ", each);
    said.push_back(each);
  }
  return message;
}

}  // namespace tailmark
