#include "datasets/coco_fewshot/coco_fewshot.h"

#include <optional>
#include <utility>

#include "datasets/coco_fewshot/train2014.h"
#include "datasets/lists/few_shot_lists.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"

namespace tailmark::coco_fewshot {
namespace fs = std::filesystem;
namespace {

/// The query as the worker may know it: a list.
Split QueryOf(const fs::path& folder, const Options& options) {
  const bool only = options.base == "only";
  Split test{.name = "test",
             .role = SplitRole::kTest,
             .ids = lists::ReadImages(
                 folder / (only ? "base_test_ids.txt" : "query_ids.txt"))};
  if (only || options.query == "plain") return test;
  std::vector<std::string> drawn;
  for (const std::int64_t row :
       lists::ReadNumbers(folder / "query_laso.txt", test.ids.size())) {
    drawn.push_back(test.ids[static_cast<std::size_t>(row)]);
  }
  test.ids = std::move(drawn);
  return test;
}

// Images with a base class; what else they show is not said.
void AddBaseTraining(const lists::LabelledImages& all, lists::Listed& listed) {
  const auto base = ColumnsOf(listed.classes, Group::kBase);
  for (std::int64_t row = 0; row < all.labels.rows; ++row) {
    bool any = false;
    for (const std::int64_t c : base) any = any || all.labels.Positive(row, c);
    if (!any) continue;
    listed.train.ids.push_back(all.paths[static_cast<std::size_t>(row)]);
    const auto from = all.labels.positive.begin() + row * all.labels.classes;
    listed.train_labels.positive.insert(listed.train_labels.positive.end(),
                                        from, from + all.labels.classes);
    ++listed.train_labels.rows;
  }
  KeepKnown(listed.train_labels, base);
  lists::CountTraining(listed);
}

std::unique_ptr<Dataset> Open(const DatasetSpec& spec) {
  const auto options = FromMap<Options>(spec.options);
  const fs::path folder = SharedFile("datasets/coco_fewshot");
  lists::Listed listed{
      .name = "coco-fewshot",
      .classes = lists::ReadFewShotClasses(folder),
      .train = {.name = "train", .role = SplitRole::kTrain, .ids = {}},
      .test = QueryOf(folder, options)};
  listed.label_policy = "difficult=positive,empty=keep";
  listed.train_labels.classes =
      static_cast<std::int64_t>(listed.classes.size());
  const fs::path file = spec.root / kTrain2014File;
  std::error_code ignored;
  std::optional<lists::LabelledImages> train2014;
  if (fs::is_regular_file(file, ignored)) train2014 = ReadTrain2014(file);
  if (!train2014) {
    listed.lacking =
        StrCat(file.string(),
               ": not there: it says which images are the supports; "
               "tailmark data fetch coco-fewshot makes it from "
               "instances_train2014.json");
  }
  listed.episodes = lists::MakeEpisodes(
      folder, options.shots, listed.classes, [&](const auto& support) {
        const std::size_t position = std::stoul(support.image);
        return train2014 ? train2014->paths[position]
                         : StrCat("train2014/#", position);
      });
  listed.episodes->exact = false;
  listed.episodes->protocol =
      StrCat("coco-laso/", options.shots, "-shot/", options.query);
  if (!train2014) listed.episodes->episodes.clear();
  if (train2014 && options.base != "without") {
    AddBaseTraining(*train2014, listed);
  }
  if (options.base == "only") lists::KeepBaseOnly(listed);
  return lists::OpenListed(std::move(listed), spec);
}

}  // namespace

DatasetRegistry::Entry CocoFewShotEntry() {
  return {.info = {.name = "coco-fewshot",
                   .version = 1,
                   .summary = "few-shot split of COCO 2014 by LaSO: 64 base "
                              "and 16 novel classes, ten episodes of 1 and of "
                              "5 shots",
                   .needs_root = true,
                   .fetchable = true,
                   .options = DescribeOptions<Options>()},
          .open = Open};
}

}  // namespace tailmark::coco_fewshot
