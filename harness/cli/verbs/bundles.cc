#include <iostream>

#include "harness/base/error.h"
#include "harness/base/log.h"
#include "harness/cli/chosen_bundles.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/importing.h"
#include "harness/cli/planning.h"
#include "harness/cli/verbs.h"
#include "harness/record/ustar.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

struct ExportOptions {
  std::vector<std::string> runs;
  std::string out;
  std::string campaign;
};

struct MergeOptions {
  std::vector<std::string> stores;
  std::string root;
  bool json = false;
};

/// What came in on stdout, what did not on stderr.
int PrintTaken(const Importer& importer, bool json) {
  const int code = importer.refused().empty() ? kExitOk : kExitUsage;
  for (const OrderedJson& each : importer.refused()) {
    LogWarning(StrCat("refused: ", each["bundle"].get<std::string>(), ": ",
                      each["reason"].get<std::string>()));
  }
  if (json) {
    std::cout << OrderedJson({{"runs", importer.answer()},
                              {"refused", importer.refused()}})
                     .dump(2)
              << "\n";
    return code;
  }
  for (const OrderedJson& run : importer.answer()) {
    const std::string reason = run["reason"].get<std::string>();
    std::cout << run["state"].get<std::string>() << "  "
              << run["method"].get<std::string>() << " on "
              << run["dataset"].get<std::string>() << ", seed " << run["seed"]
              << "  " << run["key"].get<std::string>().substr(0, 12)
              << (reason.empty() ? "" : "  " + reason) << "\n";
  }
  return code;
}

int Import(const ImportOptions& options, const GlobalOptions& global) {
  Store store(StoreFolder(global));
  Importer importer(options, store, CacheFolder(global));
  std::string command = "tailmark import";
  for (const std::string& each : options.bundles) {
    importer.TakeAll(fs::absolute(each));
    command += " " + each;
  }
  importer.Register(command);
  return PrintTaken(importer, options.json);
}

/// Every bundle of the other stores, of any state; what is here stays.
int Merge(const MergeOptions& options, const GlobalOptions& global) {
  for (const std::string& each : options.stores) {
    if (!fs::is_directory(fs::path(each) / "bundles")) {
      throw ConfigError(StrCat(each,
                               ": is no store: it has no folder "
                               "'bundles'. A folder of bundles is taken by "
                               "`tailmark import`"));
    }
  }
  Store store(StoreFolder(global));
  ImportOptions in;
  in.root = options.root;
  Importer importer(in, store, CacheFolder(global));
  std::string command = "tailmark merge";
  for (const std::string& each : options.stores) {
    importer.TakeAll(fs::absolute(each) / "bundles");
    command += " " + each;
  }
  importer.Register(command);
  return PrintTaken(importer, options.json);
}

int Export(const ExportOptions& options, const GlobalOptions& global) {
  const Store store = OpenStoreToRead(global);
  const std::vector<fs::path> folders =
      ChosenBundles(store, options.runs, options.campaign);
  if (folders.empty()) {
    LogWarning("there is no finished run to export");
    return kExitNothing;
  }
  const fs::path out =
      fs::absolute(options.out.empty() ? "tailmark-runs.tar" : options.out);
  WriteTar(out, folders);
  std::cout << out.string() << "\n";
  return kExitOk;
}

}  // namespace

Verb ImportVerb(const GlobalOptions& global) {
  auto options = std::make_shared<ImportOptions>();
  return {.name = "import",
          .summary = "Take in bundles that were made elsewhere",
          .example = "tailmark import runs.tar bundles/0f3c...",
          .declare =
              [options](Args& args) {
                args.Rest("BUNDLE", options->bundles, true,
                          "A bundle folder, a folder of them, or a .tar");
                args.Option("--root", options->root, "DIR",
                            "Where the data set's files lie here");
                args.Option("--campaign", options->campaign, "NAME",
                            "Show them under this name");
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options, &global] { return Import(*options, global); }};
}

Verb MergeVerb(const GlobalOptions& global) {
  auto options = std::make_shared<MergeOptions>();
  return {.name = "merge",
          .summary = "Take in every run of other stores",
          .example = "tailmark merge node1/store node2/store",
          .declare =
              [options](Args& args) {
                args.Rest("STORE", options->stores, true,
                          "Folders of stores; they stay as they are");
                args.Option("--root", options->root, "DIR",
                            "Where the data set's files lie here");
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options, &global] { return Merge(*options, global); }};
}

Verb ExportVerb(const GlobalOptions& global) {
  auto options = std::make_shared<ExportOptions>();
  return {.name = "export",
          .summary = "Write bundles of finished runs into one .tar",
          .example = "tailmark export -o runs.tar",
          .declare =
              [options](Args& args) {
                args.Rest("RUN", options->runs, false,
                          "Keys, or how they begin (default: a campaign)");
                args.Option("--campaign", options->campaign, "NAME",
                            "Which campaign (default: the newest)");
                args.Option("-o,--out", options->out, "FILE",
                            "The archive (default: tailmark-runs.tar)");
              },
          .run = [options, &global] { return Export(*options, global); }};
}

}  // namespace tailmark
