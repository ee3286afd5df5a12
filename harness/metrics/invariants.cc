#include "harness/metrics/invariants.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/base/error.h"

namespace tailmark {
namespace {

constexpr double kRounding = 1e-9;

class Checker {
 public:
  explicit Checker(const Evaluation& evaluation) : evaluation_(evaluation) {}

  std::vector<std::string> Run() {
    if (evaluation_.results.empty()) Say("an evaluation without any result");
    if (evaluation_.diagnostics.classes.size() != Classes()) {
      Say("diagnostics do not have one entry a class");
      return wrong_;
    }
    for (const DefinitionResult& result : evaluation_.results) {
      if (result.ap.size() != Classes() || result.counts.size() != Classes() ||
          result.means.size() != evaluation_.groups.size() + 1) {
        Say(IdOf(result.definition),
            ": not one entry a class and a mean for each group");
        return wrong_;
      }
    }
    for (const DefinitionResult& result : evaluation_.results) {
      for (std::size_t c = 0; c < Classes(); ++c) CheckClass(result, c);
      CheckMeans(result);
      CheckSplit(result);
    }
    for (const DefinitionResult& result : evaluation_.results) {
      CheckOrder(result);
    }
    return wrong_;
  }

 private:
  std::size_t Classes() const {
    return static_cast<std::size_t>(evaluation_.classes);
  }
  template <class... Parts>
  void Say(const Parts&... parts) {
    wrong_.push_back(StrCat(parts...));
  }

  // What one number must satisfy by itself.
  void CheckClass(const DefinitionResult& result, std::size_t c) {
    const ClassCounts& n = result.counts[c];
    const auto where = [&] {
      return StrCat(IdOf(result.definition), ", class ", c, ": ");
    };
    if (n.positives < 0 || n.negatives < 0 || n.ignored < 0 ||
        n.positives + n.negatives + n.ignored != result.images) {
      Say(where(), n.positives, " positives, ", n.negatives, " negatives and ",
          n.ignored, " ignored do not add up to ", result.images, " images");
      return;
    }
    const auto& ap = result.ap[c];
    if (n.positives == 0) {
      CheckUndefined(result, c, where());
      return;
    }
    if (!ap) {
      Say(where(), "has positives but no value");
      return;
    }
    if (!(*ap >= 0 && *ap <= 1 + kRounding)) {
      Say(where(), "AP ", *ap, " is not in [0, 1]");
      return;
    }
    // What adds eps to a denominator is small by that much.
    if (result.definition.eps > 0) return;
    if (n.all_positive() && std::fabs(*ap - 1) > kRounding) {
      Say(where(), "every image is positive, so AP is 1, not ", *ap);
    }
    const ApFamily family = result.definition.family;
    if (family == ApFamily::kStep || family == ApFamily::kRank ||
        family == ApFamily::kVoc10 || family == ApFamily::kBinned) {
      const double bound = AllLast(n);
      if (*ap < bound - kRounding) {
        Say(where(), "AP ", *ap, " is below ", bound,
            ", all positives at the end");
      }
    }
    if (family == ApFamily::kRank && n.positives == 1 &&
        result.definition.ties != Ties::kExpected) {
      CheckOnePositive(*ap, n, where());
    }
  }

  void CheckUndefined(const DefinitionResult& result, std::size_t c,
                      const std::string& where) {
    const auto& ap = result.ap[c];
    if (result.definition.policy.no_positive == NoPositive::kZero) {
      if (ap != 0.0) Say(where, "no positive image, so AP is 0 by definition");
    } else if (ap) {
      Say(where, "no positive image, yet AP is ", *ap);
    }
  }

  void CheckOnePositive(double ap, const ClassCounts& n,
                        const std::string& where) {
    const double rank = std::round(1 / ap);
    const auto images = static_cast<double>(n.positives + n.negatives);
    if (rank < 1 || rank > images || std::fabs(ap * rank - 1) > kRounding) {
      Say(where, "one positive image, so AP is 1/rank, not ", ap);
    }
  }

  static double AllLast(const ClassCounts& n) {
    double sum = 0;
    for (std::int64_t i = 1; i <= n.positives; ++i) {
      sum += static_cast<double>(i) / static_cast<double>(n.negatives + i);
    }
    return sum / static_cast<double>(n.positives);
  }

  // low <= high wherever both have a value. `other` may be null.
  void CheckAtMost(const DefinitionResult& low, const DefinitionResult* high) {
    if (high == nullptr) return;
    for (std::size_t c = 0; c < Classes(); ++c) {
      const auto& a = low.ap[c];
      const auto& b = high->ap[c];
      if (a && b && *a > *b + kRounding) {
        Say("class ", c, ": ", IdOf(low.definition), " ", *a, " exceeds ",
            IdOf(high->definition), " ", *b);
      }
    }
  }

