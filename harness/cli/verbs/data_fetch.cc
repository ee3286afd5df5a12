#include <iostream>

#include "datasets/coco_fewshot/train2014.h"
#include "datasets/fetch/annotations.h"
#include "datasets/fetch/fetch.h"
#include "datasets/fetch/packed.h"
#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/base/log.h"
#include "harness/base/progress.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/fetchable.h"
#include "harness/cli/verbs.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

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

/// Without paths: those are known once the lists are.
fetch::FetchJob JobOf(const FetchOptions& options) {
  fetch::FetchJob job{
      .dataset = options.data.name,
      .paths = {},
      .mirrors = fetch::WithBases(
          fetch::ReadMirrors(options.mirrors, options.data.name),
          options.bases),
      .root = RootOf(options.data),
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
      ", ", sizes.missing, " are missing",
      sizes.annotations == 0
          ? ""
          : StrCat("; ", sizes.annotations, " files of annotations, ",
                   sizes.missing_annotations, " are missing"),
      ": about ", FormatBytes(static_cast<double>(sizes.bytes_on_disk)),
      " on disk, ",
      job.from.empty()
          ? StrCat(FormatBytes(static_cast<double>(sizes.bytes_to_read)),
                   " to read")
          : StrCat("from ", job.from.string()),
      ", room for ", FormatBytes(static_cast<double>(sizes.bytes_available)));
}

constexpr const char* kTakesLists = "coco-fewshot";

/// Files of annotations that are wanted, and those that lists have to be made
/// of first.
std::vector<fetch::PackedFile> PackedFor(const FetchOptions& options,
                                         const fetch::FetchJob& job) {
  auto files = PackedOf(options.data, job.mirrors);
  std::error_code ignored;
  const bool lacks =
      job.dataset == kTakesLists && options.annotations.empty() &&
      !fs::is_regular_file(job.root / coco_fewshot::kTrain2014File, ignored);
  if (!lacks || !options.data.with.empty()) return files;
  for (const fetch::PackedFile& each : job.mirrors.packed) {
    if (each.what == "lists") files.push_back(each);
  }
  return files;
}

std::string SizesOf(const fetch::FetchJob& job,
                    const std::vector<fetch::PackedFile>& files) {
  std::int64_t bytes = 0;
  std::int64_t packed = 0;
  std::string names;
  for (const fetch::PackedFile& each : files) {
    names += StrCat(names.empty() ? "" : ", ", each.member);
    std::error_code ignored;
    if (fs::is_regular_file(job.root / each.member, ignored)) continue;
    bytes += each.bytes;
    packed += each.packed_bytes;
  }
  return StrCat(job.dataset, ": ", names, ": about ",
                FormatBytes(static_cast<double>(bytes)), " on disk, ",
                FormatBytes(static_cast<double>(packed)), " to read");
}

OrderedJson FilesJson(const std::vector<fetch::PackedReport>& reports) {
  OrderedJson out = OrderedJson::array();
  for (const fetch::PackedReport& each : reports) {
    constexpr const char* kStates[] = {"there", "came", "failed"};
    out.push_back({{"path", each.path},
                   {"state", kStates[static_cast<std::size_t>(each.state)]},
                   {"bytes", each.bytes},
                   {"what", each.what}});
  }
  return out;
}

/// Gets them, says so on `out`; the problems.
std::vector<fetch::Problem> GetPacked(
    const std::vector<fetch::PackedReport>& reports, std::ostream& out) {
  std::vector<fetch::Problem> problems;
  for (const fetch::PackedReport& each : reports) {
    if (each.state == fetch::FileState::kDidNot) {
      problems.push_back({each.path, each.what});
      continue;
    }
    out << each.path << ": " << FormatBytes(static_cast<double>(each.bytes))
        << (each.state == fetch::FileState::kCame ? " came" : ", was there")
        << "\n";
  }
  return problems;
}

// coco-fewshot's supports are positions in the user's file.
void MakeLists(const FetchOptions& options) {
  const fs::path root = RootOf(options.data);
  fs::path from = options.annotations;
  if (from.empty() && options.data.name == kTakesLists) {
    std::error_code ignored;
    if (fs::is_regular_file(root / coco_fewshot::kTrain2014File, ignored)) {
      return;
    }
    from = root / "annotations/instances_train2014.json";
    if (!fs::is_regular_file(from, ignored)) return;
  }
  if (from.empty()) return;
  if (options.data.name != kTakesLists) {
    throw ConfigError(StrCat("--annotations is for ", kTakesLists, ": '",
                             options.data.name, "' has all its lists"));
  }
  const auto annotations =
      fetch::ReadCocoAnnotations(from, fetch::kCocoObjects);
  const auto file = root / coco_fewshot::kTrain2014File;
  coco_fewshot::WriteTrain2014(
      file, fetch::ToLabelledImages(annotations, "train2014/"));
  (options.json ? std::cerr : std::cout)
      << file.string() << ": " << annotations.images.size() << " images\n";
}

int Fetch(const FetchOptions& options) {
  // Sizes go to stderr where stdout is JSON.
  std::ostream& says = options.json ? std::cerr : std::cout;
  fetch::FetchJob job = JobOf(options);
  const auto packed = PackedFor(options, job);
  if (!packed.empty()) says << SizesOf(job, packed) << std::endl;
  std::vector<fetch::PackedReport> files;
  if (!options.dry_run) files = fetch::FetchPacked(job, packed);
  const auto lacking_files = GetPacked(files, says);
  MakeLists(options);
  const Fetchable data = OpenFetchable(options.data);
  if (!data.lacking.empty()) LogWarning(data.lacking);
  job.paths = data.paths;
  const fetch::FetchEstimate sizes = fetch::Estimate(job);
  OrderedJson answer = {{"dataset", job.dataset},
                        {"root", job.root.string()},
                        {"images", sizes.images},
                        {"missing", sizes.missing},
                        {"lacking", data.lacking},
                        {"bytes_on_disk", sizes.bytes_on_disk},
                        {"bytes_to_read", sizes.bytes_to_read},
                        {"bytes_available", sizes.bytes_available}};
  says << SizesOf(job, sizes) << std::endl;
  fetch::FetchReport report;
  if (!options.dry_run) {
    report = fetch::Fetch(job);
    report.problems.insert(report.problems.begin(), lacking_files.begin(),
                           lacking_files.end());
    answer["files"] = FilesJson(files);
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
            options->data.DeclareWith(args);
            args.Option("--annotations", options->annotations, "FILE",
                        "Your instances_train2014.json, which says what the "
                        "supports of coco-fewshot are (else it is fetched)");
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
