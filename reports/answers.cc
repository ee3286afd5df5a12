#include "reports/answers.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "harness/base/error.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark {
namespace {

constexpr const char* kTotal = "total";
/// Fewer than these, and any order looks like a law.
constexpr std::size_t kClassesForCorrelation = 8;

std::string Points(double value) {
  const std::string text = Fixed(std::abs(value), 1);
  return StrCat(text, text == "1.0" ? " point" : " points");
}

/// "a", "a and b", "a, b and c".
std::string Listed(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " and " : ", ";
    out += names[i];
  }
  return out;
}

std::vector<const ReportRow*> Ranked(const ReportDataset& dataset) {
  std::vector<const ReportRow*> rows;
  for (const std::size_t i : RankedRows(dataset, DefaultDefinition(dataset))) {
    rows.push_back(&dataset.rows[i]);
  }
  return rows;
}

/// Mean of the row minus mean of the baseline in one group.
Figure Gain(const ReportDataset& dataset, const ReportRow& row,
            const ReportRow& baseline, const std::string& group) {
  const std::string definition = DefaultDefinition(dataset);
  const Figure mine = MeanOf(row, definition, group);
  const Figure theirs = MeanOf(baseline, definition, group);
  if (!mine || !theirs) return {};
  return *mine - *theirs;
}

/// "branded partial"; "" when no run is done.
std::string BrandsOfDone(const ReportDataset& dataset) {
  std::set<std::string> brands;
  for (const ReportRow& row : dataset.rows) {
    if (DoneRuns(row).empty()) continue;
    brands.insert(row.brands.begin(), row.brands.end());
    if (row.brands.empty()) brands.insert("without a total");
  }
  std::vector<std::string> names(brands.begin(), brands.end());
  return names.empty() ? "" : Listed(names);
}

std::string NothingMeasured(const ReportDataset& dataset) {
  if (const std::string brands = BrandsOfDone(dataset); !brands.empty()) {
    return StrCat("No row is ranked: what is done is ", brands, ".");
  }
  return dataset.rows.empty()
             ? ""
             : "No run is done yet: each row names what is missing and the "
               "command that mends it.";
}

/// "It gains 20.0 points on head and loses 6.6 on tail, so ..."
std::string GainsByGroup(const ReportDataset& dataset, const ReportRow& row,
                         const ReportRow& baseline) {
  std::vector<std::string> gains;
  std::vector<std::string> losses;
  for (const std::string& group : dataset.groups) {
    const Figure gain = Gain(dataset, row, baseline, group);
    if (!gain || std::abs(*gain) < 0.05) continue;
    (*gain > 0 ? gains : losses)
        .push_back(StrCat(Fixed(std::abs(*gain), 1), " on ", group));
  }
  if (gains.empty() && losses.empty()) return "";
  std::string out = StrCat(" Against ", baseline.label, " it ");
  if (!gains.empty()) out += StrCat("gains ", Listed(gains));
  if (!gains.empty() && !losses.empty()) out += " and ";
  if (!losses.empty()) out += StrCat("loses ", Listed(losses));
  out += !gains.empty() && !losses.empty()
             ? ": the total alone hides the long tail."
             : ".";
  return out;
}

std::string FindingOn(const ReportDataset& dataset, bool named) {
  const auto rows = Ranked(dataset);
  const std::string where = named ? StrCat("On ", dataset.name, ", ") : "";
  if (rows.empty()) {
    const std::string brands = BrandsOfDone(dataset);
    return brands.empty()
               ? StrCat(where, named ? "no" : "No", " run is done yet.")
               : StrCat(where, named ? "no" : "No",
                        " row is ranked: what is done is ", brands, ".");
  }
  const std::string definition = DefaultDefinition(dataset);
  std::string out =
      StrCat(where, rows[0]->label, " reaches ",
             Fixed(*MeanOf(*rows[0], definition, kTotal), 1), " mAP");
  if (rows.size() > 1) {
    const double gap = *MeanOf(*rows[0], definition, kTotal) -
                       *MeanOf(*rows[1], definition, kTotal);
    out += gap < 0.05 ? StrCat(", level with ", rows[1]->label)
                      : StrCat(", ", Points(gap), " above ", rows[1]->label);
  }
  out += ".";
  const ReportRow* baseline = BaselineOf(dataset);
  if (baseline != nullptr && baseline != rows[0]) {
    out += GainsByGroup(dataset, *rows[0], *baseline);
  }
  return out;
}

