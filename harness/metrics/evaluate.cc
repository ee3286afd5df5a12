#include "harness/metrics/evaluate.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>

#include "harness/base/error.h"
#include "harness/metrics/average_precision.h"
#include "harness/metrics/cells.h"
#include "harness/metrics/check.h"
#include "harness/metrics/ranking.h"

namespace tailmark {
namespace {

// Definitions that agree on which cells count share the walk over a ranking.
struct View {
  Difficult difficult;
  Empty empty;
  CellKinds kinds{};
  std::vector<std::uint8_t> dropped;  // [N]; empty: none
  std::int64_t images = 0;
  std::vector<DefinitionResult*> results;
};

std::vector<View> MakeViews(const ScoreMatrix& scores, const LabelSpans& labels,
                            std::vector<DefinitionResult>& results) {
  std::vector<View> views;
  for (DefinitionResult& result : results) {
    const LabelPolicy& policy = result.definition.policy;
    auto view = std::find_if(views.begin(), views.end(), [&](const View& v) {
      return v.difficult == policy.difficult && v.empty == policy.empty;
    });
    if (view == views.end()) {
      views.push_back({.difficult = policy.difficult,
                       .empty = policy.empty,
                       .kinds = KindsUnder(policy.difficult),
                       .images = scores.rows});
      view = views.end() - 1;
      view->dropped = DroppedRows(labels, scores.rows, scores.classes, policy);
      view->images -= std::count(view->dropped.begin(), view->dropped.end(), 1);
    }
    view->results.push_back(&result);
    result.images = view->images;
  }
  return views;
}

// The ends of a class's ranking.
struct Ends {
  double largest = 0;
  double smallest = 0;
  std::int64_t at_largest = 0;  // rows
  std::int64_t at_smallest = 0;
};

// Whether thresholds in [0, 1] need the sigmoid of the scores: any of them lies
// outside.
bool LeavesUnitRange(const ScoreMatrix& scores) {
  return std::visit(
      [](auto values) {
        return std::any_of(values.begin(), values.end(), [](auto value) {
          const auto score = static_cast<double>(value);
          return score < 0 || score > 1;
        });
      },
      scores.values);
}

// The largest k of 0..bins-1 with k/(bins-1) at most the score in [0, 1].
int BinOf(double score, int bins) {
  const double steps = bins - 1;
  int k = static_cast<int>(score * steps);
  // A product may round over a threshold.
  while (k + 1 < bins && (k + 1) / steps <= score) ++k;
  while (k > 0 && k / steps > score) --k;
  return k;
}

// Computes some of the classes; one per thread, each with its own memory.
class ClassWorker {
 public:
  ClassWorker(const ScoreMatrix& scores, const LabelSpans& labels,
              std::span<const View> views, std::span<ClassTies> ties,
              std::span<Ends> ends)
      : scores_(scores),
        labels_(labels),
        rows_(static_cast<std::size_t>(scores.rows)),
        classes_(static_cast<std::size_t>(scores.classes)),
        views_(views),
        ties_(ties),
        ends_(ends),
        ranker_(scores),
        cells_(rows_ * static_cast<std::size_t>(ColumnRanker::kBlock)),
        kinds_(rows_),
        binned_(std::any_of(views.begin(), views.end(), HasBins)),
        sigmoid_(binned_ && LeavesUnitRange(scores)),
        kept_{.rows = std::vector<std::uint32_t>(rows_),
              .starts = std::vector<std::uint8_t>(rows_)} {}

  // Classes [first, first + kBlock), as far as there are any.
  void DoBlock(std::int64_t first) {
    ranker_.Load(first);
    LoadCells(static_cast<std::size_t>(first));
    const auto end = std::min<std::int64_t>(
        first + ColumnRanker::kBlock, static_cast<std::int64_t>(classes_));
    for (std::int64_t c = first; c < end; ++c) {
      DoClass(static_cast<std::size_t>(c),
              cells_.data() + static_cast<std::size_t>(c - first) * rows_);
    }
  }

 private:
  static bool HasBins(const View& view) {
    return std::any_of(view.results.begin(), view.results.end(),
                       [](const DefinitionResult* result) {
                         return result->definition.family == ApFamily::kBinned;
                       });
  }

