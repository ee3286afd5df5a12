#include <algorithm>
#include <iostream>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/base/progress.h"
#include "harness/base/safetensors.h"
#include "harness/cli/cache_files.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/planning.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

struct Options {
  bool all = false;
  std::optional<std::int64_t> older_days;
  bool dry_run = false;
  bool json = false;
};

OrderedJson RowOf(const CacheFile& file) {
  OrderedJson row = {{"file", file.path.string()},
                     {"kind", NameOf(file.kind)},
                     {"bytes", file.bytes},
                     {"days_unused", file.days_unused}};
  if (!file.objection.empty()) {
    row["objection"] = file.objection;
  }
  if (!file.objection.empty() || file.kind != CacheKind::kFeatures) return row;
  row["rows"] = file.rows;
  row["width"] = file.width;
  row["key"] = file.key;
  return row;
}

/// The part of its name that tells it from the others.
std::string IdOf(const CacheFile& file) {
  std::string name = file.path.stem();
  if (file.kind == CacheKind::kHashes) {
    name = name.substr(NameOf(file.kind).size() + 1);
  }
  return name.substr(0, 12);
}

int List(const Options& options, const GlobalOptions& global) {
  const fs::path folder = CacheFolder(global);
  const auto files = CacheFiles(folder);
  if (options.json) {
    OrderedJson rows = OrderedJson::array();
    for (const CacheFile& each : files) rows.push_back(RowOf(each));
    std::cout << rows.dump(2) << "\n";
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table = {
      {"ID", "KIND", "WEIGHTS", "PIPELINE", "VIEW", "ROWS", "SIZE", "UNUSED"}};
  std::int64_t bytes = 0;
  for (const CacheFile& each : files) {
    bytes += each.bytes;
    const bool features = each.kind == CacheKind::kFeatures;
    const auto word = [&](const char* member) {
      return features ? each.key.value(member, std::string("?")) : "";
    };
    table.push_back({IdOf(each), std::string(NameOf(each.kind)),
                     word("weights_sha256").substr(0, 12), word("pipeline"),
                     each.objection.empty() ? word("view") : each.objection,
                     features ? std::to_string(each.rows) : "",
                     FormatBytes(static_cast<double>(each.bytes)),
                     StrCat(each.days_unused, " d")});
  }
  if (!files.empty()) std::cout << TextTable(table);
  std::cout << files.size() << " files, "
            << FormatBytes(static_cast<double>(bytes)) << " in "
            << folder.string() << "\n";
  return kExitOk;
}

int Prune(const Options& options, const GlobalOptions& global) {
  if (!options.all && !options.older_days) {
    throw ConfigError("give --older DAYS or --all");
  }
  if (options.older_days && *options.older_days < 0) {
    throw ConfigError(StrCat("--older ", *options.older_days, " is below 0"));
  }
  const fs::path folder = CacheFolder(global);
  std::int64_t bytes = 0;
  OrderedJson gone = OrderedJson::array();
  for (const CacheFile& each : CacheFiles(folder)) {
    // What no run can use is in the way at any age.
    if (!options.all && each.objection.empty() &&
        each.days_unused < *options.older_days) {
      continue;
    }
    std::error_code code;
    if (!options.dry_run && !fs::remove(each.path, code)) continue;
    bytes += each.bytes;
    gone.push_back(each.path.string());
  }
  if (options.json) {
    std::cout << OrderedJson({{"removed", gone},
                              {"bytes", bytes},
                              {"dry_run", options.dry_run}})
                     .dump(2)
              << "\n";
  } else {
    std::cout << (options.dry_run ? "would remove " : "removed ") << gone.size()
              << " files, " << FormatBytes(static_cast<double>(bytes)) << "\n";
  }
  return kExitOk;
}

}  // namespace

Verb CacheVerb(const GlobalOptions& global) {
  auto list = std::make_shared<Options>();
  auto prune = std::make_shared<Options>();
  return {.name = "cache",
          .summary =
              "What runs keep: features of frozen encoders, what workers "
              "said of plugins, hashes of files",
          .example = "tailmark cache list",
          .declare = {},
          .run = {},
          .verbs = {
              {.name = "list",
               .summary = "What is kept, for which weights and pipeline",
               .example = "tailmark cache list --json",
               .declare =
                   [list](Args& args) {
                     args.Flag("--json", list->json, "Print JSON");
                   },
               .run = [list, &global] { return List(*list, global); }},
              {.name = "prune",
               .summary = "Remove what was not used for long; runs compute it "
                          "again",
               .example = "tailmark cache prune --older 30",
               .declare =
                   [prune](Args& args) {
                     args.Option("--older", prune->older_days, "DAYS",
                                 "Not read for that long");
                     args.Flag("--all", prune->all, "Everything");
                     args.Flag("--dry-run", prune->dry_run, "Only say what");
                     args.Flag("--json", prune->json, "Print JSON");
                   },
               .run = [prune, &global] { return Prune(*prune, global); }}}};
}

}  // namespace tailmark
