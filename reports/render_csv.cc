#include "harness/base/error.h"
#include "reports/render.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark {
namespace {

/// What a line says beside its run.
struct Fact {
  std::string definition;
  std::string group;
  std::string subject;  ///< Class name or phase.
  std::string quantity;
  Figure value;
};

class Lines {
 public:
  void Begin(const ReportDataset& dataset, const ReportRow& row,
             const ReportRun& run) {
    std::string brands;
    for (const std::string& brand : row.brands)
      brands += StrCat(brands.empty() ? "" : " ", brand);
    prefix_ = StrCat(CsvField(dataset.name), ",", CsvField(row.method), ",",
                     CsvField(row.label), ",", CsvField(row.recipe), ",",
                     CsvField(brands), ",", run.seed, ",", CsvField(run.key),
                     ",", CsvField(run.state), ",", CsvField(run.reason), ",");
  }
  void Add(const Fact& fact) {
    text_ += StrCat(prefix_, CsvField(fact.definition), ",",
                    CsvField(fact.group), ",", CsvField(fact.subject), ",",
                    fact.quantity, ",", Exact(fact.value), "\r\n");
  }
  const std::string& text() const { return text_; }

 private:
  std::string prefix_;
  std::string text_ =
      "dataset,method,label,recipe,brands,seed,key,state,reason,definition,"
      "group,subject,quantity,value\r\n";
};

void AddFigures(const ReportDataset& dataset, const ReportRun& run,
                Lines& lines) {
  for (const std::string& definition : dataset.definitions) {
    const auto it = run.values.find(definition);
    if (it == run.values.end()) continue;
    for (const std::string& group : GroupsOf(dataset)) {
      if (const auto value = it->second.find(group);
          value != it->second.end()) {
        lines.Add({definition, group, "", "map_percent", value->second});
      }
    }
  }
  for (std::size_t c = 0; c < run.class_ap.size() && c < dataset.classes.size();
       ++c) {
    lines.Add({DefaultDefinition(dataset), dataset.classes[c].group,
               dataset.classes[c].name, "ap_percent", run.class_ap[c]});
  }
}

/// What choosing the epoch on test labels gave, and what it added to the last.
void AddPicked(const ReportDataset& dataset, const ReportRun& run,
               Lines& lines) {
  for (const auto& [definition, groups] : run.picked) {
    for (const std::string& group : GroupsOf(dataset)) {
      if (const auto value = groups.find(group); value != groups.end()) {
        lines.Add(
            {definition, group, "", "best_on_test_percent", value->second});
      }
    }
  }
  if (const Figure optimism = OptimismOf(run)) {
    lines.Add({DefaultDefinition(dataset), "total", "", "optimism_percent",
               optimism});
  }
}

void AddRest(const ReportRun& run, Lines& lines) {
  if (run.ties) {
    lines.Add({"", "", "", "distinct_per_class", run.ties->distinct_per_class});
    lines.Add({"", "", "", "tied_fraction", run.ties->tied_fraction});
    lines.Add({"", "", "", "saturated_fraction", run.ties->saturated_fraction});
    lines.Add({"", "total", "", "rank_best_percent", run.ties->rank_best});
    lines.Add({"", "total", "", "rank_worst_percent", run.ties->rank_worst});
  }
  for (const ReportPhase& phase : run.phases) {
    lines.Add({"", "", phase.phase, "wall_seconds", phase.wall_s});
    if (phase.peak_rss) {
      lines.Add({"", "", phase.phase, "peak_rss_bytes",
                 static_cast<double>(*phase.peak_rss)});
    }
  }
}

}  // namespace

std::string RenderCsv(const ReportModel& model) {
  Lines lines;
  for (const ReportDataset& dataset : model.datasets) {
    for (const ReportRow& row : dataset.rows) {
      for (const ReportRun& run : row.runs) {
        lines.Begin(dataset, row, run);
        if (!run.done()) {
          lines.Add(
              {DefaultDefinition(dataset), "total", "", "map_percent", {}});
          continue;
        }
        AddFigures(dataset, run, lines);
        AddPicked(dataset, run, lines);
        AddRest(run, lines);
      }
    }
  }
  return lines.text();
}

}  // namespace tailmark
