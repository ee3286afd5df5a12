#include <algorithm>
#include <iostream>
#include <thread>

#include "datasets/fetch/data_manifest.h"
#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/base/log.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/fetchable.h"
#include "harness/cli/verbs.h"

namespace tailmark {
namespace {

struct VerifyOptions {
  FetchableArgs data;
  bool json = false;
};

constexpr std::size_t kMostMissing = 20;

/// What is wrong, a line each; of files that are only absent the first few, for
/// a folder of which nothing is there would hide the rest.
std::string Listing(const std::vector<fetch::Problem>& problems) {
  std::vector<fetch::Problem> shown;
  std::size_t absent = 0;
  for (const fetch::Problem& each : problems) {
    if (each.what == fetch::kMissing && ++absent > kMostMissing) continue;
    shown.push_back(each);
  }
  std::string text = ProblemTable(shown, 0);
  if (absent > kMostMissing) {
    text += StrCat("and ", absent - kMostMissing,
                   " more that are missing; --json lists all\n");
  }
  return text;
}

int Verify(const VerifyOptions& options) {
  Fetchable data = OpenFetchable(options.data);
  const auto images = static_cast<std::size_t>(std::count_if(
      data.paths.begin(), data.paths.end(),
      [](const auto& path) { return !fetch::IsAnnotation(path); }));
  for (const auto& each :
       PackedOf(options.data, fetch::ReadMirrors({}, data.name))) {
    data.paths.push_back(each.member);
  }
  if (!data.lacking.empty()) LogWarning(data.lacking);
  const auto manifest = fetch::DataManifest::Load(data.root);
  if (manifest.empty()) {
    LogWarning(StrCat("no manifest in ", data.root.string(),
                      ": files are decoded, but their hashes are compared "
                      "with nothing; tailmark data fetch ",
                      data.name, " --root ", data.root.string(),
                      " writes one"));
  }
  const int threads =
      std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const auto problems =
      fetch::VerifyFiles(data.root, data.paths, manifest, threads);
  if (options.json) {
    OrderedJson answer = {{"dataset", data.name},
                          {"root", data.root.string()},
                          {"images", images},
                          {"annotations", data.paths.size() - images},
                          {"manifest", !manifest.empty()},
                          {"good", problems.empty()},
                          {"lacking", data.lacking},
                          {"problems", ProblemsJson(problems)}};
    std::cout << answer.dump(2) << "\n";
  } else {
    if (!problems.empty()) std::cout << Listing(problems);
    std::cout << data.name << ": " << data.paths.size() - problems.size()
              << " of " << data.paths.size()
              << (images == data.paths.size() ? " images" : " files")
              << " are good\n";
  }
  return problems.empty() && data.lacking.empty() ? kExitOk : kExitUsage;
}

}  // namespace

Verb DataVerifyVerb() {
  auto options = std::make_shared<VerifyOptions>();
  return {.name = "verify",
          .summary = "Every image there, as it first came, decodable?",
          .example = "tailmark data verify coco-lt --root /data/coco",
          .declare =
              [options](Args& args) {
                options->data.Declare(args);
                options->data.DeclareWith(args);
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options] { return Verify(*options); }};
}

}  // namespace tailmark
