#include "datasets/lists/few_shot_lists.h"

#include <algorithm>
#include <utility>

#include "harness/base/error.h"

namespace tailmark::lists {
namespace fs = std::filesystem;

std::vector<ClassInfo> ReadFewShotClasses(const fs::path& folder) {
  const auto published = ReadClasses(folder / "classes.txt");
  std::vector<ClassInfo> classes;
  for (const PublishedClass& each : published) {
    classes.push_back(
        {.name = each.name, .train_positives = 0, .group = Group::kBase});
  }
  for (const std::int64_t c :
       ReadNumbers(folder / "novel.txt", classes.size())) {
    classes[static_cast<std::size_t>(c)].group = Group::kNovel;
  }
  return classes;
}

Episodes MakeEpisodes(const fs::path& folder, std::int64_t shots,
                      const std::vector<ClassInfo>& classes,
                      const SupportPath& path_of) {
  Episodes all{.shots = shots,
               .base = ColumnsOf(classes, Group::kBase),
               .novel = ColumnsOf(classes, Group::kNovel)};
  for (const SupportImage& image :
       ReadSupports(folder / "support.txt", classes.size())) {
    if (image.shots != shots) continue;
    if (all.episodes.empty() || all.episodes.back().number != image.episode) {
      all.episodes.push_back(
          {.number = image.episode,
           .support = {.name = StrCat("support.episode-", image.episode),
                       .role = SplitRole::kSupport,
                       .ids = {}},
           .labels = {.classes = static_cast<std::int64_t>(classes.size())}});
    }
    Episode& episode = all.episodes.back();
    episode.support.ids.push_back(path_of(image));
    LabelMatrix& labels = episode.labels;
    const std::size_t row = labels.positive.size();
    labels.positive.resize(row + classes.size());
    for (const std::int64_t c : image.classes) {
      labels.positive[row + static_cast<std::size_t>(c)] = 1;
    }
    ++labels.rows;
  }
  if (all.episodes.empty()) {
    throw ConfigError(StrCat("shots is ", shots, "; the protocol has 1 and 5"));
  }
  for (Episode& each : all.episodes) KeepKnown(each.labels, all.novel);
  return all;
}

void KeepBaseOnly(Listed& listed) {
  const auto base = ColumnsOf(listed.classes, Group::kBase);
  listed.train_labels = TakeColumns(listed.train_labels, base);
  listed.train_labels.known.clear();
  std::erase_if(listed.classes, [](const ClassInfo& each) {
    return each.group != Group::kBase;
  });
  listed.episodes.reset();
}

void CountTraining(Listed& listed) {
  const LabelMatrix& labels = listed.train_labels;
  for (std::size_t i = 0; i < labels.positive.size(); ++i) {
    listed.classes[i % listed.classes.size()].train_positives +=
        labels.positive[i];
  }
}

}  // namespace tailmark::lists
