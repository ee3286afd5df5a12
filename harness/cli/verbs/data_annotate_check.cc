#include <algorithm>
#include <iostream>

#include "datasets/episodes.h"
#include "datasets/fetch/annotations.h"
#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/cli/data_access.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/settings.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

struct LabelCheckOptions {
  std::string name;
  std::vector<std::string> annotations;
  std::vector<std::string> set;
  bool json = false;
};

/// XML files of a VOC folder, of those images that the split lists.
/// "VOCdevkit/VOC2012/JPEGImages/x.jpg" is annotated in
/// "VOCdevkit/VOC2012/Annotations/x.xml", below the folder given or it itself.
void ReadVocFolder(const fs::path& folder, const Split& split,
                   fetch::Annotations& into) {
  for (const std::string& id : split.ids) {
    const fs::path image(id);
    const fs::path file = image.parent_path().parent_path() / "Annotations" /
                          (image.stem().string() + ".xml");
    const fs::path below = file.lexically_relative(*file.begin());
    for (const fs::path& each : {folder / file, folder / below}) {
      if (!fs::exists(each)) continue;
      fetch::ReadVocAnnotation(each, into);
      break;
    }
  }
}

void Add(fetch::LabelCheck more, fetch::LabelCheck& all) {
  all.images += more.images;
  all.labels += more.labels;
  all.differences.insert(all.differences.end(),
                         std::make_move_iterator(more.differences.begin()),
                         std::make_move_iterator(more.differences.end()));
}

/// Images with the labels that were committed for them.
struct Committed {
  const Split* split;
  const LabelMatrix* labels;
};

/// Training, test, and what the episodes are learned from.
std::vector<Committed> CommittedOf(const OpenedData& data,
                                   const fetch::LabelRule& rule) {
  const Dataset& dataset = *data.dataset;
  std::vector<Committed> all = {{&dataset.train(), &dataset.train_labels()},
                                {&dataset.test(), &data.test_labels}};
  const Episodes* episodes = rule.supports ? dataset.episodes() : nullptr;
  if (episodes == nullptr) return all;
  for (const Episode& each : episodes->episodes) {
    all.push_back({&each.support, &each.labels});
  }
  return all;
}

fetch::LabelCheck CheckAll(const LabelCheckOptions& options,
                           const OpenedData& data) {
  const fetch::LabelRule rule = fetch::LabelRuleOf(options.name);
  const std::vector<Committed> committed = CommittedOf(data, rule);
  fetch::LabelCheck all;
  for (const std::string& where : options.annotations) {
    const bool folder = fs::is_directory(where);
    fetch::Annotations annotations;
    if (!folder) annotations = fetch::ReadCocoAnnotations(where, rule.coco);
    for (const auto& [split, labels] : committed) {
      if (folder) {
        annotations = {};
        ReadVocFolder(where, *split, annotations);
        if (rule.clear) fetch::DropDifficult(annotations);
      }
      Add(fetch::CheckLabels(*split, *labels, data.dataset->classes(),
                             annotations),
          all);
    }
  }
  for (const auto& [split, labels] : committed) all.unknown += split->size();
  all.unknown -= all.images;
  return all;
}

/// What `tailmark data fetch NAME --with annotations` brought.
std::vector<std::string> FetchedAnnotations(const DatasetInfo& info) {
  std::vector<std::string> found;
  const fs::path root = DefaultDataRoot(info);
  std::error_code ignored;
  for (const auto& each :
       fs::directory_iterator(root / "annotations", ignored)) {
    if (each.path().filename().string().starts_with("instances_")) {
      found.push_back(each.path());
    }
  }
  std::sort(found.begin(), found.end());
  if (fs::is_directory(root / "VOCdevkit", ignored)) found.push_back(root);
  return found;
}

int Check(LabelCheckOptions options) {
  DataAccess data;
  const DatasetInfo& info = data.registry().Find(options.name).info;
  if (!info.fetchable) {
    throw ConfigError(
        StrCat("data set '", info.name, "' has no committed labels to check"));
  }
  if (options.annotations.empty()) {
    options.annotations = FetchedAnnotations(info);
  }
  if (options.annotations.empty()) {
    throw ConfigError(
        StrCat("give --annotations: an instances_*.json, or the folder of "
               "VOCdevkit; tailmark data fetch ",
               info.name, " --with annotations gets them"));
  }
  const OpenedData& opened =
      data.Open({.name = info.name,
                 .options = OptionsOfSet(info.options, options.set),
                 .root = DefaultDataRoot(info)});
  const fetch::LabelCheck check = CheckAll(options, opened);
  if (options.json) {
    OrderedJson answer = {{"dataset", info.name},
                          {"images", check.images},
                          {"labels", check.labels},
                          {"not_annotated", check.unknown},
                          {"differences", OrderedJson::array()}};
    for (const fetch::LabelDifference& each : check.differences) {
      answer["differences"].push_back({{"path", each.path},
                                       {"class", each.klass},
                                       {"committed", each.committed},
                                       {"annotated", each.annotated}});
    }
    std::cout << answer.dump(2) << "\n";
  } else {
    std::vector<std::vector<std::string>> table = {
        {"IMAGE", "CLASS", "COMMITTED", "ANNOTATED"}};
    for (const fetch::LabelDifference& each : check.differences) {
      table.push_back({each.path, each.klass, each.committed, each.annotated});
    }
    if (!check.differences.empty()) std::cout << TextTable(table);
    std::cout << info.name << ": " << check.labels << " labels of "
              << check.images << " images compared, "
              << check.differences.size() << " differ; " << check.unknown
              << " images are not in the annotations\n";
  }
  if (check.images == 0) return kExitNothing;
  return check.differences.empty() ? kExitOk : kExitUsage;
}

}  // namespace

Verb DataAnnotateCheckVerb() {
  auto options = std::make_shared<LabelCheckOptions>();
  return {.name = "annotate-check",
          .summary = "Recompute labels from official annotations and compare",
          .example =
              "tailmark data annotate-check coco-lt --annotations "
              "instances_val2017.json",
          .declare =
              [options](Args& args) {
                args.Positional(
                    "NAME", options->name, true,
                    "coco-lt, voc-lt, or a few-shot split of theirs");
                args.Repeated("--annotations", options->annotations, "FILE|DIR",
                              "instances_*.json, or the folder of VOCdevkit "
                              "(default: what data fetch brought)");
                args.Repeated("--set", options->set, "OPTION=VALUE",
                              "An option of the data set");
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options] { return Check(*options); }};
}

}  // namespace tailmark
