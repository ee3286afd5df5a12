#include <iostream>

#include "datasets/fetch/fetch.h"
#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/base/progress.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/fetchable.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"

namespace tailmark {
namespace {

struct FetchOptions {
  std::string name;
  std::string root;
  std::string from;
  std::string mirrors;
  std::vector<std::string> bases;
  std::optional<std::int64_t> parallel;
  std::optional<std::int64_t> attempts;
  std::optional<std::int64_t> stall;
  bool dry_run = false;
  bool json = false;
};

std::int64_t Within(const char* name, const std::optional<std::int64_t>& value,
                    std::int64_t fallback, std::int64_t most) {
  const std::int64_t given = value.value_or(fallback);
  if (given >= 1 && given <= most) return given;
  throw ConfigError(StrCat(name, " ", given, " is outside [1, ", most, "]"));
}

fetch::FetchJob JobOf(const FetchOptions& options, const Fetchable& data) {
  fetch::FetchJob job{
      .dataset = data.name,
      .paths = data.paths,
      .mirrors = fetch::WithBases(
          fetch::ReadMirrors(options.mirrors, data.name), options.bases),
      .root = data.root,
      .from = options.from};
  job.parallel =
      static_cast<int>(Within("--parallel", options.parallel, 8, 64));
  job.retry.attempts = static_cast<int>(
      Within("--attempts", options.attempts, job.retry.attempts, 100));
  job.limits.stall_seconds =
      static_cast<double>(Within("--stall", options.stall, 30, 3600));
  job.limits.connect_seconds =
      std::min(job.limits.connect_seconds, job.limits.stall_seconds);
  return job;
}

std::string SizesOf(const fetch::FetchJob& job,
                    const fetch::FetchEstimate& sizes) {
  return StrCat(
      job.dataset, ": ", sizes.images, " images below ", job.root.string(),
      ", ", sizes.missing, " are missing: about ",
      FormatBytes(static_cast<double>(sizes.bytes_on_disk)), " on disk, ",
      job.from.empty()
          ? StrCat(FormatBytes(static_cast<double>(sizes.bytes_to_read)),
                   " to read")
          : StrCat("from ", job.from.string()),
      ", room for ", FormatBytes(static_cast<double>(sizes.bytes_available)));
}

void PrintProblems(const std::vector<fetch::Problem>& problems) {
  constexpr std::size_t kMost = 50;
  std::vector<std::vector<std::string>> table = {{"IMAGE", "WHAT IS WRONG"}};
  for (const fetch::Problem& each : problems) {
    if (table.size() > kMost) break;
    table.push_back({each.path, each.what});
  }
  std::cout << TextTable(table);
  if (problems.size() > kMost) {
    std::cout << "and " << problems.size() - kMost << " more\n";
  }
}

int Fetch(const FetchOptions& options) {
  const Fetchable data = OpenFetchable(options.name, options.root);
  const fetch::FetchJob job = JobOf(options, data);
  const fetch::FetchEstimate sizes = fetch::Estimate(job);
  OrderedJson answer = {{"dataset", job.dataset},
                        {"root", job.root.string()},
                        {"images", sizes.images},
                        {"missing", sizes.missing},
                        {"bytes_on_disk", sizes.bytes_on_disk},
                        {"bytes_to_read", sizes.bytes_to_read},
                        {"bytes_available", sizes.bytes_available}};
  // On stderr where stdout is JSON.
  (options.json ? std::cerr : std::cout) << SizesOf(job, sizes) << std::endl;
  fetch::FetchReport report;
  if (!options.dry_run) {
    report = fetch::Fetch(job);
    answer["there"] = report.there;
    answer["got"] = report.got;
    answer["bytes"] = report.bytes;
    answer["problems"] = OrderedJson::array();
    for (const fetch::Problem& each : report.problems) {
      answer["problems"].push_back({{"path", each.path}, {"what", each.what}});
    }
  }
  if (options.json) {
    std::cout << answer.dump(2) << "\n";
  } else if (!options.dry_run) {
    std::cout << report.there << " were there, " << report.got << " came ("
              << FormatBytes(static_cast<double>(report.bytes)) << "), "
              << report.problems.size() << " did not\n";
    if (!report.problems.empty()) PrintProblems(report.problems);
  }
  return report.problems.empty() ? kExitOk : kExitNothing;
}

}  // namespace

Verb DataFetchVerb() {
  auto options = std::make_shared<FetchOptions>();
  return {
      .name = "fetch",
      .summary = "Get just the images a data set needs; goes on where it was",
      .example = "tailmark data fetch coco-lt --root /data/coco",
      .declare =
          [options](Args& args) {
            args.Positional("NAME", options->name, true, "A data set");
            args.Option("--root", options->root, "DIR",
                        "Where to put the images");
            args.Option("--from", options->from, "DIR",
                        "Take them from a copy that is there already");
            args.Repeated("--base", options->bases, "URL",
                          "Instead of the hosts of the mirrors file");
            args.Option("--mirrors", options->mirrors, "FILE",
                        "Another mirrors file");
            args.Option("--parallel", options->parallel, "N",
                        "Images at a time (default: 8)");
            args.Option("--attempts", options->attempts, "N",
                        "Of each address (default: 6)");
            args.Option("--stall", options->stall, "SECONDS",
                        "Give up on a server that says nothing (default: 30)");
            args.Flag("--dry-run", options->dry_run, "Only say how much it is");
            args.Flag("--json", options->json, "Print JSON");
          },
      .run = [options] { return Fetch(*options); }};
}

}  // namespace tailmark