std::vector<double> MeanRanks(const std::vector<double>& values) {
  std::vector<double> ranks(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    double below = 0;
    double equal = 0;
    for (const double other : values) {
      below += other < values[i] ? 1 : 0;
      equal += other == values[i] ? 1 : 0;
    }
    ranks[i] = below + (equal + 1) / 2;
  }
  return ranks;
}

Figure Correlation(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() < 3) return {};
  const double mean_a = *Mean(a);
  const double mean_b = *Mean(b);
  double aa = 0, bb = 0, ab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
    ab += (a[i] - mean_a) * (b[i] - mean_b);
  }
  if (aa == 0 || bb == 0) return {};
  return ab / std::sqrt(aa * bb);
}

/// Whether the best row's letters in total say that it stands alone.
std::string ToldApart(const std::vector<const ReportRow*>& rows) {
  const auto letters = [](const ReportRow& row) {
    const auto it = row.letters.find(kTotal);
    return it == row.letters.end() ? std::string() : it->second;
  };
  const std::string mine = letters(*rows.front());
  if (mine.empty()) {
    return " Whether rows can be told apart was not tested; the spread between "
           "seeds is beside each mean.";
  }
  std::vector<std::string> alike;
  for (const ReportRow* row : rows) {
    if (row != rows.front() &&
        letters(*row).find_first_of(mine) != std::string::npos) {
      alike.push_back(row->label);
    }
  }
  return alike.empty()
             ? " In total the first can be told apart from every other row."
             : StrCat(" In total the first cannot be told apart from ",
                      Listed(alike), ".");
}

}  // namespace

std::string FindingOf(const ReportModel& model) {
  std::string out;
  for (const ReportDataset& dataset : model.datasets) {
    if (!out.empty()) out += " ";
    out += FindingOn(dataset, model.datasets.size() > 1);
  }
  return out;
}

std::string LeaderboardAnswer(const ReportDataset& dataset) {
  const auto rows = Ranked(dataset);
  if (rows.empty()) return NothingMeasured(dataset);
  const std::string definition = DefaultDefinition(dataset);
  const std::string best =
      StrCat(rows[0]->label, " with ",
             Fixed(*MeanOf(*rows[0], definition, kTotal), 1));
  if (rows.size() == 1) return StrCat("Only one row is ranked: ", best, ".");
  std::string out =
      StrCat(best, ", then ", rows[1]->label, " with ",
             Fixed(*MeanOf(*rows[1], definition, kTotal), 1), ".");
  std::vector<std::string> others;
  for (const std::string& group : dataset.groups) {
    const ReportRow* lead = nullptr;
    for (const ReportRow* row : rows) {
      const Figure mean = MeanOf(*row, definition, group);
      if (mean && (!lead || *mean > *MeanOf(*lead, definition, group)))
        lead = row;
    }
    if (lead && lead != rows[0])
      others.push_back(StrCat(lead->label, " on ", group));
  }
  if (!others.empty())
    out += StrCat(" Another row leads in a group: ", Listed(others), ".");
  return StrCat(out, ToldApart(rows));
}

std::string GroupsAnswer(const ReportDataset& dataset) {
  const ReportRow* baseline = BaselineOf(dataset);
  if (baseline == nullptr) return "";
  std::vector<const ReportRow*> others = Ranked(dataset);
  std::erase(others, baseline);
  if (others.empty() || dataset.groups.empty()) return "";
  if (others.size() == 1) {
    const auto gains = GainsByGroup(dataset, *others[0], *baseline);
    return gains.empty() ? "" : StrCat(others[0]->label, ":", gains);
  }
  std::vector<std::string> parts;
  for (const std::string& group : dataset.groups) {
    std::size_t above = 0;
    for (const ReportRow* row : others) {
      const Figure gain = Gain(dataset, *row, *baseline, group);
      above += gain && *gain > 0 ? 1 : 0;
    }
    parts.push_back(StrCat(above, " on ", group));
  }
  return StrCat("Of the ", others.size(), " other rows these many are above ",
                baseline->label, " (dotted line): ", Listed(parts), ".");
}

Figure CountCorrelation(const ReportDataset& dataset, const ReportRow& row) {
  std::vector<double> counts;
  std::vector<double> aps;
  for (std::size_t c = 0; c < dataset.classes.size(); ++c) {
    if (const Figure ap = ClassMean(row, c)) {
      counts.push_back(static_cast<double>(dataset.classes[c].train_positives));
      aps.push_back(*ap);
    }
  }
  return Correlation(MeanRanks(counts), MeanRanks(aps));
}

