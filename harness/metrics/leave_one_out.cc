// Average precision with one image left out, for all images of a class in one
// sweep: what an image changes is its own group of equal scores and, by one
// image or one positive, everything below it.

#include <cmath>
#include <limits>
#include <numeric>

#include "harness/base/error.h"
#include "harness/metrics/bootstrap.h"
#include "harness/metrics/check.h"
#include "harness/metrics/sorted_class.h"

namespace tailmark {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct GroupSum {
  double positives = 0;  ///< Of the group.
  double found = 0;      ///< Positives down to its end.
  double images = 0;     ///< Down to its end.
};

double Share(double rise, double found, double images) {
  return rise == 0 ? 0.0 : rise * found / images;
}

// out [images]: AP without that image, as a fraction; NaN when it was the only
// positive.
void LeaveOut(const SortedClass& sorted, std::vector<double>& out) {
  const auto total = static_cast<double>(sorted.positives.size());
  std::vector<GroupSum> groups;
  for (const TieSpan& span : sorted.spans) {
    groups.push_back({static_cast<double>(span.positives),
                      static_cast<double>(span.first_positive) +
                          static_cast<double>(span.positives),
                      static_cast<double>(span.end)});
  }
  const std::size_t k = groups.size();
  // Sums over groups above, and over groups from g on with one image less, or
  // one positive less.
  std::vector<double> above(k + 1), image_less(k + 1), positive_less(k + 1);
  for (std::size_t g = 0; g < k; ++g) {
    const GroupSum& s = groups[g];
    above[g + 1] = above[g] + Share(s.positives, s.found, s.images);
  }
  for (std::size_t g = k; g-- > 0;) {
    const GroupSum& s = groups[g];
    image_less[g] =
        image_less[g + 1] + Share(s.positives, s.found, s.images - 1);
    positive_less[g] =
        positive_less[g + 1] + Share(s.positives, s.found - 1, s.images - 1);
  }
  // Images that do not count leave the class as it is.
  const double whole = total == 0 ? kNan : above[k] / total;
  std::fill(out.begin(), out.end(), whole);
  std::size_t g = 0;
  for (std::size_t place = 0; place < sorted.rows.size(); ++place) {
    while (g < k && place >= sorted.spans[g].end) ++g;
    double& value = out[sorted.rows[place]];
    if (sorted.positive[place] != 0) {
      const GroupSum& s = groups[g];
      const double rest = above[g] +
                          Share(s.positives - 1, s.found - 1, s.images - 1) +
                          positive_less[g + 1];
      value = total == 1 ? kNan : rest / (total - 1);
    } else if (total > 0) {
      value = (above[g] + image_less[g]) / total;
    }
  }
}

}  // namespace

std::vector<std::vector<double>> LeaveOneOut(const ScoreMatrix& scores,
                                             const LabelSpans& labels,
                                             std::span<const ClassGroup> groups,
                                             const Definition& definition) {
  CheckInput(scores, labels, groups, std::span(&definition, 1));
  if (definition.family != ApFamily::kStep) {
    throw ConfigError(StrCat("BCa intervals are there for ap.step, not for '",
                             ShortId(definition), "'; take basic"));
  }
  const SortedMatrix matrix = SortClasses(scores, labels, definition.policy);
  const auto n = static_cast<std::size_t>(matrix.images);
  std::vector<std::vector<std::size_t>> member(matrix.classes.size(), {0});
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const std::int64_t c : groups[g].classes) {
      member[static_cast<std::size_t>(c)].push_back(g + 1);
    }
  }
  std::vector<std::vector<double>> sums(groups.size() + 1,
                                        std::vector<double>(n));
  std::vector<std::vector<double>> defined = sums;
  std::vector<double> ap(n);
  for (std::size_t c = 0; c < matrix.classes.size(); ++c) {
    LeaveOut(matrix.classes[c], ap);
    for (std::size_t i = 0; i < n; ++i) {
      const bool none = std::isnan(ap[i]);
      if (none && definition.policy.no_positive == NoPositive::kExclude) {
        continue;
      }
      for (const std::size_t g : member[c]) {
        sums[g][i] += none ? 0 : 100 * ap[i];
        defined[g][i] += 1;
      }
    }
  }
  for (std::size_t g = 0; g < sums.size(); ++g) {
    for (std::size_t i = 0; i < n; ++i) {
      sums[g][i] = defined[g][i] == 0 ? kNan : sums[g][i] / defined[g][i];
    }
  }
  return sums;
}

}  // namespace tailmark
