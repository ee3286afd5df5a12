#include "harness/base/error.h"
#include "reports/answers.h"
#include "reports/html/page.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark::html {
namespace {

using FactList = std::vector<std::pair<std::string, std::string>>;

std::string FactTable(int id, std::string_view caption, const FactList& facts) {
  std::string rows;
  for (const auto& [name, value] : facts) {
    if (value.empty()) continue;
    rows += StrCat("<tr><th scope=\"row\">", EscapeHtml(name), "</th><td>",
                   Code(value), "</td></tr>");
  }
  if (rows.empty()) return "";
  return Table(id, EscapeHtml(caption),
               StrCat("<tr>", HeadCell("Field"), HeadCell("Value"), "</tr>"),
               StrCat("<tbody>", rows, "</tbody>"), "kv");
}

std::string Command(std::string_view command) {
  return StrCat("<pre class=\"cmd\"><code>", EscapeHtml(command),
                "</code></pre>");
}

std::string RerunCommands(const ReportModel& model, const Looks& looks) {
  std::string items;
  for (const ReportDataset& dataset : model.datasets) {
    for (const ReportRow& row : dataset.rows) {
      if (row.command.empty()) continue;
      const Look& look = looks.Of(row);
      items += StrCat(
          "<li class=\"row ", look.Class(), "\">",
          row.brands.empty() ? Chip(look, row.label) : EscapeHtml(row.label),
          model.datasets.size() > 1 ? StrCat(" on ", EscapeHtml(dataset.name))
                                    : std::string(),
          row.recipe.empty()
              ? ""
              : StrCat(" <span class=\"sd\">recipe ",
                       Code(row.recipe.substr(0, 12)), "</span>"),
          Command(row.command), "</li>");
    }
  }
  return items.empty() ? ""
                       : StrCat("<h3>Rerun a row</h3><ul class=\"cmds\">",
                                items, "</ul>");
}

FactList Digests(const ReportModel& model) {
  FactList facts;
  for (const ReportDataset& dataset : model.datasets) {
    const std::string of =
        model.datasets.size() > 1 ? StrCat(", ", dataset.name) : "";
    facts.emplace_back(StrCat("pictures", of), dataset.manifest_sha256);
    facts.emplace_back(StrCat("train list and labels", of),
                       dataset.train_list_sha256);
    facts.emplace_back(StrCat("test list and labels", of),
                       dataset.test_list_sha256);
    facts.emplace_back(StrCat("label policy", of), dataset.label_policy);
  }
  for (const ReportWeights& weights : model.weights) {
    facts.emplace_back(StrCat("weights ", weights.name), weights.sha256);
  }
  return facts;
}

std::string Builds(const ReportModel& model, int* ids) {
  std::string out;
  for (const ReportBuild& build : model.builds) {
    const std::string commit =
        build.git_sha.empty()
            ? ""
            : StrCat(build.git_sha, build.dirty ? ", changed" : ", clean tree");
    out += FactTable(++*ids, StrCat("Build of ", Count(build.runs, "run")),
                     {{"version", build.version},
                      {"commit", commit},
                      {"source digest", build.digest},
                      {"compiler", build.compiler},
                      {"flags", build.flags},
                      {"LibTorch", build.torch_version}});
  }
  return out;
}

std::string Environments(const ReportModel& model, int* ids) {
  std::string out;
  for (const ReportEnvironment& each : model.environments) {
    FactList facts = {{"fingerprint", each.fingerprint}};
    facts.insert(facts.end(), each.fields.begin(), each.fields.end());
    out += FactTable(++*ids, StrCat("Environment of ", Count(each.runs, "run")),
                     facts);
  }
  return out;
}

}  // namespace

std::optional<Section> Provenance(const ReportModel& model, const Looks& looks,
                                  int* ids) {
  std::string body = RerunCommands(model, looks);
  if (!model.command.empty())
    body += "<h3>Rebuild this page</h3>" + Command(model.command);
  const std::string digests =
      FactTable(++*ids, "SHA-256 of what the runs read", Digests(model));
  const std::string builds = Builds(model, ids);
  const std::string environments = Environments(model, ids);
  std::string left, right;
  if (!digests.empty()) left += "<h3>Data and weights</h3>" + digests;
  if (!builds.empty()) left += "<h3>Build</h3>" + builds;
  if (!environments.empty()) right += "<h3>Environment</h3>" + environments;
  if (!left.empty() || !right.empty()) {
    body += StrCat("<div class=\"pair\"><div>", left, "</div><div>", right,
                   "</div></div>");
  }
  if (body.empty()) return {};
  return Section{.id = "provenance",
                 .name = "Provenance",
                 .question = "How do I get these numbers myself?",
                 .answer = ProvenanceAnswer(model),
                 .body = body};
}

}  // namespace tailmark::html
