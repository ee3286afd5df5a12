#include <algorithm>

#include "harness/base/error.h"
#include "reports/answers.h"
#include "reports/render.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark {
namespace {

std::string Line(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += StrCat(" ", cell, " |");
  return line + "\n";
}

/// `text_columns` first columns are left-aligned, the rest right-aligned.
std::string HeadLines(const std::vector<std::string>& cells,
                      std::size_t text_columns) {
  std::string out = Line(cells) + "|";
  for (std::size_t i = 0; i < cells.size(); ++i)
    out += i < text_columns ? " --- |" : " ---: |";
  return out + "\n";
}

std::string MeanAndSpread(const ReportRow& row, const std::string& definition,
                          const std::string& group) {
  const Figure mean = MeanOf(row, definition, group);
  if (!mean) return "\u2013";
  std::string text = Fixed(*mean, 1);
  if (const Figure sd = ShownSpread(row, definition, group))
    text += StrCat(" \u00b1 ", Fixed(*sd, 2));
  if (const auto at = row.intervals.find(group); at != row.intervals.end()) {
    text += StrCat(" [", Fixed(at->second.lo, 1), ", ", Fixed(at->second.hi, 1),
                   "]");
  }
  if (const auto at = row.letters.find(group); at != row.letters.end())
    text += StrCat(" ", EscapeMarkdown(at->second));
  return text;
}

std::string Answer(const std::string& answer) {
  return answer.empty() ? "" : EscapeMarkdown(answer) + "\n\n";
}

/// What the brackets and letters are, where there are any.
std::string Sure(const ReportDataset& dataset) {
  for (const ReportRow& row : dataset.rows) {
    if (row.intervals.empty()) continue;
    return StrCat(", [95 % interval over test pictures: ",
                  row.intervals.begin()->second.method, "]",
                  row.letters.empty()
                      ? ""
                      : "; rows that share a letter are not distinguishable");
  }
  return "";
}

std::string LeaderboardOf(const ReportDataset& dataset) {
  const std::string definition = DefaultDefinition(dataset);
  const auto groups = GroupsOf(dataset);
  std::vector<std::string> head = {"#", "Method"};
  for (const std::string& group : groups) head.push_back(EscapeMarkdown(group));
  head.push_back("Seeds");
  std::string out = HeadLines(head, 2);
  const auto add = [&](const ReportRow& row, const std::string& rank) {
    std::string name = EscapeMarkdown(row.label);
    for (const std::string& brand : row.brands)
      name += StrCat(" [", EscapeMarkdown(brand), "]");
    std::vector<std::string> cells = {rank, name};
    for (const std::string& group : groups)
      cells.push_back(MeanAndSpread(row, definition, group));
    const std::size_t done = DoneRuns(row).size();
    cells.push_back(done == row.runs.size()
                        ? StrCat(done)
                        : StrCat(done, " of ", row.runs.size()));
    out += Line(cells);
  };
  int rank = 0;
  for (const std::size_t i : RankedRows(dataset, definition))
    add(dataset.rows[i], StrCat(++rank));
  for (const std::size_t i : UnrankedRows(dataset))
    add(dataset.rows[i], "\u2013");
  return out + "\n";
}

std::string MissingOf(const ReportDataset& dataset) {
  std::string out;
  for (const ReportRow& row : dataset.rows) {
    for (const OpenRuns& open : OpenRunsOf(row)) {
      out += StrCat(
          "* \u2715 ", EscapeMarkdown(row.label), ", ", open.seeds, ": ",
          EscapeMarkdown(open.state), open.reason.empty() ? "" : ": ",
          EscapeMarkdown(open.reason),
          open.mend.empty() ? "" : StrCat(". ", MarkdownCode(open.mend)), "\n");
    }
  }
  return out.empty() ? "" : StrCat("**Missing**\n\n", out, "\n");
}

std::string DefinitionsOf(const ReportDataset& dataset) {
  if (dataset.definitions.size() < 2) return "";
  const auto rows = RankedRows(dataset, DefaultDefinition(dataset));
  std::vector<std::string> head = {"Method"};
  std::vector<std::vector<int>> ranks;
  for (const std::string& definition : dataset.definitions) {
    head.push_back(EscapeMarkdown(ShortDefinition(definition)));
    ranks.push_back(RanksUnder(dataset, definition));
  }
  std::string out =
      StrCat("### Would another definition of AP change the ranking?\n\n",
             Answer(DefinitionsAnswer(dataset)), HeadLines(head, 1));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<std::string> cells = {
        EscapeMarkdown(dataset.rows[rows[i]].label)};
    for (std::size_t d = 0; d < ranks.size(); ++d) {
      const Figure total =
          MeanOf(dataset.rows[rows[i]], dataset.definitions[d], "total");
      cells.push_back(total ? StrCat(Fixed(*total, 1), " (", ranks[d][i], ")")
                            : "\u2013");
    }
    out += Line(cells);
  }
  return out + "\n";
}