  const DefinitionResult* Sibling(const DefinitionResult& of, ApFamily family,
                                  Ties ties) const {
    const auto found = std::find_if(
        evaluation_.results.begin(), evaluation_.results.end(),
        [&](const DefinitionResult& each) {
          return each.definition.family == family &&
                 each.definition.ties == ties && each.definition.eps == 0 &&
                 each.definition.policy == of.definition.policy;
        });
    return found == evaluation_.results.end() ? nullptr : &*found;
  }

  // How definitions under one policy stand to each other.
  void CheckOrder(const DefinitionResult& result) {
    if (result.definition.eps > 0) return;
    const ApFamily family = result.definition.family;
    const Ties ties = result.definition.ties;
    const auto sibling = [&](ApFamily other, Ties order) {
      return Sibling(result, other, order);
    };
    if (family == ApFamily::kRank && ties == Ties::kWorst) {
      CheckAtMost(result, sibling(ApFamily::kStep, Ties::kGrouped));
      for (const Ties other :
           {Ties::kInput, Ties::kReverse, Ties::kExpected, Ties::kBest}) {
        CheckAtMost(result, sibling(ApFamily::kRank, other));
      }
    } else if (family == ApFamily::kRank) {
      if (ties == Ties::kInput) {
        CheckAtMost(result, sibling(ApFamily::kVoc10, Ties::kInput));
      }
      if (ties != Ties::kBest) {
        CheckAtMost(result, sibling(ApFamily::kRank, Ties::kBest));
      }
      CheckUntied(result);
    } else if (family == ApFamily::kStep) {
      CheckAtMost(result, sibling(ApFamily::kVoc10, Ties::kGrouped));
    }
  }

  // Without equal scores there is one ranking, so rank and step agree.
  void CheckUntied(const DefinitionResult& rank) {
    const DefinitionResult* step =
        Sibling(rank, ApFamily::kStep, Ties::kGrouped);
    if (step == nullptr) return;
    for (std::size_t c = 0; c < Classes(); ++c) {
      const auto& a = rank.ap[c];
      const auto& b = step->ap[c];
      if (evaluation_.diagnostics.classes[c].tied != 0 || !a || !b) continue;
      if (std::fabs(*a - *b) > kRounding) {
        Say("class ", c, ": no scores are equal, yet ", IdOf(rank.definition),
            " ", *a, " and ", IdOf(step->definition), " ", *b, " differ");
      }
    }
  }

  void CheckMeans(const DefinitionResult& result) {
    for (std::size_t g = 0; g < result.means.size(); ++g) {
      const GroupMean& mean = result.means[g];
      std::vector<std::int64_t> classes;
      if (g > 0) {
        classes = evaluation_.groups[g - 1].classes;
      } else {
        for (std::int64_t c = 0; c < evaluation_.classes; ++c) {
          classes.push_back(c);
        }
      }
      double sum = 0;
      std::int64_t defined = 0;
      for (const std::int64_t c : classes) {
        const auto& ap = result.ap[static_cast<std::size_t>(c)];
        if (!ap) continue;
        sum += *ap;
        ++defined;
      }
      const auto all = static_cast<std::int64_t>(classes.size());
      if (mean.classes != defined || mean.undefined != all - defined ||
          mean.percent.has_value() != (defined > 0)) {
        Say(IdOf(result.definition), ", ", mean.name, ": of ", all, " classes ",
            defined, " have a value, not ", mean.classes, " with ",
            mean.undefined, " undefined");
      } else if (defined > 0 &&
                 std::fabs(*mean.percent -
                           100 * sum / static_cast<double>(defined)) >
                     100 * kRounding) {
        Say(IdOf(result.definition), ", ", mean.name, ": ", *mean.percent,
            " is not the mean of its classes, ",
            100 * sum / static_cast<double>(defined));
      }
    }
  }

  // Groups that hold every class once average, weighted, to the total.
  void CheckSplit(const DefinitionResult& result) {
    std::multiset<std::int64_t> seen;
    for (const ClassGroup& group : evaluation_.groups) {
      seen.insert(group.classes.begin(), group.classes.end());
    }
    if (seen.size() != Classes() ||
        std::set<std::int64_t>(seen.begin(), seen.end()).size() != Classes()) {
      return;
    }
    double sum = 0;
    std::int64_t classes = 0;
    for (std::size_t g = 1; g < result.means.size(); ++g) {
      const GroupMean& mean = result.means[g];
      sum += mean.percent.value_or(0) * static_cast<double>(mean.classes);
      classes += mean.classes;
    }
    const auto& total = result.total().percent;
    if (!total || classes == 0) return;
    const double weighted = sum / static_cast<double>(classes);
    if (std::fabs(*total - weighted) > 100 * kRounding) {
      Say(IdOf(result.definition), ": the groups average to ", weighted,
          ", not to the total ", *total);
    }
  }

  const Evaluation& evaluation_;
  std::vector<std::string> wrong_;
};

}  // namespace

std::vector<std::string> Violations(const Evaluation& evaluation) {
  return Checker(evaluation).Run();
}

}  // namespace tailmark
