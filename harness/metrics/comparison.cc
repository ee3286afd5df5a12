#include "harness/metrics/comparison.h"

#include <algorithm>
#include <cmath>

#include "harness/base/error.h"
#include "harness/metrics/cells.h"
#include "harness/metrics/significance.h"

namespace tailmark {
namespace {

std::vector<double> Differences(std::span<const double> a,
                                std::span<const double> b) {
  TM_CHECK(a.size() == b.size(), "resamples of two kinds");
  std::vector<double> out(a.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = b[i] - a[i];
  return out;
}

bool AnyNumber(std::span<const double> values) {
  return std::any_of(values.begin(), values.end(),
                     [](double v) { return !std::isnan(v); });
}

PairedGroup CompareGroup(const GroupReplicates& a, const GroupReplicates& b,
                         const CompareOptions& options) {
  PairedGroup out{.name = a.name, .a = a.percent, .b = b.percent};
  const auto margin = options.margins.find(a.name);
  out.margin =
      margin == options.margins.end() ? DefaultMargin(a.name) : margin->second;
  const auto d = Differences(a.values, b.values);
  if (!a.percent || !b.percent || !AnyNumber(d)) return out;
  out.difference = *b.percent - *a.percent;
  out.interval = PercentileInterval(d, options.confidence);
  out.standard_error = StandardError(d);
  out.p = BootstrapP(d);
  out.mde = MinimumDetectable(out.standard_error, 0, options.alpha);
  out.p_equivalent = TostP(*out.difference, out.standard_error, 0, out.margin);
  return out;
}

PairedClass CompareClass(std::size_t c, const Replicates& a,
                         const Replicates& b, const CompareOptions& options) {
  PairedClass out{.index = static_cast<std::int64_t>(c),
                  .a = a.class_percent[c],
                  .b = b.class_percent[c]};
  const auto d = Differences(a.classes[c], b.classes[c]);
  if (!out.a || !out.b || !AnyNumber(d)) return out;
  out.difference = *out.b - *out.a;
  out.interval = PercentileInterval(d, options.confidence);
  out.p = BootstrapP(d);
  return out;
}

template <class Each>
std::vector<double> DefinedP(const std::vector<Each>& each) {
  std::vector<double> p;
  for (const Each& one : each) {
    if (one.difference) p.push_back(one.p);
  }
  return p;
}

template <class Each>
void SetAdjusted(std::vector<Each>& each, const std::vector<double>& adjusted) {
  std::size_t next = 0;
  for (Each& one : each) {
    if (one.difference) one.p_adjusted = adjusted[next++];
  }
}

}  // namespace

double DefaultMargin(std::string_view group) {
  if (group == "total") return 0.3;
  if (group == "tail") return 1.0;
  return 0.5;
}

std::string_view NameOf(Finding finding) {
  constexpr std::string_view kNames[] = {"different", "equivalent",
                                         "inconclusive", "undefined"};
  return kNames[static_cast<std::size_t>(finding)];
}

PairedComparison ComparePaired(const Replicates& a, const Replicates& b,
                               const CompareOptions& options) {
  TM_CHECK(a.images == b.images && a.definition == b.definition &&
               a.groups.size() == b.groups.size() &&
               a.classes.size() == b.classes.size() &&
               a.options.seed == b.options.seed,
           "resamples of two kinds");
  PairedComparison out;
  for (std::size_t g = 0; g < a.groups.size(); ++g) {
    out.groups.push_back(CompareGroup(a.groups[g], b.groups[g], options));
  }
  SetAdjusted(out.groups, HolmAdjusted(DefinedP(out.groups)));
  for (PairedGroup& group : out.groups) {
    if (!group.difference) continue;
    group.finding = Finding::kInconclusive;
    if (group.p_adjusted < options.alpha) {
      group.finding = Finding::kDifferent;
    } else if (group.p_equivalent < options.alpha) {
      group.finding = Finding::kEquivalent;
    }
  }
  for (std::size_t c = 0; c < a.classes.size(); ++c) {
    out.classes.push_back(CompareClass(c, a, b, options));
  }
  SetAdjusted(out.classes, BenjaminiHochbergAdjusted(DefinedP(out.classes)));
  return out;
}

Replicates MeanOverSeeds(std::span<const Replicates> seeds) {
  TM_CHECK(!seeds.empty());
  Replicates out = seeds.front();
  const auto n = static_cast<double>(seeds.size());
  const auto add = [](std::vector<double>& to,
                      const std::vector<double>& from) {
    for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
  };
  const auto add_one = [](std::optional<double>& to,
                          const std::optional<double>& from) {
    to = to && from ? std::optional(*to + *from) : std::nullopt;
  };
  for (std::size_t s = 1; s < seeds.size(); ++s) {
    for (std::size_t g = 0; g < out.groups.size(); ++g) {
      add(out.groups[g].values, seeds[s].groups[g].values);
      add_one(out.groups[g].percent, seeds[s].groups[g].percent);
    }
    for (std::size_t c = 0; c < out.classes.size(); ++c) {
      add(out.classes[c], seeds[s].classes[c]);
      add_one(out.class_percent[c], seeds[s].class_percent[c]);
    }
  }
  const auto divide = [n](std::vector<double>& values,
                          std::optional<double>& percent) {
    for (double& value : values) value /= n;
    if (percent) *percent /= n;
  };
  for (auto& group : out.groups) divide(group.values, group.percent);
  for (std::size_t c = 0; c < out.classes.size(); ++c) {
    divide(out.classes[c], out.class_percent[c]);
  }
  return out;
}

std::vector<std::vector<bool>> Distinguishable(
    std::span<const std::vector<double>> replicates, double alpha) {
  const std::size_t n = replicates.size();
  std::vector<double> p;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      p.push_back(BootstrapP(Differences(replicates[i], replicates[j])));
    }
  }
  const auto adjusted = HolmAdjusted(p);
  std::vector<std::vector<bool>> differs(n, std::vector<bool>(n));
  std::size_t next = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      differs[i][j] = differs[j][i] = adjusted[next++] < alpha;
    }
  }
  return differs;
}

