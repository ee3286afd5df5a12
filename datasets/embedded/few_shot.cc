#include "datasets/embedded/few_shot.h"

#include <map>
#include <utility>

#include "datasets/embedded/benchmark.h"
#include "datasets/embedded/embedded.h"
#include "datasets/episodes.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"

namespace tailmark::embedded {
namespace {

constexpr int kFewShotVersion = 1;

std::uint64_t SeedOf(const FewShotOptions& options) {
  return static_cast<std::uint64_t>(options.data_seed);
}

/// Base before novel, as in the class table; only the base ones for
/// base=only.
std::vector<ClassInfo> MakeClasses(const FewShotOptions& options) {
  std::vector<ClassInfo> classes;
  for (int c = 0; c < kClasses; ++c) {
    if (IsNovel(c) && options.base == "only") continue;
    classes.push_back(
        {.name = std::string(kClassTable[static_cast<std::size_t>(c)].name),
         .train_positives = 0,
         .group = IsNovel(c) ? Group::kNovel : Group::kBase});
  }
  return classes;
}

std::vector<std::int64_t> BaseColumns() {
  std::vector<std::int64_t> columns;
  for (int c = 0; c < kClasses; ++c) {
    if (!IsNovel(c)) columns.push_back(c);
  }
  return columns;
}

Split TakeRows(const Split& split, const std::vector<std::size_t>& rows) {
  Split out{.name = split.name, .role = split.role};
  for (const std::size_t row : rows) out.ids.push_back(split.ids[row]);
  return out;
}

class FewShotDataset final : public Dataset {
 public:
  explicit FewShotDataset(const FewShotOptions& options)
      : options_(options),
        scenes_(
            EmbeddedEntry().open({.name = "embedded",
                                  .options = {{"data_seed", options.data_seed},
                                              {"balanced", false},
                                              {"camera", options.camera}},
                                  .root = {},
                                  .cache = {}})),
        classes_(MakeClasses(options)),
        test_(TakeRows(scenes_->test(),
                       QueryRows(LabelSetsOf(Part::kTest, SeedOf(options)),
                                 options.base != "only"))) {
    MakeTrain();
    if (options.base != "only") MakeEpisodes();
  }

  const std::vector<ClassInfo>& classes() const override { return classes_; }
  const Split& train() const override { return train_; }
  const Split& test() const override { return test_; }
  const LabelMatrix& train_labels() const override { return train_labels_; }
  // Captions of base pictures would name the novel classes in them.
  const std::vector<std::string>& train_captions() const override {
    return no_captions_;
  }
  const Episodes* episodes() const override {
    return options_.base == "only" ? nullptr : &episodes_;
  }
  std::string manifest_sha256() const override {
    return Sha256Hex(StrCat("embedded few-shot, version ", kFewShotVersion,
                            ", shots ", options_.shots, ", scenes ",
                            scenes_->manifest_sha256(), "\n"));
  }
  std::string label_policy() const override { return scenes_->label_policy(); }

  Image LoadImage(const Split& split, std::int64_t row) const override {
    TM_CHECK(row >= 0 && row < split.size(), split.name, " has no row ", row);
    const std::string& id = split.ids[static_cast<std::size_t>(row)];
    const auto drawn = support_.find(id);
    if (drawn == support_.end()) return scenes_->LoadImage(split, row);
    return DrawSupportPicture(options_, drawn->second.episode,
                              drawn->second.index, drawn->second.labels);
  }

 private:
  /// Where a support picture comes from.
  struct Drawn {
    int episode = 1;
    std::size_t index = 0;
    LabelSet labels;
  };

  void MakeTrain();
  void MakeEpisodes();
  Episode MakeEpisode(int number);

  FewShotOptions options_;
  std::unique_ptr<Dataset> scenes_;
  std::vector<ClassInfo> classes_;
  Split train_{.name = "train", .role = SplitRole::kTrain, .ids = {}};
  Split test_;
  LabelMatrix train_labels_;
  Episodes episodes_;
  std::map<std::string, Drawn, std::less<>> support_;
  std::vector<std::string> no_captions_;
};

// The pictures of the long-tailed training split that show a base class.
void FewShotDataset::MakeTrain() {
  const auto base = BaseColumns();
  train_labels_.classes = static_cast<std::int64_t>(classes_.size());
  if (options_.base == "without") return;
  const auto sets = LabelSetsOf(Part::kTrain, SeedOf(options_));
  const auto rows = QueryRows(sets, /*novel=*/false);
  train_ = TakeRows(scenes_->train(), rows);
  std::vector<LabelSet> kept;
  for (const std::size_t row : rows) kept.push_back(sets[row]);
  train_labels_ = ToMatrix(kept);
  KeepKnown(train_labels_, base);
  if (options_.base == "only") {
    train_labels_ = TakeColumns(train_labels_, base);
    train_labels_.known.clear();
  }
  for (std::size_t i = 0; i < train_labels_.positive.size(); ++i) {
    classes_[i % classes_.size()].train_positives += train_labels_.positive[i];
  }
}

Episode FewShotDataset::MakeEpisode(int number) {
  const auto sets = SupportSets(SeedOf(options_), options_.shots, number);
  Episode episode{.number = number,
                  .support = {.name = StrCat("support.episode-", number),
                              .role = SplitRole::kSupport,
                              .ids = {}},
                  .labels = ToMatrix(sets)};
  KeepKnown(episode.labels, episodes_.novel);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    std::string id =
        StrCat("support/", options_.shots, "-shot/", number, "/", i);
    support_[id] = {.episode = number, .index = i, .labels = sets[i]};
    episode.support.ids.push_back(std::move(id));
  }
  return episode;
}

void FewShotDataset::MakeEpisodes() {
  episodes_.protocol = StrCat("embedded/", options_.shots, "-shot");
  episodes_.shots = options_.shots;
  episodes_.base = BaseColumns();
  episodes_.novel = ColumnsOf(classes_, Group::kNovel);
  for (int number = 1; number <= kFewShotEpisodes; ++number) {
    episodes_.episodes.push_back(MakeEpisode(number));
  }
}

}  // namespace

DatasetRegistry::Entry EmbeddedFewShotEntry() {
  return {.info = {.name = "embedded-fewshot",
                   .version = kFewShotVersion,
                   .summary = "few-shot protocol of the made scenes: 16 base "
                              "and 8 novel classes, ten episodes; needs no "
                              "files",
                   .needs_root = false,
                   .options = DescribeOptions<FewShotOptions>()},
          .open = [](const DatasetSpec& spec) -> std::unique_ptr<Dataset> {
            return std::make_unique<FewShotDataset>(
                FromMap<FewShotOptions>(spec.options));
          }};
}

}  // namespace tailmark::embedded
