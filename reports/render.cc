#include "reports/render.h"

#include <algorithm>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/suggest.h"

namespace tailmark {

const std::vector<ReportFormat>& ReportFormats() {
  static const std::vector<ReportFormat> kFormats = {{"html", RenderHtml},
                                                     {"md", RenderMarkdown},
                                                     {"csv", RenderCsv},
                                                     {"json", RenderJson},
                                                     {"tex", RenderLatex}};
  return kFormats;
}

std::vector<std::filesystem::path> WriteReports(
    const ReportModel& model, const std::vector<std::string>& formats,
    const std::filesystem::path& folder) {
  std::vector<const ReportFormat*> wanted;
  for (const std::string& name : formats) {
    const auto& all = ReportFormats();
    const auto it = std::find_if(all.begin(), all.end(), [&](const auto& each) {
      return each.name == name;
    });
    if (it == all.end()) {
      std::vector<std::string> names;
      for (const ReportFormat& each : all) names.emplace_back(each.name);
      throw ConfigError(UnknownName("report format", name, names));
    }
    wanted.push_back(&*it);
  }
  std::vector<std::filesystem::path> paths;
  MakeFolders(folder);
  for (const ReportFormat* format : wanted) {
    paths.push_back(folder / StrCat("report.", format->name));
    WriteFileAtomic(paths.back(), format->render(model));
  }
  return paths;
}

}  // namespace tailmark
