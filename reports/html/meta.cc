#include <set>

#include "harness/base/error.h"
#include "reports/html/page.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark::html {
namespace {

std::string Seeds(const ReportModel& model) {
  std::set<std::uint64_t> seeds;
  for (const ReportDataset& dataset : model.datasets) {
    for (const ReportRow& row : dataset.rows) {
      for (const ReportRun* run : DoneRuns(row)) seeds.insert(run->seed);
    }
  }
  std::string text;
  for (const std::uint64_t seed : seeds)
    text += StrCat(text.empty() ? "" : ", ", seed);
  return EscapeHtml(Shorten(text, 40));
}

std::string Selections(const ReportModel& model) {
  std::set<std::string> names;
  for (const ReportDataset& dataset : model.datasets) {
    for (const ReportRow& row : dataset.rows) {
      if (!row.selection.empty()) names.insert(row.selection);
    }
  }
  std::string text;
  for (const std::string& name : names)
    text += StrCat(text.empty() ? "" : ", ", Code(name));
  return text;
}

std::string Digest(const std::string& sha256, std::int64_t images) {
  if (sha256.empty()) return "";
  return StrCat(Code(sha256.substr(0, 12)), ", ", Count(images, "picture"));
}

/// "2026-01-31 12:00 UTC" of "2026-01-31T12:00:00Z"; anything else as it is.
std::string ReadableUtc(const std::string& utc) {
  if (utc.size() != 20 || utc[10] != 'T' || utc[19] != 'Z') return utc;
  return StrCat(utc.substr(0, 10), " ", utc.substr(11, 5), " UTC");
}

class Facts {
 public:
  /// `value` is markup; an empty one is left out.
  void Add(std::string_view name, const std::string& value) {
    if (!value.empty()) {
      out_ += StrCat("<div><dt>", name, "</dt><dd>", value, "</dd></div>");
    }
  }
  std::string List() const {
    return StrCat("<dl class=\"meta\">", out_, "</dl>");
  }

 private:
  std::string out_;
};

void AddDatasets(const ReportModel& model, Facts& facts) {
  std::set<std::string> definitions;
  for (const ReportDataset& dataset : model.datasets) {
    const std::string definition = DefaultDefinition(dataset);
    if (!definition.empty() && definitions.insert(definition).second) {
      facts.Add("Definition", Breakable(definition));
    }
  }
  for (const ReportDataset& dataset : model.datasets) {
    const auto classes = static_cast<std::int64_t>(dataset.classes.size());
    facts.Add("Data set", StrCat(EscapeHtml(dataset.name),
                                 dataset.version.empty() ? "" : ", version ",
                                 EscapeHtml(dataset.version), ", ",
                                 Count(classes, "class", "classes")));
    facts.Add("Train labels",
              Digest(dataset.train_list_sha256, dataset.train_images));
    facts.Add("Test labels",
              Digest(dataset.test_list_sha256, dataset.test_images));
  }
}

}  // namespace

std::string Meta(const ReportModel& model) {
  std::int64_t done = 0, rows = 0;
  for (const ReportDataset& dataset : model.datasets) {
    rows += static_cast<std::int64_t>(dataset.rows.size());
    for (const ReportRow& row : dataset.rows)
      done += static_cast<std::int64_t>(DoneRuns(row).size());
  }
  Facts facts;
  facts.Add(
      "Campaign",
      StrCat(EscapeHtml(model.campaign), model.campaign.empty() ? "" : ", ",
             Count(done, "run"), " done, ", Count(rows, "row")));
  facts.Add("Last run finished", EscapeHtml(ReadableUtc(model.finished_utc)));
  for (const ReportBuild& build : model.builds) {
    if (build.git_sha.empty()) continue;
    facts.Add("Commit", StrCat(Code(build.git_sha.substr(0, 12)),
                               build.dirty ? ", changed" : ", clean"));
  }
  if (!model.store.empty()) {
    facts.Add("Store",
              StrCat(Code(model.store), ", schema ", model.store_schema));
  }
  AddDatasets(model, facts);
  facts.Add("Selection", Selections(model));
  facts.Add("Seeds", Seeds(model));
  for (const ReportWeights& weights : model.weights) {
    facts.Add("Weights", StrCat(EscapeHtml(weights.name), " ",
                                Code(weights.sha256.substr(0, 12))));
  }
  return facts.List();
}

}  // namespace tailmark::html