  void LoadCells(std::size_t first) {
    const std::size_t width = std::min(
        static_cast<std::size_t>(ColumnRanker::kBlock), classes_ - first);
    const std::uint8_t* const positive = labels_.positive.data() + first;
    const std::uint8_t* const known =
        labels_.known.empty() ? nullptr : labels_.known.data() + first;
    for (std::size_t row = 0; row < rows_; ++row) {
      const std::size_t from = row * classes_;
      for (std::size_t c = 0; c < width; ++c) {
        const unsigned bit = known == nullptr ? 1U : known[from + c];
        cells_[c * rows_ + row] =
            static_cast<std::uint8_t>(positive[from + c] | bit << 1);
      }
    }
  }

  void DoClass(std::size_t c, const std::uint8_t* cells) {
    ranker_.Rank(static_cast<std::int64_t>(c), ranking_);
    ClassTies& ties = ties_[c];
    CountTies(ties);
    FindEnds(c);
    for (const View& view : views_) {
      const ClassCounts counts = Look(view, cells);
      for (DefinitionResult* result : view.results) {
        result->counts[c] = counts;
        result->ap[c] = Value(result->definition, c);
      }
      // The first view is the first definition's.
      if (&view == &views_.front() && hits_.positives() > 0) {
        const auto rank = [&](Ties order) {
          return AveragePrecision(ApFamily::kRank, order, hits_);
        };
        ties.worst = rank(Ties::kWorst);
        ties.expected = rank(Ties::kExpected);
        ties.best = rank(Ties::kBest);
      }
    }
  }

  void CountTies(ClassTies& ties) const {
    const auto& starts = ranking_.starts;
    std::size_t distinct = 0;
    std::size_t alone = 0;
    for (std::size_t i = 0; i + 1 < rows_; ++i) {
      distinct += starts[i];
      alone += starts[i] & starts[i + 1];
    }
    distinct += starts[rows_ - 1];
    alone += starts[rows_ - 1];
    ties.distinct = static_cast<std::int64_t>(distinct);
    ties.tied = static_cast<std::int64_t>(rows_ - alone);
  }

  void FindEnds(std::size_t c) {
    // Adding 0.0 makes 0.0 of -0.0, whichever of the two came first.
    const auto score = [&](std::size_t place) {
      const std::size_t i = ranking_.rows[place] * classes_ + c;
      return std::visit(
          [i](auto values) { return static_cast<double>(values[i]) + 0.0; },
          scores_.values);
    };
    std::size_t top = 1;
    while (top < rows_ && ranking_.starts[top] == 0) ++top;
    std::size_t bottom = rows_ - 1;
    while (ranking_.starts[bottom] == 0) --bottom;
    ends_[c] = {.largest = score(0),
                .smallest = score(rows_ - 1),
                .at_largest = static_cast<std::int64_t>(top),
                .at_smallest = static_cast<std::int64_t>(rows_ - bottom)};
  }

  // Fills hits_ with what the view sees of the ranked class.
  ClassCounts Look(const View& view, const std::uint8_t* cells) {
    for (std::size_t row = 0; row < rows_; ++row) {
      kinds_[row] = view.kinds[cells[row]];
    }
    for (std::size_t row = 0; row < view.dropped.size(); ++row) {
      if (view.dropped[row] != 0) kinds_[row] = kIgnoredCell;
    }
    // Sums without a branch or a table: the compiler makes vectors of them.
    std::size_t positives = 0;
    std::size_t left_out = 0;
    for (const std::uint8_t kind : kinds_) {
      positives += kind & kPositiveCell;
      left_out += kind >> 1;
    }
    static_assert(kPositiveCell == 1 && kIgnoredCell == 2);
    const auto used = static_cast<std::int64_t>(rows_ - left_out);
    const ClassCounts out{
        .positives = static_cast<std::int64_t>(positives),
        .negatives = used - static_cast<std::int64_t>(positives),
        .ignored = view.images - used};
    seen_ = ranking_.rows;
    if (left_out == 0) {
      FindHits(ranking_.rows, ranking_.starts, kinds_, hits_);
      return out;
    }
    // A score begins anew where any of the images left out in between began it.
    std::size_t kept = 0;
    std::uint8_t start = 0;
    for (std::size_t i = 0; i < rows_; ++i) {
      const std::uint32_t row = ranking_.rows[i];
      start |= ranking_.starts[i];
      if (kinds_[row] == kIgnoredCell) continue;
      kept_.rows[kept] = row;
      kept_.starts[kept] = start;
      ++kept;
      start = 0;
    }
    seen_ = std::span(kept_.rows).first(kept);
    FindHits(seen_, std::span(kept_.starts).first(kept), kinds_, hits_);
    return out;
  }

