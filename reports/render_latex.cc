#include <set>

#include "harness/base/error.h"
#include "reports/render.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark {
namespace {

/// Letters only, a capital a word: "coco-lt" -> "CocoLt", "ap.voc07" ->
/// "ApVocZeroSeven". LaTeX command names take nothing else.
std::string CommandPart(std::string_view text) {
  static constexpr std::string_view kDigits[] = {
      "Zero", "One", "Two",   "Three", "Four",
      "Five", "Six", "Seven", "Eight", "Nine"};
  std::string out;
  bool first = true;
  for (const char c : text) {
    const bool lower = c >= 'a' && c <= 'z';
    if (c >= '0' && c <= '9') {
      out += kDigits[static_cast<std::size_t>(c - '0')];
      first = true;
    } else if (lower || (c >= 'A' && c <= 'Z')) {
      const char small = lower ? c : static_cast<char>(c + 32);
      out += first ? static_cast<char>(small - 32) : small;
      first = false;
    } else {
      first = true;
    }
  }
  return out;
}

/// Command names of a file: where two would be equal, the later gets letters
/// behind it (B, C, ..., BA, ...).
class Names {
 public:
  std::string Make(const std::string& wanted) {
    std::string name = wanted;
    for (std::size_t n = 1; !used_.insert(name).second; ++n) {
      std::string letters;
      for (std::size_t rest = n; rest > 0; rest /= 26) {
        letters.insert(letters.begin(), static_cast<char>('A' + rest % 26));
      }
      name = wanted + letters;
    }
    return name;
  }

 private:
  std::set<std::string> used_;
};

std::string Define(const std::string& name, const std::string& value) {
  return StrCat("\\newcommand{\\", name, "}{", value, "}\n");
}

/// A math minus, so that it looks like one.
std::string Value(double value, int decimals) {
  const std::string text = PlainFixed(value, decimals);
  return text.starts_with('-') ? StrCat("$-$", text.substr(1)) : text;
}

struct Best {
  std::vector<Figure> values;  ///< Of each group, among the ranked rows.
};

Best BestOf(const ReportDataset& dataset,
            const std::vector<std::string>& groups) {
  Best best{std::vector<Figure>(groups.size())};
  const std::string definition = DefaultDefinition(dataset);
  for (const std::size_t i : RankedRows(dataset, definition)) {
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const Figure mean = MeanOf(dataset.rows[i], definition, groups[g]);
      if (mean && (!best.values[g] || *mean > *best.values[g]))
        best.values[g] = mean;
    }
  }
  return best;
}

std::string TableRow(const ReportDataset& dataset, const ReportRow& row,
                     const Best* best) {
  const std::string definition = DefaultDefinition(dataset);
  const auto groups = GroupsOf(dataset);
  std::string out = "\\raggedright " + EscapeLatex(row.label);
  for (const std::string& brand : row.brands)
    out += StrCat(" (", EscapeLatex(brand), ")");
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const Figure mean = MeanOf(row, definition, groups[g]);
    if (!mean) {
      out += " & --";
      continue;
    }
    const bool lead = best != nullptr && best->values[g] == mean;
    out += lead ? StrCat(" & \\underline{", Value(*mean, 1), "}")
                : StrCat(" & ", Value(*mean, 1));
    if (const Figure sd = ShownSpread(row, definition, groups[g]))
      out += StrCat(" {\\footnotesize$\\pm$", Value(*sd, 2), "}");
  }
  const std::size_t done = DoneRuns(row).size();
  return StrCat(out, " & ",
                done == row.runs.size() ? StrCat(done)
                                        : StrCat(done, "/", row.runs.size()),
                " \\\\\n");
}

/// Below the table, where a long reason may take several lines.
std::string MissingIn(const ReportDataset& dataset) {
  std::string out;
  for (const ReportRow& row : dataset.rows) {
    for (const OpenRuns& open : OpenRunsOf(row)) {
      out += StrCat(
          "\n\\par\\smallskip{\\raggedright Missing: ", EscapeLatex(row.label),
          ", ", open.seeds, ": ", EscapeLatex(open.state),
          open.reason.empty() ? "" : ": ", EscapeLatex(open.reason), "\\par}");
    }
  }
  return out;
}

