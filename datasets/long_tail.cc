#include "datasets/long_tail.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "harness/base/error.h"
#include "harness/base/seeds.h"

namespace tailmark {
namespace {

constexpr std::uint64_t kDomain = 1;  // Of the order of images.

std::vector<std::size_t> RanksOf(const std::vector<std::int64_t>& counts) {
  std::vector<std::size_t> order(counts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return counts[a] > counts[b]; });
  return order;
}

/// Rows in a random order that does not depend on how sort breaks ties.
std::vector<std::int64_t> Shuffled(std::int64_t rows, std::uint64_t seed) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  ChanceStream chance(seed, kDomain, 0);
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[chance.Below(static_cast<std::uint32_t>(i))]);
  }
  return order;
}

class Draw {
 public:
  Draw(const LabelMatrix& labels, const std::vector<std::int64_t>& targets)
      : labels_(labels),
        targets_(targets),
        counts_(targets.size()),
        taken_(static_cast<std::size_t>(labels.rows)) {}

  // First without giving any class too many, then with as few as possible.
  void Fill(std::int64_t c, const std::vector<std::int64_t>& order) {
    for (const std::int64_t row : order) {
      if (Lacks(c) <= 0) return;
      if (Free(row, c) && Surplus(row) == 0) Take(row);
    }
    while (Lacks(c) > 0) {
      std::int64_t best = -1;
      for (const std::int64_t row : order) {
        if (!Free(row, c)) continue;
        if (best < 0 || Surplus(row) < Surplus(best)) best = row;
      }
      if (best < 0) return;
      Take(best);
    }
  }
  std::vector<std::int64_t> Rows() const {
    std::vector<std::int64_t> rows;
    for (std::size_t row = 0; row < taken_.size(); ++row) {
      if (taken_[row] != 0) rows.push_back(static_cast<std::int64_t>(row));
    }
    return rows;
  }

 private:
  std::int64_t Lacks(std::int64_t c) const {
    const auto at = static_cast<std::size_t>(c);
    return targets_[at] - counts_[at];
  }
  bool Free(std::int64_t row, std::int64_t c) const {
    return taken_[static_cast<std::size_t>(row)] == 0 &&
           labels_.Positive(row, c);
  }
  std::int64_t Surplus(std::int64_t row) const {
    std::int64_t surplus = 0;
    for (std::int64_t c = 0; c < labels_.classes; ++c) {
      if (labels_.Positive(row, c) && Lacks(c) <= 0) ++surplus;
    }
    return surplus;
  }
  void Take(std::int64_t row) {
    taken_[static_cast<std::size_t>(row)] = 1;
    for (std::int64_t c = 0; c < labels_.classes; ++c) {
      counts_[static_cast<std::size_t>(c)] += labels_.Positive(row, c);
    }
  }

  const LabelMatrix& labels_;
  const std::vector<std::int64_t>& targets_;
  std::vector<std::int64_t> counts_;
  std::vector<char> taken_;
};

}  // namespace

std::vector<std::int64_t> LongTailTargets(
    const std::vector<std::int64_t>& available, const LongTailRule& rule) {
  const std::vector<std::size_t> ranks = RanksOf(available);
  if (ranks.empty() || available[ranks.front()] == 0) {
    throw ConfigError("no class has a positive to cut a long tail from");
  }
  const std::int64_t most =
      rule.most == 0 ? available[ranks.front()] : rule.most;
  if (rule.least < 1 || most < rule.least) {
    throw ConfigError(StrCat("least ", rule.least, " is outside [1, ", most,
                             "], what the most frequent class is to have"));
  }
  if (!(rule.power > 0)) {
    throw ConfigError(StrCat("power ", rule.power, " is not above 0"));
  }
  const double last =
      std::max<double>(1, static_cast<double>(ranks.size()) - 1);
  const double ratio =
      static_cast<double>(most) / static_cast<double>(rule.least);
  const double b = (std::pow(ratio, 1 / rule.power) - 1) / last;
  std::vector<std::int64_t> targets(available.size());
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    const double law = static_cast<double>(most) *
                       std::pow(1 + b * static_cast<double>(r), -rule.power);
    targets[ranks[r]] =
        std::min<std::int64_t>(available[ranks[r]], std::llround(law));
  }
  return targets;
}

std::vector<std::int64_t> DrawLongTail(const LabelMatrix& labels,
                                       const std::vector<std::int64_t>& targets,
                                       std::uint64_t seed) {
  TM_CHECK(static_cast<std::int64_t>(targets.size()) == labels.classes);
  const std::vector<std::int64_t> order = Shuffled(labels.rows, seed);
  std::vector<std::size_t> ranks = RanksOf(targets);
  std::reverse(ranks.begin(), ranks.end());
  Draw draw(labels, targets);
  for (const std::size_t c : ranks) {
    draw.Fill(static_cast<std::int64_t>(c), order);
  }
  return draw.Rows();
}

}  // namespace tailmark