  double ScoreOf(std::uint32_t row, std::size_t c) const {
    const std::size_t i = row * classes_ + c;
    return std::visit(
        [i](auto values) { return static_cast<double>(values[i]); },
        scores_.values);
  }

  // Scores of one bin enter together, so the groups are the bins.
  double BinnedAp(const Definition& definition, std::size_t c) {
    bin_starts_.resize(seen_.size());
    int last = -1;
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      const double score = ScoreOf(seen_[i], c);
      const int bin =
          BinOf(sigmoid_ ? 1 / (1 + std::exp(-score)) : score, definition.bins);
      bin_starts_[i] = bin != last ? 1 : 0;
      last = bin;
    }
    FindHits(seen_, bin_starts_, kinds_, bin_hits_);
    return AveragePrecision(ApFamily::kBinned, Ties::kGrouped, bin_hits_);
  }

  std::optional<double> Value(const Definition& definition, std::size_t c) {
    if (hits_.positives() > 0) {
      if (definition.family == ApFamily::kBinned) {
        return BinnedAp(definition, c);
      }
      const double ap =
          AveragePrecision(definition.family, definition.ties, hits_);
      if (definition.eps == 0) return ap;
      const auto positives = static_cast<double>(hits_.positives());
      return ap * positives / (positives + definition.eps);
    }
    if (definition.policy.no_positive == NoPositive::kZero) return 0.0;
    return std::nullopt;
  }