std::string PublishedTableOf(const ReportDataset& dataset) {
  if (dataset.published.empty()) return "";
  std::string out =
      StrCat("### Do we find what the papers print?\n\n",
             Answer(PublishedAnswer(dataset)),
             HeadLines({"Row", "Column", "Printed", "Ours, their way",
                        "Ours, our way", "Verdict", "Reason"},
                       2));
  for (const ReportPublished& row : dataset.published) {
    for (const ReportPrinted& cell : row.cells) {
      if (&cell != &row.cells.front() && !cell.theirs) continue;
      const std::string theirs =
          !cell.theirs ? "\u2013"
          : cell.sd    ? StrCat(Fixed(*cell.theirs, 2), " \u00b1 ",
                                Fixed(*cell.sd, 2), " (", cell.runs, ")")
                       : Fixed(*cell.theirs, 2);
      out +=
          Line({EscapeMarkdown(StrCat(row.source, ":", row.table, ":", row.row,
                                      ":", row.dataset)),
                EscapeMarkdown(cell.column), Fixed(cell.printed, cell.decimals),
                theirs, cell.ours ? Fixed(*cell.ours, 2) : "\u2013",
                EscapeMarkdown(&cell == &row.cells.front() ? row.verdict
                                                           : cell.verdict),
                EscapeMarkdown(&cell == &row.cells.front() ? row.reason
                                                           : cell.reason)});
    }
  }
  for (const ReportPublished& row : dataset.published) {
    for (const auto& [rule, why] : row.lint) {
      out += StrCat("\n* ", EscapeMarkdown(row.row), ", lint ",
                    EscapeMarkdown(rule), ": ", EscapeMarkdown(why));
    }
  }
  return out + "\n\n";
}

std::string ClassesOf(const ReportDataset& dataset) {
  const auto rows = RankedRows(dataset, DefaultDefinition(dataset));
  if (rows.empty() || dataset.classes.empty()) return "";
  std::vector<std::string> head = {"Class", "Group", "n"};
  for (const std::size_t i : rows)
    head.push_back(EscapeMarkdown(ShortLabel(dataset.rows[i])));
  std::string out = StrCat("### AP by class\n\n", Answer(CountsAnswer(dataset)),
                           HeadLines(head, 2));
  for (std::size_t c = 0; c < dataset.classes.size(); ++c) {
    const ReportClass& each = dataset.classes[c];
    std::vector<std::string> cells = {EscapeMarkdown(each.name),
                                      EscapeMarkdown(each.group),
                                      Thousands(each.train_positives)};
    for (const std::size_t i : rows) {
      const Figure ap = ClassMean(dataset.rows[i], c);
      cells.push_back(ap ? Fixed(*ap, 1) : "\u2013");
    }
    out += Line(cells);
  }
  return out + "\n";
}

/// Who looked at the test labels, who chose by them, and what that is worth.
std::string LedgerOf(const ReportDataset& dataset) {
  std::string rows;
  for (const ReportRow& row : dataset.rows) {
    const auto done = DoneRuns(row);
    if (done.empty()) continue;
    std::int64_t looks = 0;
    for (const ReportRun* run : done) {
      looks = std::max(looks, run->test_evaluations.value_or(0));
    }
    const Figure optimism = OptimismOf(row);
    const Figure picked = PickedOf(row);
    rows += Line({EscapeMarkdown(row.label), StrCat(looks),
                  EscapeMarkdown(row.selection),
                  row.selection == "best_on_test"
                      ? StrCat("**best_on_test**",
                               picked ? StrCat(": ", Fixed(*picked, 1)) : "")
                      : "never",
                  optimism ? Signed(*optimism, 1) : "\u2013"});
  }
  if (rows.empty()) return "";
  return StrCat(
      "### How often were the test labels touched?\n\n",
      Answer(LedgerAnswer(dataset)),
      HeadLines({"Method", "Scorings of a run", "Selection",
                 "Test labels used to choose", "Best on test \u2212 last"},
                1),
      rows, "\n");
}

std::string CostOf(const ReportDataset& dataset) {
  const std::string answer = CostAnswer(dataset);
  return answer.empty() ? ""
                        : StrCat("### What does it cost?\n\n",
                                 EscapeMarkdown(answer), "\n\n");
}

std::string ProvenanceOf(const ReportModel& model) {
  std::string out = StrCat("## How do I get these numbers myself?\n\n",
                           Answer(ProvenanceAnswer(model)));
  for (const ReportDataset& dataset : model.datasets) {
    for (const ReportRow& row : dataset.rows) {
      if (row.command.empty()) continue;
      out += StrCat("* ", EscapeMarkdown(row.label), ": ",
                    MarkdownCode(row.command), "\n");
    }
  }
  if (!model.command.empty())
    out += StrCat("* this report: ", MarkdownCode(model.command), "\n");
  return out;
}

}  // namespace

std::string RenderMarkdown(const ReportModel& model) {
  std::string out = StrCat(
      "# Tailmark report: ",
      EscapeMarkdown(model.campaign.empty() ? "results" : model.campaign),
      "\n\n", Answer(FindingOf(model)));
  for (const ReportDataset& dataset : model.datasets) {
    const std::string_view unit =
        SpreadUnit(dataset) == "episodes" ? "episodes" : "training seeds";
    out += StrCat("## ", EscapeMarkdown(dataset.name), "\n\n",
                  Answer(LeaderboardAnswer(dataset)), "mAP in percent, ",
                  MarkdownCode(DefaultDefinition(dataset)),
                  ", mean \u00b1 sd over ", unit, Sure(dataset), ".\n\n",
                  LeaderboardOf(dataset), MissingOf(dataset),
                  DefinitionsOf(dataset), PublishedTableOf(dataset),
                  ClassesOf(dataset), LedgerOf(dataset), CostOf(dataset));
  }
  return out + ProvenanceOf(model);
}

}  // namespace tailmark
