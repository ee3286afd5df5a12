#include "harness/metrics/decisions.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "harness/base/error.h"
#include "harness/metrics/cells.h"
#include "harness/metrics/check.h"

namespace tailmark {
namespace {

double ScoreAt(const ScoreMatrix& scores, std::size_t i) {
  return std::visit([i](auto values) { return static_cast<double>(values[i]); },
                    scores.values);
}

std::optional<double> Share(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  return 100 * static_cast<double>(part) / static_cast<double>(whole);
}

std::optional<double> F1(const std::optional<double>& precision,
                         const std::optional<double>& recall) {
  if (!precision || !recall) return std::nullopt;
  const double sum = *precision + *recall;
  return sum > 0 ? 2 * *precision * *recall / sum : 0.0;
}

// Decisions of one image: 1 where the label is given.
void DecideRow(const ScoreMatrix& scores, std::size_t row,
               const DecisionRule& rule, std::vector<std::uint8_t>& given,
               std::vector<std::size_t>& order) {
  const std::size_t classes = given.size();
  if (rule.threshold) {
    for (std::size_t c = 0; c < classes; ++c) {
      given[c] = ScoreAt(scores, row * classes + c) >= *rule.threshold ? 1 : 0;
    }
    return;
  }
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) {
                     return ScoreAt(scores, row * classes + a) >
                            ScoreAt(scores, row * classes + b);
                   });
  std::fill(given.begin(), given.end(), std::uint8_t{0});
  for (std::int64_t k = 0; k < rule.top_k; ++k) {
    given[order[static_cast<std::size_t>(k)]] = 1;
  }
}

struct ClassTally {
  std::int64_t right = 0;
  std::int64_t given = 0;
  std::int64_t positives = 0;
};

// Means over classes, in class order.
void FinishClasses(const std::vector<ClassTally>& tallies,
                   DecisionResult& out) {
  const bool zero = out.rule.policy.no_positive == NoPositive::kZero;
  double precision = 0;
  double recall = 0;
  double f1 = 0;
  std::int64_t classes = 0;
  for (const ClassTally& tally : tallies) {
    if (tally.given == 0) ++out.never_given;
    if (tally.positives == 0) {
      ++out.undefined;
      if (!zero) continue;
    }
    const double p = Share(tally.right, tally.given).value_or(0);
    const double r = Share(tally.right, tally.positives).value_or(0);
    precision += p;
    recall += r;
    f1 += *F1(p, r);
    ++classes;
  }
  if (classes == 0) return;
  const auto count = static_cast<double>(classes);
  out.cp = precision / count;
  out.crecall = recall / count;
  out.cf1 = F1(out.cp, out.crecall);
  out.mean_class_f1 = f1 / count;
}

void CheckRule(const DecisionRule& rule, std::int64_t classes) {
  if (rule.threshold.has_value() == (rule.top_k != 0)) {
    throw ConfigError("a decision takes a threshold or a top k, one of them");
  }
  if (!rule.threshold && (rule.top_k < 1 || rule.top_k > classes)) {
    throw ConfigError(StrCat("top ", rule.top_k, " of ", classes,
                             " classes: expected 1 to ", classes));
  }
}

}  // namespace

std::string DecisionRule::Id() const {
  std::string out = "decide/";
  if (threshold) {
    char text[32];
    std::snprintf(text, sizeof text, "%.17g", *threshold);
    out += StrCat("at=", text);
  } else {
    out += StrCat("top=", top_k);
  }
  return StrCat(out, "/origin=", origin,
                "/difficult=", NameOf(policy.difficult),
                "/empty=", NameOf(policy.empty),
                "/nopos=", NameOf(policy.no_positive), "/v1");
}

