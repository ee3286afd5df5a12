#include "harness/run/hold_out.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "datasets/loader/loader.h"
#include "harness/base/error.h"
#include "harness/base/seeds.h"

namespace tailmark {
namespace {

at::Tensor KnownPositives(const at::Tensor& labels, const at::Tensor& known) {
  const auto positive = labels.ne(0);
  return known.defined() ? positive.logical_and(known) : positive;
}

/// Moves rows to the validation side while no class gives more than its share.
class Stratifier {
 public:
  Stratifier(const at::Tensor& positive, double fraction, std::uint64_t seed)
      : positive_(positive.contiguous()),
        rows_(positive.size(0)),
        classes_(positive.size(1)),
        order_(ShuffledOrder(rows_, DeriveSeed(seed, "validation/rows"), 0)),
        taken_(static_cast<std::size_t>(rows_), false) {
    for (std::int64_t c = 0; c < classes_; ++c) {
      const auto n = positive_.select(1, c).sum().item<std::int64_t>();
      counts_.push_back(n);
      const auto share = static_cast<std::int64_t>(
          std::floor(fraction * static_cast<double>(n)));
      left_.push_back(n < 2 ? 0 : std::clamp<std::int64_t>(share, 1, n - 1));
    }
    wanted_ = std::max<std::int64_t>(
        1, std::llround(fraction * static_cast<double>(rows_)));
  }

  HeldOut Split() {
    std::vector<std::size_t> classes(counts_.size());
    std::iota(classes.begin(), classes.end(), std::size_t{0});
    std::stable_sort(classes.begin(), classes.end(),
                     [&](auto a, auto b) { return counts_[a] < counts_[b]; });
    for (const std::size_t c : classes) {
      for (const std::int64_t row : order_) {
        if (left_[c] == 0) break;
        if (Has(row, c)) TryToTake(row);
      }
    }
    // Rows without a rare class, until the share of rows is met.
    for (const std::int64_t row : order_) {
      if (count_ >= wanted_) break;
      TryToTake(row);
    }
    HeldOut out;
    for (std::int64_t row = 0; row < rows_; ++row) {
      (taken_[static_cast<std::size_t>(row)] ? out.validation : out.train)
          .push_back(row);
    }
    return out;
  }

 private:
  bool Has(std::int64_t row, std::size_t c) const {
    return positive_
        .const_data_ptr<bool>()[row * classes_ + static_cast<std::int64_t>(c)];
  }
  void TryToTake(std::int64_t row) {
    if (taken_[static_cast<std::size_t>(row)] || count_ + 1 >= rows_) return;
    for (std::size_t c = 0; c < left_.size(); ++c) {
      if (Has(row, c) && left_[c] == 0) return;
    }
    for (std::size_t c = 0; c < left_.size(); ++c) {
      if (Has(row, c)) --left_[c];
    }
    taken_[static_cast<std::size_t>(row)] = true;
    ++count_;
  }

  at::Tensor positive_;  // [rows, classes] bool
  std::int64_t rows_;
  std::int64_t classes_;
  std::vector<std::int64_t> order_;
  std::vector<std::int64_t> counts_, left_;
  std::vector<bool> taken_;
  std::int64_t wanted_ = 0;
  std::int64_t count_ = 0;
};

/// Of one class: `column` of (score, positive), in any order.
double AveragePrecision(std::vector<std::pair<double, bool>>& column) {
  std::sort(column.begin(), column.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  double sum = 0;
  double seen = 0;
  double positives = 0;
  for (std::size_t i = 0; i < column.size();) {
    double rise = 0;
    std::size_t end = i;
    for (; end < column.size() && column[end].first == column[i].first; ++end) {
      rise += column[end].second ? 1 : 0;
    }
    seen += static_cast<double>(end - i);
    positives += rise;
    sum += rise * (positives / seen);
    i = end;
  }
  return sum / positives;
}

}  // namespace

HeldOut HoldOut(const at::Tensor& labels, const at::Tensor& known,
                double fraction, std::uint64_t seed) {
  HeldOut out =
      Stratifier(KnownPositives(labels, known), fraction, seed).Split();
  const auto positive =
      KnownPositives(labels, known)
          .index_select(0, at::tensor(out.validation, at::kLong));
  if (out.validation.empty() || out.train.empty() ||
      !positive.any().item<bool>()) {
    throw DataError(StrCat("cannot hold out ", fraction, " of ", labels.size(0),
                           " training images for validation: no class has two "
                           "images that show it"));
  }
  return out;
}

std::optional<double> MeanAveragePrecision(const at::Tensor& scores,
                                           const at::Tensor& labels,
                                           const at::Tensor& known) {
  const auto values = scores.to(at::kCPU, at::kDouble).contiguous();
  const auto positive = labels.to(at::kCPU).ne(0).contiguous();
  const auto counted = known.defined()
                           ? known.to(at::kCPU, at::kBool).contiguous()
                           : at::ones_like(positive);
  const std::int64_t classes = values.size(1);
  double sum = 0;
  std::int64_t defined = 0;
  for (std::int64_t c = 0; c < classes; ++c) {
    std::vector<std::pair<double, bool>> column;
    bool any = false;
    for (std::int64_t i = c; i < values.numel(); i += classes) {
      if (!counted.const_data_ptr<bool>()[i]) continue;
      const bool there = positive.const_data_ptr<bool>()[i];
      any = any || there;
      column.emplace_back(values.const_data_ptr<double>()[i], there);
    }
    if (!any) continue;
    sum += AveragePrecision(column);
    ++defined;
  }
  if (defined == 0) return std::nullopt;
  return 100 * sum / static_cast<double>(defined);
}

}  // namespace tailmark
