#include <algorithm>
#include <iostream>

#include "datasets/fetch/file.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/progress.h"
#include "harness/base/suggest.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/random_weights.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"
#include "harness/cli/weights_folder.h"
#include "harness/record/weights.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

const PinnedFile& Pinned(const std::string& name) {
  if (const PinnedFile* found = PinnedByName(name)) return *found;
  std::vector<std::string> names;
  for (const PinnedFile& each : PinnedWeights()) names.push_back(each.name);
  names.push_back(PinnedVocabulary().name);
  throw ConfigError(UnknownName("weights", name, names));
}

std::int64_t BytesIn(const fs::path& path) {
  std::int64_t bytes = 0;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(path, code)) {
    if (entry.is_regular_file(code)) {
      bytes += static_cast<std::int64_t>(entry.file_size(code));
    }
  }
  return bytes;
}

// ---- list -------------------------------------------------------------------

int List(bool json) {
  OrderedJson rows = OrderedJson::array();
  const auto add = [&](const std::string& name, const std::string& summary,
                       const fs::path& path, std::int64_t bytes) {
    const bool here = !path.empty();
    rows.push_back(
        {{"name", name},
         {"version", 1},
         {"summary", summary},
         {"status", here ? "ready" : "needs-data"},
         {"path", here ? OrderedJson(path.string()) : OrderedJson(nullptr)},
         {"bytes", bytes}});
  };
  const auto installed = InstalledWeights();
  for (const std::string& name : installed) {
    const fs::path path = WeightsPath(name);
    const PinnedFile* pinned = PinnedByName(name);
    add(name,
        pinned != nullptr     ? pinned->summary
        : name == "nano-clip" ? "The CLIP that ships with Tailmark"
                              : "imported or random",
        path, BytesIn(path));
  }
  const auto there = [&](const std::string& name) {
    return std::find(installed.begin(), installed.end(), name) !=
           installed.end();
  };
  for (const PinnedFile& each : PinnedWeights()) {
    if (!there(each.name)) add(each.name, each.summary, {}, each.bytes);
  }
  const PinnedFile& words = PinnedVocabulary();
  const fs::path file = WeightsRootIfAny() / words.name / words.file;
  add(words.name, words.summary, fs::exists(file) ? file : fs::path(),
      words.bytes);
  if (json) {
    std::cout << rows.dump(2) << "\n";
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table = {
      {"NAME", "STATE", "SIZE", "WHAT"}};
  for (const auto& row : rows) {
    const bool here = row["status"] == "ready";
    table.push_back({row["name"], here ? "here" : "to fetch",
                     FormatBytes(row["bytes"].get<double>()), row["summary"]});
  }
  std::cout << TextTable(table);
  return kExitOk;
}

// ---- fetch ------------------------------------------------------------------

struct FetchOptions {
  std::vector<std::string> names;
  std::vector<std::string> bases;
  std::optional<std::int64_t> attempts, stall;
};

/// The name of a file on other hosts.
std::vector<std::string> UrlsOf(const PinnedFile& pinned,
                                const std::vector<std::string>& bases) {
  if (bases.empty()) return pinned.urls;
  std::vector<std::string> urls;
  for (const std::string& base : bases) {
    urls.push_back(StrCat(base, base.ends_with('/') ? "" : "/", pinned.file));
  }
  return urls;
}

bool FetchOne(const PinnedFile& pinned, const FetchOptions& options) {
  const fs::path folder = WeightsRoot() / pinned.name;
  fetch::FileJob job{.title = pinned.name,
                     .urls = UrlsOf(pinned, options.bases),
                     .target = folder / pinned.file,
                     .sha256 = pinned.sha256,
                     .bytes = pinned.bytes};
  job.retry.attempts =
      static_cast<int>(options.attempts.value_or(job.retry.attempts));
  job.limits.stall_seconds = static_cast<double>(options.stall.value_or(30));
  const auto report = fetch::FetchFile(job);
  switch (report.state) {
    case fetch::FileState::kDidNot:
      std::cerr << pinned.name << ": " << report.what << "\n";
      return false;
    case fetch::FileState::kWasThere:
      std::cout << pinned.name << " was there: " << job.target.string() << "\n";
      break;
    case fetch::FileState::kCame:
      std::cout << pinned.name << ": " << job.target.string() << "\n";
      break;
  }
  return true;
}

int Fetch(const FetchOptions& options) {
  for (const auto& number : {options.attempts, options.stall}) {
    if (number && (*number < 1 || *number > 3600)) {
      throw ConfigError("--attempts and --stall are within [1, 3600]");
    }
  }
  const PinnedFile& words = PinnedVocabulary();
  for (const std::string& name : options.names) {
    if (name != words.name) Pinned(name);
  }
  // Weights without words cannot read: it comes along.
  bool all = FetchOne(words, options);
  for (const std::string& name : options.names) {
    if (name == words.name) continue;
    if (!FetchOne(Pinned(name), options)) {
      all = false;
      continue;
    }
    const fs::path folder = WeightsRoot() / name;
    AddVocabulary(folder);
    WriteSums(folder);
  }
  return all ? kExitOk : kExitNothing;
}

// ---- import, random, verify -------------------------------------------------

struct ImportOptions {
  std::string from;
  std::string name;
};

int Import(const ImportOptions& options) {
  const fs::path from = fs::path(options.from).lexically_normal();
  const PinnedFile* pinned = PinnedByHash(from);
  std::string name = options.name;
  if (name.empty()) {
    name =
        pinned != nullptr ? pinned->name : fs::absolute(from).stem().string();
  }
  if (name.find('/') != name.npos || name.starts_with('.') ||
      name == PinnedVocabulary().name || name == "nano-clip") {
    throw ConfigError(StrCat("--name ", name, " cannot be a name of weights"));
  }
  if (const PinnedFile* meant = PinnedByName(name);
      meant != nullptr && meant != pinned) {
    throw DataError(StrCat(
        from.string(), ": SHA-256 is ",
        fs::is_regular_file(from) ? Sha256File(from) : WeightsSha256(from),
        ", but ", name, " is the file with ", meant->sha256,
        "; give another --name"));
  }
  const fs::path folder = WeightsRoot() / name;
  MakeFolders(folder.parent_path());
  CopyWeights(from, folder);
  std::cout << name << ": " << folder.string() << "\n";
  return kExitOk;
}

struct RandomOptions {
  std::string model;
  std::string name;
  std::optional<std::int64_t> seed;
};

int Random(const RandomOptions& options) {
  const PinnedFile& pinned = Pinned(options.model);
  const std::int64_t seed = options.seed.value_or(1);
  if (seed < 0) throw ConfigError(StrCat("--seed ", seed, " is below 0"));
  const std::string name = options.name.empty()
                               ? StrCat(options.model, "-random-", seed)
                               : options.name;
  if (PinnedByName(name) != nullptr || name.find('/') != name.npos) {
    throw ConfigError(StrCat("--name ", name,
                             ": random weights need a name "
                             "of their own"));
  }
  const fs::path folder = WeightsRoot() / name;
  MakeFolders(folder);
  WriteRandomWeights(options.model, pinned.model,
                     static_cast<std::uint64_t>(seed),
                     folder / "model.safetensors");
  AddVocabulary(folder);
  WriteSums(folder);
  std::cout << name << ": " << folder.string() << "\n";
  return kExitOk;
}

struct VerifyOptions {
  std::vector<std::string> names;
  bool json = false;
};

int Verify(VerifyOptions options) {
  if (options.names.empty()) options.names = InstalledWeights();
  OrderedJson answer = OrderedJson::array();
  std::vector<std::vector<std::string>> table = {
      {"WEIGHTS", "FILE", "WHAT IS WRONG"}};
  for (const std::string& name : options.names) {
    OrderedJson problems = OrderedJson::array();
    for (const auto& each :
         VerifyWeights(WeightsPath(name), PinnedByName(name))) {
      problems.push_back({{"file", each.file}, {"what", each.what}});
      table.push_back({name, each.file, each.what});
    }
    answer.push_back({{"name", name}, {"problems", problems}});
    if (!options.json && problems.empty()) {
      std::cout << name << ": good\n";
    }
  }
  const bool good = table.size() == 1;
  if (options.json) {
    std::cout << answer.dump(2) << "\n";
  } else if (!good) {
    std::cout << TextTable(table);
  }
  return good ? kExitOk : kExitUsage;
}

Verb FetchVerb() {
  auto options = std::make_shared<FetchOptions>();
  return {.name = "fetch",
          .summary =
              "Get a file of weights by its pinned hash, and the "
              "vocabulary; goes on where it was",
          .example = "tailmark weights fetch vit-b-16 rn50",
          .declare =
              [options](Args& args) {
                args.Rest("NAME", options->names, true,
                          "As tailmark weights list has them; vocabulary");
                args.Repeated("--base", options->bases, "URL",
                              "Instead of the hosts that are known");
                args.Option("--attempts", options->attempts, "N",
                            "Of each address (default: 6)");
                args.Option("--stall", options->stall, "SECONDS",
                            "Give up on a server that says nothing (default: "
                            "30)");
              },
          .run = [options] { return Fetch(*options); }};
}

Verb ImportVerb() {
  auto options = std::make_shared<ImportOptions>();
  return {.name = "import",
          .summary =
              "Copy a file or folder: OpenAI's .pt, HuggingFace, "
              "OpenCLIP",
          .example = "tailmark weights import ~/Downloads/ViT-B-16.pt",
          .declare =
              [options](Args& args) {
                args.Positional("FROM", options->from, true,
                                "A .pt or .safetensors file, or a folder");
                args.Option("--name", options->name, "NAME",
                            "What to call it (default: by its hash, else the "
                            "file's name)");
              },
          .run = [options] { return Import(*options); }};
}

Verb RandomVerb() {
  auto options = std::make_shared<RandomOptions>();
  return {.name = "random",
          .summary =
              "Full-size weights of random numbers: everything runs, "
              "no score means anything",
          .example = "tailmark weights random vit-b-16 --seed 1",
          .declare =
              [options](Args& args) {
                args.Positional("MODEL", options->model, true,
                                "vit-b-16, vit-b-32, vit-l-14, rn50, rn101");
                args.Option("--seed", options->seed, "N", "Default: 1");
                args.Option("--name", options->name, "NAME",
                            "Default: MODEL-random-SEED");
              },
          .run = [options] { return Random(*options); }};
}

}  // namespace

Verb WeightsVerb() {
  auto json = std::make_shared<bool>(false);
  auto verify = std::make_shared<VerifyOptions>();
  return {
      .name = "weights",
      .summary = "Get, check and list weights of CLIP",
      .example = "tailmark weights fetch vit-b-16",
      .declare = {},
      .run = {},
      .verbs = {
          {.name = "list",
           .summary = "What is here and what can be fetched",
           .example = "tailmark weights list --json",
           .declare =
               [json](Args& args) { args.Flag("--json", *json, "Print JSON"); },
           .run = [json] { return List(*json); }},
          FetchVerb(),
          ImportVerb(),
          {.name = "verify",
           .summary = "Hashes and tensors; a table of what is wrong",
           .example = "tailmark weights verify vit-b-16",
           .declare =
               [verify](Args& args) {
                 args.Rest("NAME", verify->names, false,
                           "Names or paths (default: all that are here)");
                 args.Flag("--json", verify->json, "Print JSON");
               },
           .run = [verify] { return Verify(*verify); }},
          RandomVerb()}};
}

}  // namespace tailmark