WorstImages FindWorstImages(const ScoreMatrix& a, const ScoreMatrix& b,
                            const LabelSpans& labels,
                            const Definition& definition, std::size_t most) {
  if (definition.family != ApFamily::kStep) return {};
  const auto without_a = LeaveOneOut(a, labels, {}, definition).front();
  const auto without_b = LeaveOneOut(b, labels, {}, definition).front();
  const auto whole = [&](const ScoreMatrix& scores) {
    return Evaluate(scores, labels, {}, std::span(&definition, 1))
        .results.front()
        .total()
        .percent;
  };
  const auto all_a = whole(a);
  const auto all_b = whole(b);
  if (!all_a || !all_b) return {};
  const auto dropped =
      DroppedRows(labels, a.rows, a.classes, definition.policy);
  std::vector<ImageInfluence> images;
  std::size_t next = 0;
  for (std::int64_t row = 0; row < a.rows; ++row) {
    if (!dropped.empty() && dropped[static_cast<std::size_t>(row)] != 0) {
      continue;
    }
    const double left = without_b[next] - without_a[next];
    ++next;
    if (std::isnan(left)) continue;
    images.push_back({row, *all_b - *all_a - left});
  }
  std::stable_sort(images.begin(), images.end(),
                   [](const ImageInfluence& x, const ImageInfluence& y) {
                     return x.influence < y.influence;
                   });
  WorstImages out;
  for (std::size_t i = 0; i < std::min(most, images.size()); ++i) {
    const ImageInfluence& low = images[i];
    const ImageInfluence& high = images[images.size() - 1 - i];
    if (low.influence < 0) out.against.push_back(low);
    if (high.influence > 0) out.for_b.push_back(high);
  }
  return out;
}

}  // namespace tailmark
