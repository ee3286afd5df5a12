#include "datasets/voc07_fewshot/voc07_fewshot.h"

#include <utility>

#include "datasets/lists/few_shot_lists.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"

namespace tailmark::voc07_fewshot {
namespace {

std::unique_ptr<Dataset> Open(const DatasetSpec& spec) {
  const auto options = FromMap<Options>(spec.options);
  const auto folder = SharedFile("datasets/voc07_fewshot");
  const bool only = options.base == "only";
  lists::Listed listed{
      .name = "voc07-fewshot",
      .classes = lists::ReadFewShotClasses(folder),
      .train = {.name = "train", .role = SplitRole::kTrain, .ids = {}},
      .test = {.name = "test",
               .role = SplitRole::kTest,
               .ids = lists::ReadImages(
                   folder / (only ? "base_test_ids.txt" : "query_ids.txt"))}};
  listed.label_policy = "difficult=negative,empty=keep";
  listed.train_labels.classes =
      static_cast<std::int64_t>(listed.classes.size());
  listed.episodes =
      lists::MakeEpisodes(folder, options.shots, listed.classes,
                          [](const auto& support) { return support.image; });
  listed.episodes->protocol = StrCat("voc07/", options.shots, "-shot");
  if (options.base != "without") {
    auto train = lists::ReadLabelledImages(folder / "base_train.txt",
                                           listed.classes.size());
    listed.train.ids = std::move(train.paths);
    listed.train_labels = std::move(train.labels);
    KeepKnown(listed.train_labels, listed.episodes->base);
    lists::CountTraining(listed);
  }
  if (only) lists::KeepBaseOnly(listed);
  return lists::OpenListed(std::move(listed), spec);
}

}  // namespace

DatasetRegistry::Entry Voc07FewShotEntry() {
  return {.info = {.name = "voc07-fewshot",
                   .version = 1,
                   .summary = "few-shot split of VOC2007: 14 base and 6 novel "
                              "classes, ten episodes of 1 and of 5 shots, 926 "
                              "query images",
                   .needs_root = true,
                   .fetchable = true,
                   .options = DescribeOptions<Options>()},
          .open = Open};
}

}  // namespace tailmark::voc07_fewshot
