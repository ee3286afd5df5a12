#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "reports/model.h"

namespace tailmark {

/// Each writes the whole report as one text. Equal models give equal bytes;
/// nothing is read but the model.

/// One file: no network, styles and script inside, readable without script.
std::string RenderHtml(const ReportModel& model);
/// GitHub-flavoured tables, the same answers as the HTML.
std::string RenderMarkdown(const ReportModel& model);
/// For \input in a preamble: a command a figure (\tailmarkEmbeddedLmptTail)
/// and a command a table (\tailmarkEmbeddedTable, needs booktabs).
std::string RenderLatex(const ReportModel& model);
/// One line a figure, unrounded: reports/README.md lists the columns.
std::string RenderCsv(const ReportModel& model);
/// The model, unrounded; schema "tailmark-report/1".
std::string RenderJson(const ReportModel& model);

struct ReportFormat {
  std::string_view name;  ///< "html": also the file's extension.
  std::string (*render)(const ReportModel&);
};
/// html, md, csv, json, tex.
const std::vector<ReportFormat>& ReportFormats();

/// Writes `folder`/report.<name> for each of `formats` ("html,md" is split by
/// the caller) and returns the paths in that order. Throws ConfigError for an
/// unknown format before anything is written, StoreError when the disk fails.
std::vector<std::filesystem::path> WriteReports(
    const ReportModel& model, const std::vector<std::string>& formats,
    const std::filesystem::path& folder);

}  // namespace tailmark