DecisionResult Decide(const ScoreMatrix& scores, const LabelSpans& labels,
                      const DecisionRule& rule) {
  const Definition checked{.policy = rule.policy};
  CheckInput(scores, labels, {}, std::span(&checked, 1));
  CheckRule(rule, scores.classes);
  const auto rows = static_cast<std::size_t>(scores.rows);
  const auto classes = static_cast<std::size_t>(scores.classes);
  const CellKinds kinds = KindsUnder(rule.policy.difficult);
  const auto dropped =
      DroppedRows(labels, scores.rows, scores.classes, rule.policy);
  DecisionResult out{.rule = rule};
  if (!rule.threshold) out.rule.origin = "rule";
  std::vector<ClassTally> tallies(classes);
  std::vector<std::uint8_t> given(classes);
  std::vector<std::size_t> order(classes);
  for (std::size_t row = 0; row < rows; ++row) {
    if (!dropped.empty() && dropped[row] != 0) continue;
    ++out.images;
    DecideRow(scores, row, rule, given, order);
    for (std::size_t c = 0; c < classes; ++c) {
      const CellKind kind = kinds[CellBits(labels, row * classes + c)];
      if (kind == kIgnoredCell) continue;
      const bool positive = kind == kPositiveCell;
      tallies[c].positives += positive ? 1 : 0;
      tallies[c].given += given[c];
      tallies[c].right += positive ? given[c] : 0;
    }
  }
  for (const ClassTally& tally : tallies) {
    out.right += tally.right;
    out.given += tally.given;
    out.positives += tally.positives;
  }
  out.op = out.given == 0 ? std::optional(0.0) : Share(out.right, out.given);
  out.orecall = Share(out.right, out.positives);
  out.of1 = F1(out.op, out.orecall);
  FinishClasses(tallies, out);
  return out;
}

double BestThreshold(const ScoreMatrix& scores, const LabelSpans& labels,
                     const LabelPolicy& policy) {
  const Definition checked{.policy = policy};
  CheckInput(scores, labels, {}, std::span(&checked, 1));
  const CellKinds kinds = KindsUnder(policy.difficult);
  const auto dropped = DroppedRows(labels, scores.rows, scores.classes, policy);
  const auto classes = static_cast<std::size_t>(scores.classes);
  std::vector<std::pair<double, bool>> cells;
  std::int64_t positives = 0;
  for (std::size_t i = 0; i < labels.positive.size(); ++i) {
    if (!dropped.empty() && dropped[i / classes] != 0) continue;
    const CellKind kind = kinds[CellBits(labels, i)];
    if (kind == kIgnoredCell) continue;
    cells.emplace_back(ScoreAt(scores, i), kind == kPositiveCell);
    positives += kind == kPositiveCell ? 1 : 0;
  }
  if (positives == 0) {
    throw DataError("no image has a positive label: no threshold is best");
  }
  std::sort(cells.begin(), cells.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  double best = cells.front().first;
  double best_f1 = -1;
  std::int64_t right = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    right += cells[i].second ? 1 : 0;
    if (i + 1 < cells.size() && cells[i + 1].first == cells[i].first) continue;
    const double f1 =
        2 * static_cast<double>(right) /
        static_cast<double>(static_cast<std::int64_t>(i) + 1 + positives);
    if (f1 >= best_f1) {
      best_f1 = f1;
      best = cells[i].first;
    }
  }
  return best;
}

DefinitionResult EvaluatePerImage(const ScoreMatrix& scores,
                                  const LabelSpans& labels,
                                  const Definition& definition) {
  CheckInput(scores, labels, {}, std::span(&definition, 1));
  const auto rows = static_cast<std::size_t>(scores.rows);
  const auto classes = static_cast<std::size_t>(scores.classes);
  std::vector<double> turned(rows * classes);
  std::vector<std::uint8_t> positive(turned.size());
  std::vector<std::uint8_t> known(labels.known.empty() ? 0 : turned.size());
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t c = 0; c < classes; ++c) {
      const std::size_t from = row * classes + c;
      const std::size_t to = c * rows + row;
      turned[to] = ScoreAt(scores, from);
      positive[to] = labels.positive[from];
      if (!known.empty()) known[to] = labels.known[from];
    }
  }
  // Turned, a class without positives would be an "image" to drop.
  Definition plain = definition;
  plain.policy.empty = Empty::kKeep;
  if (definition.policy.empty == Empty::kDrop) {
    plain.policy.no_positive = NoPositive::kExclude;
  }
  const Evaluation evaluation = Evaluate(
      {.values = std::span<const double>(turned),
       .rows = scores.classes,
       .classes = scores.rows},
      {.positive = positive, .known = known}, {}, std::span(&plain, 1));
  DefinitionResult result = evaluation.results.front();
  result.definition = definition;
  return result;
}

std::string PerImageId(const Definition& definition) {
  return "per-image/" + IdOf(definition);
}

}  // namespace tailmark
