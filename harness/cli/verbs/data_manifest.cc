#include <iostream>

#include "datasets/fetch/data_manifest.h"
#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/fetchable.h"
#include "harness/cli/verbs.h"

namespace tailmark {
namespace {

struct ManifestOptions {
  FetchableArgs data;
  bool json = false;
};

/// Every file as it is now; what it was when it first came is verify's to say.
int Manifest(const ManifestOptions& options) {
  const Fetchable data = OpenFetchable(options.data);
  if (!data.lacking.empty()) throw DataError(data.lacking);
  OrderedJson files = OrderedJson::array();
  for (const std::string& path : data.paths) {
    const auto facts = fetch::LookAtFile(data.root / path, path);
    if (!options.json) std::cout << facts.sha256 << "  " << path << "\n";
    files.push_back({{"path", path},
                     {"size", facts.size},
                     {"sha256", facts.sha256},
                     {"width", facts.width},
                     {"height", facts.height}});
  }
  if (options.json) {
    const OrderedJson answer = {
        {"dataset", data.name},
        {"root", data.root.string()},
        {"manifest_sha256", data.dataset->manifest_sha256()},
        {"files", std::move(files)}};
    std::cout << answer.dump(2) << "\n";
  }
  return kExitOk;
}

}  // namespace

Verb DataManifestVerb() {
  auto options = std::make_shared<ManifestOptions>();
  return {.name = "manifest",
          .summary = "SHA-256 of every image there, as sha256sum writes them",
          .example = "tailmark data manifest coco-lt --root /data/coco",
          .declare =
              [options](Args& args) {
                options->data.Declare(args);
                args.Flag("--json", options->json,
                          "Print JSON, with sizes and the hash that keys of "
                          "runs have");
              },
          .run = [options] { return Manifest(*options); }};
}

}  // namespace tailmark
