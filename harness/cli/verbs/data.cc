#include <iostream>

#include "datasets/contact_sheet.h"
#include "datasets/images/decode.h"
#include "datasets/images/pipeline.h"
#include "datasets/images/png.h"
#include "datasets/summary.h"
#include "harness/base/error.h"
#include "harness/base/npy.h"
#include "harness/cli/data_access.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/settings.h"
#include "harness/cli/verbs.h"
#include "harness/record/grid.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

struct ShowOptions {
  std::string name;
  std::string root;
  std::vector<std::string> set;
  std::string out;
  std::string split = "train";
  bool ids = false;
  bool json = false;
};

struct PreprocessOptions {
  std::vector<std::string> images;
  std::string pipeline;
  std::string out;
};

int Show(const ShowOptions& options) {
  DataAccess data;
  const DatasetInfo& info = data.registry().Find(options.name).info;
  const OpenedData& opened =
      data.Open({.name = options.name,
                 .options = OptionsOfSet(info.options, options.set),
                 .root = options.root.empty() ? DefaultDataRoot(info)
                                              : fs::absolute(options.root)});
  const bool train = options.split == "train";
  if (!train && options.split != "test") {
    throw ConfigError(
        StrCat("--split ", options.split, " is not one of train, test"));
  }
  const auto& split = train ? opened.dataset->train() : opened.dataset->test();
  if (options.ids) {
    for (const std::string& id : split.ids) std::cout << id << "\n";
    return kExitOk;
  }
  const DatasetSummary summary =
      Summarise(*opened.dataset, &opened.test_labels);
  if (!options.out.empty()) {
    const Image sheet = ContactSheet(
        *opened.dataset, split,
        train ? opened.dataset->train_labels() : opened.test_labels);
    WritePng(options.out, sheet);
  }
  if (options.json) {
    OrderedJson answer = ToJson(summary);
    answer["name"] = info.name;
    answer["version"] = info.version;
    const auto missing = opened.dataset->MissingFiles();
    answer["missing"] = missing.size();
    if (missing.empty()) {
      answer["manifest_sha256"] = opened.dataset->manifest_sha256();
    } else {
      answer["manifest_sha256"] = nullptr;
    }
    answer["label_policy"] = opened.dataset->label_policy();
    std::cout << answer.dump(2) << "\n";
  } else {
    std::cout << info.name << ": " << info.summary << "\n" << ToText(summary);
    if (!options.out.empty()) std::cout << options.out << "\n";
  }
  return kExitOk;
}

int PreprocessImages(const PreprocessOptions& options) {
  if (options.pipeline.empty() || options.out.empty()) {
    throw ConfigError("give --pipeline NAME and --out X.npy");
  }
  const Pipeline pipeline = PipelineByName(options.pipeline);
  std::string bytes;
  bool good = true;
  for (const std::string& path : options.images) {
    try {
      const Image image = Preprocess(pipeline, DecodeImageFile(path));
      bytes.append(reinterpret_cast<const char*>(image.rgb.data()),
                   image.rgb.size());
    } catch (const DataError& error) {
      std::cerr << error.what() << "\n";
      good = false;
    }
  }
  if (!good) return kExitUsage;
  const std::vector<std::int64_t> shape = {
      static_cast<std::int64_t>(options.images.size()), pipeline.size,
      pipeline.size, 3};
  WriteNpy(options.out, DType::kUint8, shape,
           std::as_bytes(std::span(bytes.data(), bytes.size())));
  std::cout << options.out << "\n";
  return kExitOk;
}

}  // namespace

Verb DataVerb(const GlobalOptions& /*global*/) {
  auto show = std::make_shared<ShowOptions>();
  auto preprocess = std::make_shared<PreprocessOptions>();
  return {
      .name = "data",
      .summary = "Get, check and look at data sets, and see what methods see",
      .example = "tailmark data show embedded -o sheet.png",
      .declare = {},
      .run = {},
      .verbs = {
          {.name = "show",
           .summary = "Counts and groups; with -o a labelled contact sheet",
           .example = "tailmark data show embedded -o sheet.png",
           .declare =
               [show](Args& args) {
                 args.Positional("NAME", show->name, true, "A data set");
                 args.Option("--root", show->root, "DIR",
                             "Where its files lie");
                 args.Repeated("--set", show->set, "OPTION=VALUE",
                               "An option of the data set");
                 args.Option("-o,--out", show->out, "FILE.png",
                             "Draw a contact sheet");
                 args.Option("--split", show->split, "SPLIT",
                             "train or test, for the sheet and --ids");
                 args.Flag("--ids", show->ids,
                           "Print the ids of the split's images alone");
                 args.Flag("--json", show->json, "Print JSON");
               },
           .run = [show] { return Show(*show); }},
          {.name = "preprocess",
           .summary = "Decode, resize and crop pictures as methods see them",
           .example = "tailmark data preprocess a.jpg b.png --pipeline "
                      "clip-224 --out x.npy",
           .declare =
               [preprocess](Args& args) {
                 args.Rest("IMAGE", preprocess->images, true,
                           "JPEG or PNG files");
                 args.Option("--pipeline", preprocess->pipeline, "NAME",
                             "clip-224, squash-224, squash-bicubic-224, or "
                             "another size");
                 args.Option("--out", preprocess->out, "X.npy",
                             "uint8 [N, H, W, 3]");
               },
           .run = [preprocess] { return PreprocessImages(*preprocess); }},
          DataFetchVerb(),
          DataVerifyVerb(),
          DataManifestVerb(),
          DataAnnotateCheckVerb(),
          DataCaptionsVerb(),
          DataMakeLtVerb()}};
}

}  // namespace tailmark
