#include "harness/metrics/bootstrap.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <thread>

#include "harness/base/error.h"
#include "harness/base/seeds.h"
#include "harness/metrics/check.h"
#include "harness/metrics/sorted_class.h"

namespace tailmark {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Resamples computed side by side: one sweep over a class serves all of them,
// and the compiler makes vectors of the lanes.
constexpr std::size_t kLanes = 8;
using Lanes = std::array<double, kLanes>;

// ap.step of one class: precision at the end of each group of equal scores,
// weighted by its positives. NaN without a positive.
Lanes StepLanes(const SortedClass& sorted, const std::uint16_t* weights) {
  std::array<std::uint32_t, kLanes> images{};
  std::array<std::uint32_t, kLanes> found{};
  Lanes sum{};
  std::uint32_t at = 0;
  for (const TieSpan& span : sorted.spans) {
    // It adds nothing, whatever its precision; the next one counts its images.
    if (span.positives == 0) continue;
    for (; at < span.end; ++at) {
      const std::uint16_t* const w = weights + sorted.rows[at] * kLanes;
      for (std::size_t l = 0; l < kLanes; ++l) images[l] += w[l];
    }
    std::array<std::uint32_t, kLanes> rise{};
    for (std::uint32_t i = 0; i < span.positives; ++i) {
      const std::uint16_t* const w =
          weights + sorted.positives[span.first_positive + i] * kLanes;
      for (std::size_t l = 0; l < kLanes; ++l) rise[l] += w[l];
    }
    for (std::size_t l = 0; l < kLanes; ++l) {
      found[l] += rise[l];
      // Without an image above there is no positive either: 0 / 1.
      const std::uint32_t above = std::max(images[l], 1U);
      sum[l] += static_cast<double>(rise[l]) * static_cast<double>(found[l]) /
                static_cast<double>(above);
    }
  }
  for (std::size_t l = 0; l < kLanes; ++l) {
    sum[l] = found[l] == 0 ? kNan : sum[l] / static_cast<double>(found[l]);
  }
  return sum;
}

// Any definition, by writing each image as often as it was drawn. Copies of an
// image have equal scores and equal labels.
double ExpandedAp(const SortedClass& sorted, const std::uint16_t* weights,
                  std::size_t lane, const Definition& definition) {
  std::vector<std::uint8_t> starts;
  std::vector<std::uint8_t> positive;
  std::uint8_t start = 0;
  for (std::size_t i = 0; i < sorted.rows.size(); ++i) {
    start |= sorted.starts[i];
    for (std::uint16_t k = weights[sorted.rows[i] * kLanes + lane]; k > 0;
         --k) {
      starts.push_back(start);
      positive.push_back(sorted.positive[i]);
      start = 0;
    }
  }
  std::vector<std::uint32_t> rows(starts.size());
  std::iota(rows.begin(), rows.end(), 0U);
  Hits hits;
  FindHits(rows, starts, positive, hits);
  return hits.positives() == 0
             ? kNan
             : AveragePrecision(definition.family, definition.ties, hits);
}

Lanes ClassLanes(const SortedClass& sorted, const std::uint16_t* weights,
                 const Definition& definition) {
  if (definition.family == ApFamily::kStep) return StepLanes(sorted, weights);
  Lanes lanes{};
  for (std::size_t l = 0; l < kLanes; ++l) {
    lanes[l] = ExpandedAp(sorted, weights, l, definition);
  }
  return lanes;
}

// Resamples [first, first + kLanes) of every class.
void DoBlock(const SortedMatrix& matrix, std::int64_t first, Replicates& out,
             std::vector<std::uint16_t>& weights,
             std::vector<std::uint16_t>& counts) {
  const auto n = static_cast<std::size_t>(matrix.images);
  const auto lanes = static_cast<std::size_t>(std::min<std::int64_t>(
      static_cast<std::int64_t>(kLanes), out.options.resamples - first));
  std::fill(weights.begin(), weights.end(), std::uint16_t{0});
  for (std::size_t l = 0; l < lanes; ++l) {
    DrawImages(out.options.seed, first + static_cast<std::int64_t>(l), counts);
    for (std::size_t i = 0; i < n; ++i) weights[i * kLanes + l] = counts[i];
  }
  const bool zero = out.definition.policy.no_positive == NoPositive::kZero;
  for (std::size_t c = 0; c < matrix.classes.size(); ++c) {
    const Lanes ap =
        ClassLanes(matrix.classes[c], weights.data(), out.definition);
    for (std::size_t l = 0; l < lanes; ++l) {
      out.classes[c][static_cast<std::size_t>(first) + l] =
          std::isnan(ap[l]) && zero ? 0.0 : 100 * ap[l];
    }
  }
}

void DoBlocks(const SortedMatrix& matrix, Replicates& out) {
  std::atomic<std::int64_t> next = 0;
  const auto work = [&] {
    std::vector<std::uint16_t> counts(static_cast<std::size_t>(matrix.images));
    std::vector<std::uint16_t> weights(counts.size() * kLanes);
    constexpr auto kStep = static_cast<std::int64_t>(kLanes);
    for (auto first = next.fetch_add(kStep); first < out.options.resamples;
         first = next.fetch_add(kStep)) {
      DoBlock(matrix, first, out, weights, counts);
    }
  };
  std::vector<std::jthread> helpers;
  for (int i = 1; i < out.options.threads; ++i) helpers.emplace_back(work);
  work();
}

// Classes in class order, as Evaluate() adds them.
GroupReplicates GroupOf(std::string name, std::vector<std::int64_t> classes,
                        std::optional<double> percent, const Replicates& all) {
  std::sort(classes.begin(), classes.end());
  GroupReplicates group{.name = std::move(name), .percent = percent};
  const auto resamples = static_cast<std::size_t>(all.options.resamples);
  group.values.reserve(resamples);
  for (std::size_t b = 0; b < resamples; ++b) {
    double sum = 0;
    std::int64_t defined = 0;
    for (const std::int64_t c : classes) {
      const double value = all.classes[static_cast<std::size_t>(c)][b];
      if (std::isnan(value)) continue;
      sum += value;
      ++defined;
    }
    group.left_out += static_cast<std::int64_t>(classes.size()) - defined;
    group.values.push_back(defined == 0 ? kNan
                                        : sum / static_cast<double>(defined));
  }
  return group;
}

void CheckOptions(const BootstrapOptions& options,
                  const Definition& definition) {
  if (definition.family == ApFamily::kBinned || definition.eps > 0) {
    throw ConfigError(StrCat(ShortId(definition),
                             " is for parity with other programs and is not "
                             "resampled; take ap.step or ap.rank"));
  }
  if (options.resamples < 2 || options.resamples > 1'000'000) {
    throw ConfigError(
        StrCat("resamples: ", options.resamples, " is outside [2, 1000000]"));
  }
}

}  // namespace

