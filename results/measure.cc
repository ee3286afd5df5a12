#include "results/measure.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/npy.h"
#include "harness/metrics/arrays.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

/// "test.episode-12" -> 12; -1 when it is not of an episode.
int EpisodeOf(std::string_view scores) {
  constexpr std::string_view kMark = ".episode-";
  const auto at = scores.find(kMark);
  if (at == scores.npos) return -1;
  int episode = -1;
  const auto digits = scores.substr(at + kMark.size());
  std::from_chars(digits.data(), digits.data() + digits.size(), episode);
  return episode;
}

std::size_t FindSplit(const DatasetFacts& facts, const ScoreFile& file,
                      const std::string& name) {
  const std::string split = SplitOf(file.split);
  const int episode = EpisodeOf(file.split);
  for (std::size_t i = 0; i < facts.splits.size(); ++i) {
    if (facts.splits[i].name == split && facts.splits[i].episode == episode) {
      return i;
    }
  }
  throw DataError(
      StrCat(name, ": the data set has no split '", file.split, "'"));
}

void CheckShape(const ScoreFile& file, const ScoreArray& scores,
                const DatasetFacts& facts, const SplitFacts& split,
                const std::string& name) {
  const auto classes = static_cast<std::int64_t>(facts.classes.size());
  if (scores.rows != file.rows || scores.classes != file.cols ||
      NameOf(scores.dtype) != file.dtype) {
    throw DataError(StrCat(name, ": ", NameOf(scores.dtype), " [", scores.rows,
                           ", ", scores.classes, "], run.json says ",
                           file.dtype, " [", file.rows, ", ", file.cols, "]"));
  }
  if (scores.rows != split.rows || scores.classes != classes) {
    throw DataError(StrCat(name, ": ", scores.rows, " rows and ",
                           scores.classes, " classes, the split '", split.name,
                           "' has ", split.rows, " and ", classes));
  }
  const auto cells = static_cast<std::size_t>(split.rows * classes);
  if (split.positive.size() != cells ||
      (!split.known.empty() && split.known.size() != cells)) {
    throw DataError(StrCat(name, ": the labels of split '", split.name,
                           "' have ", split.positive.size(),
                           " cells, expected ", cells));
  }
}

/// A sentence naming the first NaN, row by row, or "".
std::string FirstNan(const ScoreArray& scores, const DatasetFacts& facts,
                     const std::string& file) {
  return std::visit(
      [&](const auto& values) -> std::string {
        for (std::size_t i = 0; i < values.size(); ++i) {
          if (!std::isnan(values[i])) continue;
          const auto columns = static_cast<std::size_t>(scores.classes);
          return StrCat(file, ": the score of row ", i / columns, ", class ",
                        i % columns, " '", facts.classes[i % columns].name,
                        "' is NaN");
        }
        return "";
      },
      scores.values);
}

}  // namespace

std::string SplitOf(const std::string& scores) {
  return scores.substr(0, scores.find('.'));
}

std::vector<ClassGroup> GroupsOf(const std::vector<ClassFacts>& classes) {
  constexpr std::array kOrder = {"head", "medium", "tail", "base", "novel"};
  std::vector<ClassGroup> groups;
  for (const char* name : kOrder) {
    ClassGroup group{.name = name, .classes = {}};
    for (std::size_t c = 0; c < classes.size(); ++c) {
      if (classes[c].group == name) {
        group.classes.push_back(static_cast<std::int64_t>(c));
      }
    }
    if (!group.classes.empty()) groups.push_back(std::move(group));
  }
  return groups;
}

Measured Measure(const fs::path& bundle, const ScoreFile& file,
                 const DatasetFacts& facts, const LabelPolicy& policy) {
  const fs::path path = bundle / file.path;
  const std::string name = path.string();
  Measured out;
  out.file = file;
  out.bytes = ReadFile(path);
  if (const std::string found = Sha256Hex(out.bytes); found != file.sha256) {
    throw DataError(
        StrCat(name, ": SHA-256 is ", found, ", run.json says ", file.sha256));
  }
  const ScoreArray scores = ScoresFromNpy(ParseNpy(out.bytes, name), name);
  out.split = FindSplit(facts, file, name);
  const SplitFacts& split = facts.splits[out.split];
  CheckShape(file, scores, facts, split, name);
  out.nan = FirstNan(scores, facts, file.path);
  if (!out.nan.empty()) return out;
  out.with_classes = file.split.find(".epoch-") == std::string::npos;
  try {
    out.evaluation = Evaluate(
        scores.view(), {.positive = split.positive, .known = split.known},
        GroupsOf(facts.classes), DefaultDefinitions(policy));
  } catch (const DataError& error) {
    throw DataError(StrCat(name, ": ", error.what()));
  }
  return out;
}

}  // namespace tailmark
