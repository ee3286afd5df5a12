#include <iostream>

#include "datasets/fetch/annotations.h"
#include "datasets/lists/captions.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/fetchable.h"
#include "harness/cli/verbs.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

struct CaptionsOptions {
  FetchableArgs data;
  std::string annotations;
  bool json = false;
};

std::vector<std::string> FromAnnotations(const Split& train,
                                         const fs::path& file) {
  const auto by_name = fetch::ReadCocoCaptions(file);
  std::vector<std::string> captions;
  for (const std::string& id : train.ids) {
    const auto it = by_name.find(fs::path(id).stem().string());
    if (it == by_name.end()) {
      throw DataError(StrCat(file.string(), ": no caption of ", id,
                             "; coco-lt needs captions_train2017.json"));
    }
    captions.push_back(it->second);
  }
  return captions;
}

int Write(const CaptionsOptions& options) {
  const Fetchable data = OpenFetchable(options.data);
  const Split& train = data.dataset->train();
  if (train.size() == 0) {
    throw ConfigError(
        StrCat("data set '", data.name, "' has no training images here"));
  }
  const auto captions =
      options.annotations.empty()
          ? lists::CaptionsOfLabels(data.dataset->train_labels(),
                                    data.dataset->classes())
          : FromAnnotations(train, options.annotations);
  std::string text;
  for (const std::string& caption : captions) text += caption + "\n";
  const fs::path file = data.root / lists::kCaptionsFile;
  MakeFolders(file.parent_path());
  WriteFileAtomic(file, text);
  if (options.json) {
    std::cout << OrderedJson{{"dataset", data.name},
                             {"file", file.string()},
                             {"captions", captions.size()},
                             {"source", options.annotations.empty()
                                            ? "labels"
                                            : options.annotations}}
                     .dump(2)
              << "\n";
  } else {
    std::cout << file.string() << ": " << captions.size()
              << " captions, the first is \"" << captions.front()
              << "\"; use them with the data set's option captions=file\n";
  }
  return kExitOk;
}

}  // namespace

Verb DataCaptionsVerb() {
  auto options = std::make_shared<CaptionsOptions>();
  return {.name = "captions",
          .summary = "Write a caption for each training image",
          .example =
              "tailmark data captions coco-lt --root /data/coco "
              "--annotations captions_train2017.json",
          .declare =
              [options](Args& args) {
                options->data.Declare(args);
                args.Option("--annotations", options->annotations, "FILE",
                            "COCO's captions_*.json; without it captions are "
                            "made from the labels");
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options] { return Write(*options); }};
}

}  // namespace tailmark