const GroupReplicates* Replicates::Find(std::string_view name) const {
  for (const GroupReplicates& group : groups) {
    if (group.name == name) return &group;
  }
  return nullptr;
}

void DrawImages(std::uint64_t seed, std::int64_t b,
                std::span<std::uint16_t> counts) {
  std::fill(counts.begin(), counts.end(), std::uint16_t{0});
  ChanceStream chance(DeriveSeed(seed, "bootstrap/images"), 0,
                      static_cast<std::uint64_t>(b));
  const auto n = static_cast<std::uint32_t>(counts.size());
  for (std::uint32_t i = 0; i < n; ++i) ++counts[chance.Below(n)];
}

Replicates BootstrapImages(const ScoreMatrix& scores, const LabelSpans& labels,
                           std::span<const ClassGroup> groups,
                           const Definition& definition,
                           const BootstrapOptions& options) {
  CheckOptions(options, definition);
  const Evaluation plain =
      Evaluate(scores, labels, groups, std::span(&definition, 1));
  const SortedMatrix matrix = SortClasses(scores, labels, definition.policy);
  if (matrix.images == 0) {
    throw DataError("no image has a positive label: nothing to draw from");
  }
  Replicates out{
      .definition = definition, .options = options, .images = matrix.images};
  const DefinitionResult& result = plain.results.front();
  for (const auto& ap : result.ap) {
    out.class_percent.push_back(ap ? std::optional(100 * *ap) : std::nullopt);
    out.classes.emplace_back(static_cast<std::size_t>(options.resamples));
  }
  DoBlocks(matrix, out);
  std::vector<std::int64_t> all(result.ap.size());
  std::iota(all.begin(), all.end(), 0);
  out.groups.push_back(GroupOf("total", all, result.total().percent, out));
  for (std::size_t g = 0; g < groups.size(); ++g) {
    out.groups.push_back(GroupOf(groups[g].name, groups[g].classes,
                                 result.means[g + 1].percent, out));
  }
  return out;
}

}  // namespace tailmark
