#include "reports/gate_report.h"

#include <cstdio>
#include <map>

#include "harness/base/error.h"
#include "harness/metrics/significance.h"
#include "reports/text.h"

namespace tailmark {
namespace {

std::string Number(const std::optional<double>& value, const char* format) {
  if (!value) return "";
  char text[64];
  std::snprintf(text, sizeof text, format, *value);
  return text;
}

OrderedJson JsonNumber(const std::optional<double>& value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

std::string TierText(const GateCell& cell) {
  return cell.tier ? std::to_string(static_cast<int>(*cell.tier)) : "";
}

OrderedJson RowsJson(const std::vector<GateRow>& rows) {
  OrderedJson out = OrderedJson::array();
  for (const GateRow& row : rows) {
    OrderedJson cells = OrderedJson::array();
    for (const GateCell& cell : row.cells) {
      cells.push_back(
          {{"group", cell.group},
           {"outcome", NameOf(cell.outcome)},
           {"tier", cell.tier ? OrderedJson(static_cast<int>(*cell.tier))
                              : OrderedJson(nullptr)},
           {"test", cell.test},
           {"reference", JsonNumber(cell.reference)},
           {"candidate", JsonNumber(cell.candidate)},
           {"difference", JsonNumber(cell.difference)},
           {"interval",
            cell.interval ? OrderedJson({cell.interval->lo, cell.interval->hi})
                          : OrderedJson(nullptr)},
           {"p", JsonNumber(cell.p)},
           {"p_adjusted", JsonNumber(cell.p_adjusted)},
           {"mde", JsonNumber(cell.mde)},
           {"margin", cell.margin},
           {"tries", cell.tries},
           {"reason", cell.reason}});
    }
    out.push_back({{"dataset", row.dataset},
                   {"label", row.label},
                   {"definition", row.definition},
                   {"p_table", JsonNumber(row.p_table)},
                   {"cells", std::move(cells)}});
  }
  return out;
}

std::map<std::string, int> CountsOf(const GateReport& report) {
  std::map<std::string, int> counts;
  for (const Outcome outcome : report.Outcomes()) {
    ++counts[std::string(NameOf(outcome))];
  }
  return counts;
}

std::string CountsText(const GateReport& report) {
  std::string text;
  for (const auto& [name, count] : CountsOf(report)) {
    text += StrCat(text.empty() ? "" : ", ", count, " ", name);
  }
  return text.empty() ? "nothing was compared" : text;
}

enum class Mark { kNone, kFailure, kError, kSkipped };
Mark MarkOf(Outcome outcome, bool strict) {
  switch (outcome) {
    case Outcome::kRegression:
      return Mark::kFailure;
    case Outcome::kTooGood:
      return strict ? Mark::kFailure : Mark::kNone;
    case Outcome::kError:
    case Outcome::kMissing:
      return Mark::kError;
    case Outcome::kNew:
    case Outcome::kNotComparable:
    case Outcome::kInconclusive:
      return Mark::kSkipped;
    case Outcome::kPass:
    case Outcome::kImprovement:
      break;
  }
  return Mark::kNone;
}

struct Counts {
  int tests = 0, failures = 0, errors = 0, skipped = 0;
  void Add(Mark mark) {
    ++tests;
    failures += mark == Mark::kFailure ? 1 : 0;
    errors += mark == Mark::kError ? 1 : 0;
    skipped += mark == Mark::kSkipped ? 1 : 0;
  }
  std::string text() const {
    return StrCat(" tests=\"", tests, "\" failures=\"", failures,
                  "\" errors=\"", errors, "\" skipped=\"", skipped, "\"");
  }
};

std::string Property(const char* name, const std::string& value) {
  return value.empty() ? ""
                       : StrCat("        <property name=\"", name,
                                "\" value=\"", EscapeHtml(value), "\"/>\n");
}

std::string TestCase(const GateRow& row, const GateCell& cell, bool strict) {
  const std::string properties =
      StrCat(Property("outcome", std::string(NameOf(cell.outcome))),
             Property("tier", TierText(cell)), Property("test", cell.test),
             Property("reference", Number(cell.reference, "%.17g")),
             Property("candidate", Number(cell.candidate, "%.17g")),
             Property("difference", Number(cell.difference, "%.17g")),
             Property("p", Number(cell.p, "%.6g")),
             Property("p_adjusted", Number(cell.p_adjusted, "%.6g")),
             Property("mde", Number(cell.mde, "%.6g")),
             Property("margin", Number(cell.margin, "%.6g")),
             Property("tries", std::to_string(cell.tries)));
  std::string out =
      StrCat("    <testcase name=\"", EscapeHtml(cell.group), "\" classname=\"",
             EscapeHtml(row.dataset), ".", EscapeHtml(row.label),
             "\">\n      <properties>\n", properties, "      </properties>\n");
  const char* element = nullptr;
  const Mark mark = MarkOf(cell.outcome, strict);
  if (mark == Mark::kFailure) element = "failure";
  if (mark == Mark::kError) element = "error";
  if (mark == Mark::kSkipped) element = "skipped";
  if (element != nullptr) {
    const std::string message = StrCat(
        NameOf(cell.outcome), cell.reason.empty() ? "" : ": ", cell.reason);
    out += StrCat("      <", element, " message=\"", EscapeHtml(message),
                  "\" type=\"", NameOf(cell.outcome), "\"/>\n");
  }
  out += StrCat("      <system-out>", NameOf(cell.outcome), " ",
                Number(cell.reference, "%.2f"), " -&gt; ",
                Number(cell.candidate, "%.2f"), " ", EscapeHtml(cell.test),
                "</system-out>\n    </testcase>\n");
  return out;
}

std::string Cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != text.npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

std::string MarkdownRows(const std::vector<GateRow>& rows) {
  std::string out =
      "| data set | method | group | outcome | tier | baseline | now | "
      "difference | p | p (Holm) | p (table) | smallest seen | margin | |\n"
      "|---|---|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|\n";
  for (const GateRow& row : rows) {
    for (const GateCell& cell : row.cells) {
      const bool plain = cell.outcome == Outcome::kPass;
      out += StrCat(
          "| ", Cell(row.dataset), " | ", Cell(row.label), " | ", cell.group,
          " | ", plain ? "" : "**", NameOf(cell.outcome), plain ? "" : "**",
          " | ", TierText(cell), " | ", Number(cell.reference, "%.2f"), " | ",
          Number(cell.candidate, "%.2f"), " | ",
          Number(cell.difference, "%+.2f"), " | ", Number(cell.p, "%.3g"),
          " | ", Number(cell.p_adjusted, "%.3g"), " | ",
          cell.group == "total" ? Number(row.p_table, "%.3g") : "", " | ",
          Number(cell.mde, "%.2f"), " | ", Number(cell.margin, "%.2f"), " | ",
          Cell(cell.reason), " |\n");
    }
  }
  return out;
}

std::string TextRows(const std::vector<GateRow>& rows) {
  std::string out;
  for (const GateRow& row : rows) {
    out += StrCat(row.dataset, " / ", row.label, "\n");
    for (const GateCell& cell : row.cells) {
      char line[200];
      std::snprintf(
          line, sizeof line, "  %-8s %-14s %8s %8s %8s  p %-8s margin %.2f  ",
          cell.group.c_str(), std::string(NameOf(cell.outcome)).c_str(),
          Number(cell.reference, "%.2f").c_str(),
          Number(cell.candidate, "%.2f").c_str(),
          Number(cell.difference, "%+.2f").c_str(),
          Number(cell.p_adjusted, "%.3g").c_str(), cell.margin);
      out += line;
      if (cell.tier) out += StrCat("tier ", TierText(cell), ", ", cell.test);
      if (cell.tries > 1) out += StrCat(", ", cell.tries, " tries");
      if (!cell.reason.empty()) {
        out += StrCat(cell.tier ? ": " : "", cell.reason);
      }
      out += "\n";
    }
  }
  return out;
}

}  // namespace

std::vector<Outcome> GateReport::Outcomes() const {
  std::vector<Outcome> out;
  for (const GateRow& row : rows) {
    for (const GateCell& cell : row.cells) out.push_back(cell.outcome);
  }
  return out;
}

std::int64_t GateReport::Compared() const {
  std::int64_t compared = 0;
  for (const GateRow& row : rows) {
    for (const GateCell& cell : row.cells) {
      compared += cell.difference ? 1 : 0;
    }
  }
  return compared;
}

void FinishGate(GateReport& report) {
  std::vector<double> p;
  std::vector<GateRow*> rows;
  for (GateRow& row : report.rows) {
    if (row.cells.empty() || !row.cells.front().p) continue;
    p.push_back(*row.cells.front().p);
    rows.push_back(&row);
  }
  const auto adjusted = BenjaminiHochbergAdjusted(p);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i]->p_table = adjusted[i];
}

OrderedJson GateJson(const GateReport& report, int exit_code) {
  OrderedJson outcomes = OrderedJson::object();
  for (const auto& [name, count] : CountsOf(report)) outcomes[name] = count;
  return {{"baseline", report.baseline},
          {"accepted", report.accepted_utc},
          {"why", report.why},
          {"campaign", report.campaign},
          {"compared", report.Compared()},
          {"outcomes", std::move(outcomes)},
          {"exit_code", exit_code},
          {"rows", RowsJson(report.rows)},
          {"drift", RowsJson(report.drift)}};
}

std::string GateMarkdown(const GateReport& report) {
  std::string out = StrCat("## ", report.campaign, " against baseline ",
                           report.baseline, "\n\n", CountsText(report),
                           ". Baseline accepted ", report.accepted_utc, ": ",
                           report.why, "\n\n", MarkdownRows(report.rows));
  if (!report.drift.empty()) {
    out += StrCat("\n### Since the oldest baseline of that name\n\n",
                  MarkdownRows(report.drift));
  }
  return out;
}

std::string GateJunit(const GateReport& report, bool strict) {
  Counts all;
  std::string suites;
  for (const GateRow& row : report.rows) {
    Counts counts;
    std::string cases;
    for (const GateCell& cell : row.cells) {
      counts.Add(MarkOf(cell.outcome, strict));
      all.Add(MarkOf(cell.outcome, strict));
      cases += TestCase(row, cell, strict);
    }
    suites += StrCat("  <testsuite name=\"", EscapeHtml(row.dataset), " / ",
                     EscapeHtml(row.label), "\"", counts.text(), ">\n", cases,
                     "  </testsuite>\n");
  }
  return StrCat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"",
      EscapeHtml(StrCat("tailmark check ", report.baseline)), "\"", all.text(),
      ">\n", suites, "</testsuites>\n");
}

std::string GateText(const GateReport& report) {
  std::string out = StrCat(report.campaign, " against baseline ",
                           report.baseline, " (accepted ", report.accepted_utc,
                           ": ", report.why, ")\n", TextRows(report.rows));
  if (!report.drift.empty()) {
    out += StrCat("since the oldest baseline of that name:\n",
                  TextRows(report.drift));
  }
  return out + CountsText(report) + "\n";
}

}  // namespace tailmark