std::string CountsAnswer(const ReportDataset& dataset) {
  if (dataset.classes.size() < kClassesForCorrelation) return "";
  std::vector<std::string> follow;
  std::vector<std::string> flat;
  const auto rows = Ranked(dataset);
  for (const ReportRow* row : rows) {
    const Figure rho = CountCorrelation(dataset, *row);
    if (!rho) continue;
    const std::string text = StrCat(row->label, " (", Fixed(*rho, 2), ")");
    if (*rho >= 0.5) follow.push_back(text);
    if (std::abs(*rho) < 0.3) flat.push_back(text);
  }
  const auto some = [&](const std::vector<std::string>& names) {
    return names.size() <= 3
               ? Listed(names)
               : StrCat(names.size(), " of ", rows.size(), " rows");
  };
  std::string out;
  if (!follow.empty()) {
    out = StrCat("For ", some(follow),
                 ": the rarer the class, the lower its AP.");
  }
  if (!flat.empty()) {
    out += StrCat(out.empty() ? "" : " ", "The count hardly matters to ",
                  some(flat), ".");
  }
  if (out.find('(') != out.npos) {
    out += " In brackets: rank correlation of AP and count.";
  }
  return out;
}

std::string ClassesAnswer(const ReportDataset& dataset) {
  const ReportRow* baseline = BaselineOf(dataset);
  const auto rows = Ranked(dataset);
  if (baseline == nullptr || rows.size() < 2) return "";
  const ReportRow* row = rows[0] == baseline ? rows[1] : rows[0];
  std::size_t best = 0, worst = 0;
  Figure most, least;
  std::int64_t gains = 0, all = 0;
  for (std::size_t c = 0; c < dataset.classes.size(); ++c) {
    const Figure mine = ClassMean(*row, c);
    const Figure theirs = ClassMean(*baseline, c);
    if (!mine || !theirs) continue;
    const double gain = *mine - *theirs;
    ++all;
    gains += gain > 0 ? 1 : 0;
    if (!most || gain > *most) best = c, most = gain;
    if (!least || gain < *least) worst = c, least = gain;
  }
  if (!most) return "";
  std::string out = StrCat(row->label, " is above ", baseline->label, " on ",
                           gains, " of ", Count(all, "class", "classes"));
  out += StrCat("; most on ", dataset.classes[best].name, " (",
                Signed(*most, 1), "), least on ", dataset.classes[worst].name,
                " (", Signed(*least, 1), ").");
  return out;
}

std::vector<int> RanksUnder(const ReportDataset& dataset,
                            const std::string& definition) {
  const auto order = RankedRows(dataset, definition);
  std::vector<int> ranks;
  for (const std::size_t i : RankedRows(dataset, DefaultDefinition(dataset))) {
    const auto at = std::find(order.begin(), order.end(), i);
    ranks.push_back(
        at == order.end() ? 0 : static_cast<int>(at - order.begin()) + 1);
  }
  return ranks;
}

std::string DefinitionsAnswer(const ReportDataset& dataset) {
  const auto rows = Ranked(dataset);
  if (rows.size() < 2 || dataset.definitions.size() < 2) return "";
  std::vector<std::string> changed;
  for (const std::string& definition : dataset.definitions) {
    const auto ranks = RanksUnder(dataset, definition);
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      if (ranks[i] != 0 && ranks[i] != static_cast<int>(i) + 1) {
        changed.push_back(ShortDefinition(definition));
        break;
      }
    }
  }
  if (changed.empty()) {
    return StrCat("No: all ", dataset.definitions.size(),
                  " definitions give the same order.");
  }
  return StrCat("Yes: the order changes under ", Listed(changed), ".");
}

std::string PublishedAnswer(const ReportDataset& dataset) {
  if (dataset.published.empty()) return "";
  std::map<std::string, int> count;
  int stand_ins = 0;
  int flagged = 0;
  for (const ReportPublished& row : dataset.published) {
    ++count[row.verdict];
    stand_ins += row.stand_in ? 1 : 0;
    flagged += row.lint.empty() ? 0 : 1;
  }
  std::vector<std::string> parts;
  for (const auto& [verdict, rows] : count) {
    parts.push_back(StrCat(rows, " ", verdict));
  }
  return StrCat(
      "Of ", dataset.published.size(), " printed rows ", Listed(parts), ".",
      flagged > 0 ? StrCat(" The linter objects to ", flagged, ".") : "",
      stand_ins > 0 ? " Stand-ins show that the path from a row to a verdict "
                      "holds; they say nothing of the printed values."
                    : "");
}

