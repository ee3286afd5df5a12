#include <iostream>

#include "datasets/coco_fewshot/train2014.h"
#include "datasets/fetch/annotations.h"
#include "datasets/fetch/fetch.h"
#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/base/log.h"
#include "harness/base/progress.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/fetchable.h"
#include "harness/cli/verbs.h"

namespace tailmark {
namespace {

constexpr std::size_t kMostLines = 50;

struct FetchOptions {
  FetchableArgs data;
  std::string annotations;
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

// coco-fewshot's supports are positions in the user's file.
void MakeLists(const FetchOptions& options) {
  if (options.annotations.empty()) return;
  if (options.data.name != "coco-fewshot") {
    throw ConfigError(StrCat("--annotations is for coco-fewshot: '",
                             options.data.name, "' has all its lists"));
  }
  const auto annotations =
      fetch::ReadCocoAnnotations(options.annotations, fetch::kCocoObjects);
  const auto file = RootOf(options.data) / coco_fewshot::kTrain2014File;
  coco_fewshot::WriteTrain2014(
      file, fetch::ToLabelledImages(annotations, "train2014/"));
  (options.json ? std::cerr : std::cout)
      << file.string() << ": " << annotations.images.size() << " images\n";
}

int Fetch(const FetchOptions& options) {
  MakeLists(options);
  const Fetchable data = OpenFetchable(options.data);
  if (!data.lacking.empty()) LogWarning(data.lacking);
  const fetch::FetchJob job = JobOf(options, data);
  const fetch::FetchEstimate sizes = fetch::Estimate(job);
  OrderedJson answer = {{"dataset", job.dataset},
                        {"root", job.root.string()},
                        {"images", sizes.images},
                        {"missing", sizes.missing},
                        {"lacking", data.lacking},
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
    answer["problems"] = ProblemsJson(report.problems);
  }
  if (options.json) {
    std::cout << answer.dump(2) << "\n";
  } else if (!options.dry_run) {
    std::cout << report.there << " were there, " << report.got << " came ("
              << FormatBytes(static_cast<double>(report.bytes)) << "), "
              << report.problems.size() << " did not\n";
    if (!report.problems.empty()) {
      std::cout << ProblemTable(report.problems, kMostLines);
    }
  }
  return report.problems.empty() && data.lacking.empty() ? kExitOk
                                                         : kExitNothing;
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
            options->data.Declare(args);
            args.Option("--annotations", options->annotations, "FILE",
                        "instances_train2014.json, which says what the "
                        "supports of coco-fewshot are");
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
