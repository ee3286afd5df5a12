#include "harness/cli/score_checks.h"

#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "harness/base/error.h"
#include "harness/cli/score_rows.h"
#include "harness/metrics/arrays.h"

namespace tailmark {
namespace {

/// What the files hold, as far as they could be read.
struct Held {
  std::optional<ScoreFileInfo> info;
  std::optional<ScoreArray> scores;
  std::vector<std::string> ids;

  double At(std::int64_t row, std::int64_t column) const {
    const auto at = static_cast<std::size_t>(row * scores->classes + column);
    return std::visit(
        [&](const auto& values) { return static_cast<double>(values[at]); },
        scores->values);
  }
  /// "row 3, class 'car'" of the first cell that is so; "" for none.
  std::string First(const std::function<bool(double)>& so) const {
    for (std::int64_t row = 0; row < scores->rows; ++row) {
      for (std::int64_t column = 0; column < scores->classes; ++column) {
        if (!so(At(row, column))) continue;
        return StrCat("row ", row, ", column ", column, " is ",
                      At(row, column));
      }
    }
    return "";
  }
};

std::string Twice(const std::vector<std::string>& names) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) return StrCat("'", name, "' comes twice");
  }
  return "";
}

std::string ShapeHeld(const Held& held) {
  const auto ids = static_cast<std::int64_t>(held.ids.size());
  const auto classes = static_cast<std::int64_t>(held.info->classes.size());
  if (held.scores->rows == ids && held.scores->classes == classes) return "";
  return StrCat(held.scores->rows, " x ", held.scores->classes, " scores, ",
                ids, " ids and ", classes, " classes");
}

std::string Constant(const Held& held) {
  for (std::int64_t row = 1; row < held.scores->rows; ++row) {
    for (std::int64_t c = 0; c < held.scores->classes; ++c) {
      if (held.At(row, c) != held.At(0, c)) return "";
    }
  }
  return held.scores->rows < 2 ? "" : "every image has the same scores";
}

std::string Scale(const Held& held) {
  const std::string& scale = held.info->scale;
  if (scale != "probability" && scale != "cosine") return "";
  const double low = scale == "cosine" ? -1 : 0;
  constexpr double kSlack = 1e-3;  // float16's
  const std::string at =
      held.First([&](double x) { return x < low - kSlack || x > 1 + kSlack; });
  return at.empty() ? "" : StrCat("scale is '", scale, "', and ", at);
}

struct Promise {
  const char* check;
  const char* meaning;
  bool needs_scores;
  std::string (*broken)(const Held&);  ///< How; "" when it is kept.
};

const Promise kPromises[] = {
    {"NoImageComesTwice", "each image has one row", false,
     [](const Held& held) { return Twice(held.ids); }},
    {"NoClassComesTwice", "each class has one column", false,
     [](const Held& held) { return Twice(held.info->classes); }},
    {"ARowAnImageAColumnAClass", "as many rows as ids, columns as classes",
     true, ShapeHeld},
    {"EveryScoreIsANumber", "no score is NaN", true,
     [](const Held& held) {
       return held.First([](double x) { return std::isnan(x); });
     }},
    {"ScoresTellImagesApart", "not every image has the same scores", true,
     Constant},
    {"TheScaleIsWhatItSays", "probabilities and cosines lie where they must",
     true, Scale},
};

OrderedJson Result(const char* check, const char* meaning, const char* outcome,
                   const std::string& detail) {
  return {{"check", check},
          {"meaning", meaning},
          {"outcome", outcome},
          {"detail", detail}};
}

}  // namespace

OrderedJson CheckScores(const std::filesystem::path& file, std::string& name) {
  Held held;
  name = file.stem().string();
  OrderedJson results = OrderedJson::array();
  const auto read = [&](const char* check, const char* meaning,
                        const std::function<void()>& body) {
    try {
      body();
      results.push_back(Result(check, meaning, "kept", ""));
    } catch (const DataError& error) {
      results.push_back(Result(check, meaning, "broken", error.what()));
    }
  };
  read("SaysWhatItIs", "name, classes and ids lie beside the scores", [&] {
    held.info = ReadScoreFile(file);
    name = held.info->name;
    held.ids = ReadScoreIds(*held.info);
  });
  read("IsAMatrixOfScores", "[N, C] float16, float32 or float64", [&] {
    const auto at = held.info ? held.info->scores : file;
    held.scores = ScoresFromNpy(ReadNpy(at), at.string());
  });
  for (const Promise& each : kPromises) {
    if (!held.info || (each.needs_scores && !held.scores)) {
      results.push_back(Result(each.check, each.meaning, "skipped",
                               "what it asks about could not be read"));
      continue;
    }
    const std::string how = each.broken(held);
    results.push_back(
        Result(each.check, each.meaning, how.empty() ? "kept" : "broken", how));
  }
  return results;
}

}  // namespace tailmark
