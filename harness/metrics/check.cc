#include "harness/metrics/check.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "harness/base/error.h"

namespace tailmark {
namespace {

// Rows are counted in 32 bits, with one to spare.
constexpr std::int64_t kMostRows = (std::int64_t{1} << 31) - 1;

std::string Shape(std::int64_t rows, std::int64_t classes) {
  return StrCat("[", rows, ", ", classes, "]");
}

// Where element i of a matrix lies, for messages.
std::string Place(std::size_t i, std::int64_t classes) {
  const auto wide = static_cast<std::size_t>(classes);
  return StrCat("row ", i / wide, ", class ", i % wide);
}

void CheckSize(std::size_t found, const ScoreMatrix& scores,
               std::string_view what) {
  // By division, so that a lying shape cannot overflow.
  const auto rows = static_cast<std::size_t>(scores.rows);
  const auto classes = static_cast<std::size_t>(scores.classes);
  if (found / classes == rows && found % classes == 0) return;
  throw DataError(StrCat(what, ": ", found, " values do not fill the shape ",
                         Shape(scores.rows, scores.classes), " of the scores"));
}

void CheckBits(std::span<const std::uint8_t> bits, std::int64_t classes,
               std::string_view what) {
  unsigned all = 0;
  for (const std::uint8_t bit : bits) all |= bit;
  if (all <= 1) return;
  const auto bad = std::find_if(bits.begin(), bits.end(),
                                [](std::uint8_t bit) { return bit > 1; });
  throw DataError(StrCat(
      what, ": ", Place(static_cast<std::size_t>(bad - bits.begin()), classes),
      " is ", int{*bad}, "; expected 0 or 1"));
}

// No early exit: a loop without one is several times as fast, and NaN is rare.
template <class Float>
void CheckNumbers(std::span<const Float> values, std::int64_t classes) {
  std::size_t wrong = 0;
  for (const Float value : values) wrong += value != value ? 1 : 0;
  if (wrong == 0) return;
  const auto bad = std::find_if(values.begin(), values.end(),
                                [](Float value) { return value != value; });
  throw DataError(
      StrCat("scores: ",
             Place(static_cast<std::size_t>(bad - values.begin()), classes),
             " is NaN (the first of ", wrong,
             "); NaN cannot be ranked, look at the method that made it"));
}

void CheckGroups(std::span<const ClassGroup> groups, std::int64_t classes) {
  std::set<std::string_view> names = {"total"};
  for (const ClassGroup& group : groups) {
    if (group.name.empty() || !names.insert(group.name).second) {
      throw ConfigError(StrCat("group '", group.name,
                               "': names of groups must be there, differ, and "
                               "not be 'total'"));
    }
    std::set<std::int64_t> seen;
    for (const std::int64_t c : group.classes) {
      if (c < 0 || c >= classes) {
        throw ConfigError(StrCat("group '", group.name, "' names class ", c,
                                 "; there are classes 0 to ", classes - 1));
      }
      if (!seen.insert(c).second) {
        throw ConfigError(
            StrCat("group '", group.name, "' names class ", c, " twice"));
      }
    }
  }
}

}  // namespace

void CheckInput(const ScoreMatrix& scores, const LabelSpans& labels,
                std::span<const ClassGroup> groups,
                std::span<const Definition> definitions) {
  if (scores.rows <= 0 || scores.classes <= 0) {
    throw DataError(StrCat("scores: the matrix ",
                           Shape(scores.rows, scores.classes),
                           " is empty; nothing to evaluate"));
  }
  if (scores.rows > kMostRows) {
    throw DataError(StrCat("scores: ", scores.rows, " rows; at most ",
                           kMostRows, " can be ranked"));
  }
  std::visit([&](auto values) { CheckSize(values.size(), scores, "scores"); },
             scores.values);
  CheckSize(labels.positive.size(), scores, "labels");
  if (!labels.known.empty()) CheckSize(labels.known.size(), scores, "known");
  CheckBits(labels.positive, scores.classes, "labels");
  CheckBits(labels.known, scores.classes, "known");
  CheckGroups(groups, scores.classes);
  if (definitions.empty()) {
    throw ConfigError("no metric definition given; try ap.step");
  }
  for (const Definition& definition : definitions) {
    if (!IsValid(definition.family, definition.ties)) {
      throw ConfigError(StrCat(NameOf(definition.family),
                               " has no ties=", NameOf(definition.ties)));
    }
    if (definition.family == ApFamily::kBinned && definition.bins < 2) {
      throw ConfigError(StrCat("ap.binned with ", definition.bins,
                               " thresholds; it takes 2 or more"));
    }
  }
  std::visit([&](auto values) { CheckNumbers(values, scores.classes); },
             scores.values);
}

}  // namespace tailmark
