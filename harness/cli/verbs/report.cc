#include <iostream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/partitions.h"
#include "harness/cli/planning.h"
#include "harness/cli/report_intervals.h"
#include "harness/cli/verbs.h"
#include "reports/build_model.h"
#include "reports/render.h"

namespace tailmark {
namespace {

struct ReportVerbOptions {
  std::string campaign;
  std::string definition;
  std::string baseline;
  std::string formats = "html";
  std::string out = "tailmark-report";
  std::optional<std::int64_t> resamples;
};

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (true) {
    const auto comma = text.find(',', at);
    words.push_back(text.substr(at, comma - at));
    if (comma == text.npos) return words;
    at = comma + 1;
  }
}

std::string CommandOf(const ReportVerbOptions& options) {
  std::string command = "tailmark report";
  if (!options.campaign.empty()) command += " " + options.campaign;
  if (!options.definition.empty())
    command += " --definition " + options.definition;
  if (!options.baseline.empty()) command += " --baseline " + options.baseline;
  if (options.resamples) {
    command += StrCat(" --resamples ", *options.resamples);
  }
  return command + " -f " + options.formats;
}

int Report(const ReportVerbOptions& options, const GlobalOptions& global) {
  const Store store = OpenStoreToRead(global);
  const std::optional<Catalog> catalog = CatalogIfThere();
  ReportModel model =
      BuildReportModel(store, {.campaign = options.campaign,
                               .definition = options.definition,
                               .baseline = options.baseline,
                               .command = CommandOf(options),
                               .catalog = catalog ? &*catalog : nullptr});
  const std::int64_t resamples = options.resamples.value_or(2000);
  if (resamples < 0) {
    throw ConfigError(StrCat("--resamples ", resamples, " is below 0"));
  }
  if (resamples > 0) {
    DataAccess data(CacheIfThere(global));
    AddIntervals(store, data, {.resamples = resamples}, model);
  }
  AddLabelGraphs(StoreFolder(global) / "partitions", model);
  const auto paths = WriteReports(model, SplitAtCommas(options.formats),
                                  std::filesystem::absolute(options.out));
  for (const auto& path : paths) std::cout << path.string() << "\n";
  for (const ReportDataset& dataset : model.datasets) {
    for (const ReportRow& row : dataset.rows) {
      for (const ReportRun& run : row.runs) {
        if (run.done()) return kExitOk;
      }
    }
  }
  return kExitNothing;
}

}  // namespace

Verb ReportVerb(const GlobalOptions& global) {
  auto options = std::make_shared<ReportVerbOptions>();
  return {.name = "report",
          .summary =
              "Write the results of a campaign as HTML, Markdown, "
              "LaTeX, CSV or JSON",
          .example = "tailmark report -f html,md -o report",
          .declare =
              [options](Args& args) {
                args.Positional("CAMPAIGN", options->campaign, false,
                                "Its name (default: the newest)");
                args.Option("-f,--format", options->formats, "LIST",
                            "Of html,md,tex,csv,json (default: html)");
                args.Option("--definition", options->definition, "ID",
                            "The one that ranks (default: ap.step)");
                args.Option("--baseline", options->baseline, "METHOD",
                            "The row that others are held against");
                args.Option("--resamples", options->resamples, "B",
                            "Of the test images, for intervals and letters "
                            "(default: 2000; 0: none)");
                args.Option("-o,--out", options->out, "DIR",
                            "Where report.<format> goes (default: "
                            "tailmark-report)");
              },
          .run = [options, &global] { return Report(*options, global); }};
}

}  // namespace tailmark