/// Below the table: whose epoch was chosen on test labels, and what that adds.
std::string PickedIn(const ReportDataset& dataset) {
  std::string out;
  for (const ReportRow& row : dataset.rows) {
    const Figure optimism = OptimismOf(row);
    if (row.selection != "best_on_test" || !optimism) continue;
    const Figure picked = PickedOf(row);
    out += StrCat("\n\\par\\smallskip{\\raggedright ", EscapeLatex(row.label),
                  ": the last epoch is shown; picked on test labels",
                  picked ? StrCat(" ", Value(*picked, 1)) : "", ", optimism ",
                  Value(*optimism, 1), ".\\par}");
  }
  return out;
}

std::string TableOf(const ReportDataset& dataset) {
  const auto groups = GroupsOf(dataset);
  const Best best = BestOf(dataset, groups);
  // Fits the text of a one-column article; long names wrap.
  std::string out =
      "\\begingroup\\small\\setlength{\\tabcolsep}{4pt}\\noindent\n"
      "\\begin{tabular}{@{}p{.3\\linewidth}";
  for (std::size_t g = 0; g <= groups.size(); ++g) out += "r";
  out += "@{}}\n\\toprule\nMethod";
  for (const std::string& group : groups)
    out += StrCat(" & ", EscapeLatex(group));
  out += " & seeds \\\\\n\\midrule\n";
  for (const std::size_t i : RankedRows(dataset, DefaultDefinition(dataset))) {
    out += TableRow(dataset, dataset.rows[i], &best);
  }
  const auto others = UnrankedRows(dataset);
  if (!others.empty()) out += "\\midrule\n";
  for (const std::size_t i : others) {
    out += TableRow(dataset, dataset.rows[i], nullptr);
  }
  return out + "\\bottomrule\n\\end{tabular}" + PickedIn(dataset) +
         MissingIn(dataset) + "\n\\par\\endgroup";
}

std::string CommandsOf(const ReportDataset& dataset, const std::string& prefix,
                       Names& names) {
  const std::string definition = DefaultDefinition(dataset);
  std::string out;
  for (const ReportRow& row : dataset.rows) {
    const std::string stem = names.Make(prefix + CommandPart(ShortLabel(row)));
    for (const std::string& group : GroupsOf(dataset)) {
      if (const Figure mean = MeanOf(row, definition, group)) {
        out += Define(names.Make(stem + CommandPart(group)), Value(*mean, 1));
      }
      if (const Figure sd = ShownSpread(row, definition, group)) {
        out +=
            Define(names.Make(stem + CommandPart(group) + "Sd"), Value(*sd, 2));
      }
    }
    out += Define(names.Make(stem + "Seeds"), StrCat(DoneRuns(row).size()));
  }
  return out;
}

/// For a comment: one line, whatever the name holds.
std::string Comment(std::string_view text) {
  std::string out;
  for (const char c : EscapeTerminal(text)) out += c == '\r' ? ' ' : c;
  return out;
}

}  // namespace

std::string RenderLatex(const ReportModel& model) {
  std::string out =
      StrCat("% Tailmark report, campaign ", Comment(model.campaign),
             ".\n"
             "% \\input this file in the preamble; then every figure is a "
             "command, and every table:\n"
             "% \\tailmark<Dataset>Table. mAP in percent, mean and sample "
             "standard deviation over\n"
             "% seeds; underlined: best, not tested against the others. "
             "\\usepackage{booktabs}\n"
             "% makes the rules nicer.\n"
             "\\providecommand{\\toprule}{\\hline}\n"
             "\\providecommand{\\midrule}{\\hline}\n"
             "\\providecommand{\\bottomrule}{\\hline}\n"
             "% Characters that pdflatex has no glyph for; with lualatex write "
             "{\\symbol{\"#1}}.\n"
             "\\providecommand{\\tailmarkUnicode}[1]{[U+\\uppercase{#1}]}\n");
  Names names;
  for (const ReportDataset& dataset : model.datasets) {
    const std::string prefix =
        names.Make("tailmark" + CommandPart(dataset.name));
    out += StrCat("\n% ", Comment(dataset.name), ", ",
                  Comment(DefaultDefinition(dataset)),
                  SpreadUnit(dataset) == "episodes" ? ", sd over episodes" : "",
                  "\n", CommandsOf(dataset, prefix, names),
                  Define(names.Make(prefix + "Table"), TableOf(dataset)));
  }
  return out;
}

}  // namespace tailmark