std::string SeedsAnswer(const ReportDataset& dataset) {
  const ReportRow* widest = nullptr;
  const ReportRow* luckiest = nullptr;
  const std::string definition = DefaultDefinition(dataset);
  for (const ReportRow* row : Ranked(dataset)) {
    const Figure sd = SpreadOf(*row, definition, kTotal);
    if (sd && (!widest || *sd > *SpreadOf(*widest, definition, kTotal)))
      widest = row;
    const Figure optimism = OptimismOf(*row);
    if (optimism && (!luckiest || *optimism > *OptimismOf(*luckiest)))
      luckiest = row;
  }
  std::string out;
  if (widest) {
    out = StrCat("Between seeds the total spreads most for ", widest->label,
                 ": sd ", Fixed(*SpreadOf(*widest, definition, kTotal), 2),
                 " over ", SeedValues(*widest, definition, kTotal).size(),
                 " runs.");
  } else if (!Ranked(dataset).empty()) {
    out =
        "Every row has one seed, so nothing is known of luck: run more with "
        "--seeds.";
  }
  if (luckiest) {
    out +=
        StrCat(" Choosing the epoch on test labels would have added up to ",
               Fixed(*OptimismOf(*luckiest), 1), " (", luckiest->label, ").");
  }
  return out;
}

std::string CostAnswer(const ReportDataset& dataset) {
  const ReportRow* fastest = nullptr;
  const ReportRow* slowest = nullptr;
  const auto seconds = [](const ReportRow& row) {
    std::vector<double> values;
    for (const ReportRun* run : DoneRuns(row)) {
      if (const Figure wall = WallSeconds(*run)) values.push_back(*wall);
    }
    return Mean(values);
  };
  for (const ReportRow* row : Ranked(dataset)) {
    const Figure mine = seconds(*row);
    if (!mine) continue;
    if (!fastest || *mine < *seconds(*fastest)) fastest = row;
    if (!slowest || *mine > *seconds(*slowest)) slowest = row;
  }
  if (!fastest) return "";
  if (fastest == slowest) {
    return StrCat(fastest->label, " took ", Duration(*seconds(*fastest)),
                  " a run.");
  }
  return StrCat("From ", Duration(*seconds(*fastest)), " a run (",
                fastest->label, ") to ", Duration(*seconds(*slowest)), " (",
                slowest->label, ").");
}

std::string FairnessAnswer(const ReportDataset& dataset) {
  const auto rows = Ranked(dataset);
  if (rows.size() < 2) return "";
  std::set<std::string> weights, inputs, texts, parameters;
  for (const ReportRow* row : rows) {
    if (!row->weights.empty()) weights.insert(row->weights);
    if (!row->input.empty()) inputs.insert(row->input);
    if (!row->text.empty()) texts.insert(row->text);
    if (row->trained_parameters)
      parameters.insert(StrCat(*row->trained_parameters));
  }
  std::vector<std::string> differ;
  if (weights.size() > 1) differ.push_back("pre-trained weights");
  if (inputs.size() > 1) differ.push_back("input");
  if (texts.size() > 1) differ.push_back("text used");
  if (parameters.size() > 1) differ.push_back("number of trained parameters");
  if (differ.empty()) return "Yes: what is recorded is the same for every row.";
  return StrCat("Not in everything: they differ in ", Listed(differ), ".");
}

std::string LedgerAnswer(const ReportDataset& dataset) {
  std::int64_t scorings = 0;
  std::vector<std::string> chose;
  bool recorded = false;
  for (const ReportRow& row : dataset.rows) {
    for (const ReportRun* run : DoneRuns(row)) {
      recorded = recorded || run->test_evaluations.has_value();
      scorings += run->test_evaluations.value_or(0);
    }
    if (row.selection == "best_on_test") chose.push_back(row.label);
  }
  if (!recorded) return "";
  return StrCat("Test labels were used to score ",
                Count(scorings, "matrix", "matrices"), "; ",
                chose.empty() ? "no row chose anything by them."
                              : StrCat("chosen by them: ", Listed(chose), "."));
}

std::string ProvenanceAnswer(const ReportModel& model) {
  std::int64_t done = 0, open = 0;
  for (const ReportDataset& dataset : model.datasets) {
    for (const ReportRow& row : dataset.rows) {
      for (const ReportRun& run : row.runs) ++(run.done() ? done : open);
    }
  }
  if (done + open == 0) return "";
  const auto size = [](const auto& list) {
    return static_cast<std::int64_t>(list.size());
  };
  std::string out = StrCat(
      "One command a row. ", Count(done, "run"), " finished, ", open,
      " missing; ", Count(size(model.builds), "build"), " and ",
      Count(size(model.environments), "environment"), " went into this page.");
  if (model.builds.size() > 1) out += " Builds are mixed: compare with care.";
  return out;
}

}  // namespace tailmark