  ScoreMatrix scores_;
  LabelSpans labels_;
  std::size_t rows_;
  std::size_t classes_;
  std::span<const View> views_;
  std::span<ClassTies> ties_;  // [C], of which each class writes its own
  std::span<Ends> ends_;       // [C]
  ColumnRanker ranker_;
  std::vector<std::uint8_t> cells_;  // [kBlock, N]
  std::vector<std::uint8_t> kinds_;  // [N] of CellKind
  bool binned_;                      // Some definition has thresholds.
  bool sigmoid_;  // They are held against the sigmoid of the scores.
  Ranking ranking_;
  Ranking kept_;
  std::span<const std::uint32_t> seen_;  // Ranked rows that count.
  Hits hits_;
  std::vector<std::uint8_t> bin_starts_;
  Hits bin_hits_;
};

// Runs `make_worker` on each thread and gives its result blocks until none is
// left. The first error, if any, is thrown here.
template <class MakeWorker>
void OverBlocks(std::int64_t classes, int threads, MakeWorker make_worker) {
  std::atomic<std::int64_t> next = 0;
  std::exception_ptr error;
  std::mutex mutex;
  const auto work = [&] {
    try {
      auto worker = make_worker();
      for (auto first = next.fetch_add(ColumnRanker::kBlock); first < classes;
           first = next.fetch_add(ColumnRanker::kBlock)) {
        worker.DoBlock(first);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
    }
  };
  const std::int64_t blocks =
      (classes + ColumnRanker::kBlock - 1) / ColumnRanker::kBlock;
  {
    std::vector<std::jthread> helpers;
    for (std::int64_t i = 1; i < std::min<std::int64_t>(threads, blocks); ++i) {
      helpers.emplace_back(work);
    }
    work();
  }
  if (error) std::rethrow_exception(error);
}

// In the order of `values`: adding in another order gives other bits.
std::optional<double> MeanPercent(std::span<const double> values) {
  if (values.empty()) return std::nullopt;
  double sum = 0;
  for (const double value : values) sum += value;
  return 100 * sum / static_cast<double>(values.size());
}

GroupMean MeanOf(std::string name, const DefinitionResult& result,
                 std::span<const std::int64_t> classes) {
  std::vector<double> values;
  for (const std::int64_t c : classes) {
    const auto& ap = result.ap[static_cast<std::size_t>(c)];
    if (ap) values.push_back(*ap);
  }
  return {
      .name = std::move(name),
      .percent = MeanPercent(values),
      .classes = static_cast<std::int64_t>(values.size()),
      .undefined = static_cast<std::int64_t>(classes.size() - values.size())};
}

void FinishMeans(Evaluation& out) {
  std::vector<std::int64_t> all;
  for (std::int64_t c = 0; c < out.classes; ++c) all.push_back(c);
  for (DefinitionResult& result : out.results) {
    result.means.push_back(MeanOf("total", result, all));
    for (const ClassGroup& group : out.groups) {
      // However the group lists them, they are added in class order.
      auto classes = group.classes;
      std::sort(classes.begin(), classes.end());
      result.means.push_back(MeanOf(group.name, result, classes));
    }
  }
}

// What of the whole matrix lies at an end of its range.
void FinishRange(std::int64_t rows, std::span<const Ends> classes,
                 ScoreDiagnostics& out) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  out.largest = -kInf;
  out.smallest = kInf;
  for (const Ends& ends : classes) {
    out.largest = std::max(out.largest, ends.largest);
    out.smallest = std::min(out.smallest, ends.smallest);
    if (ends.largest == kInf) out.infinite += ends.at_largest;
    if (ends.smallest == -kInf) out.infinite += ends.at_smallest;
  }
  std::int64_t high = 0;
  std::int64_t low = 0;
  for (const Ends& ends : classes) {
    if (ends.largest == out.largest) high += ends.at_largest;
    if (ends.smallest == out.smallest) low += ends.at_smallest;
  }
  std::int64_t saturated = high > 1 ? high : 0;
  if (out.smallest != out.largest && low > 1) saturated += low;
  out.saturated_fraction = static_cast<double>(saturated) /
                           static_cast<double>(rows) /
                           static_cast<double>(classes.size());
}

void FinishTies(std::int64_t rows, ScoreDiagnostics& out) {
  std::vector<double> worst;
  std::vector<double> expected;
  std::vector<double> best;
  std::int64_t tied = 0;
  for (const ClassTies& ties : out.classes) {
    tied += ties.tied;
    if (!ties.worst) continue;
    worst.push_back(*ties.worst);
    expected.push_back(*ties.expected);
    best.push_back(*ties.best);
  }
  out.tied_fraction = static_cast<double>(tied) / static_cast<double>(rows) /
                      static_cast<double>(out.classes.size());
  out.worst_percent = MeanPercent(worst);
  out.expected_percent = MeanPercent(expected);
  out.best_percent = MeanPercent(best);
}

}  // namespace

const DefinitionResult* Evaluation::Find(const Definition& definition) const {
  for (const DefinitionResult& result : results) {
    if (result.definition == definition) return &result;
  }
  return nullptr;
}

Evaluation Evaluate(const ScoreMatrix& scores, const LabelSpans& labels,
                    std::span<const ClassGroup> groups,
                    std::span<const Definition> definitions,
                    const EvaluateOptions& options) {
  CheckInput(scores, labels, groups, definitions);
  const auto classes = static_cast<std::size_t>(scores.classes);
  Evaluation out{.rows = scores.rows, .classes = scores.classes};
  out.groups.assign(groups.begin(), groups.end());
  for (const Definition& definition : definitions) {
    if (out.Find(definition) != nullptr) continue;
    out.results.push_back({.definition = definition});
    out.results.back().ap.resize(classes);
    out.results.back().counts.resize(classes);
  }
  out.diagnostics.classes.resize(classes);
  out.diagnostics.policy = definitions.front().policy;

  const std::vector<View> views = MakeViews(scores, labels, out.results);
  std::vector<Ends> ends(classes);
  OverBlocks(scores.classes, options.threads, [&] {
    return ClassWorker(scores, labels, views, out.diagnostics.classes, ends);
  });
  FinishMeans(out);
  FinishRange(out.rows, ends, out.diagnostics);
  FinishTies(out.rows, out.diagnostics);
  return out;
}

}  // namespace tailmark
