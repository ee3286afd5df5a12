#include "datasets/lists/listed_dataset.h"

#include <mutex>
#include <unordered_set>
#include <utility>

#include "datasets/images/decode.h"
#include "datasets/lists/manifest.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"

namespace tailmark::lists {
namespace fs = std::filesystem;
namespace {

class ListedDataset final : public Dataset {
 public:
  ListedDataset(Listed listed, const DatasetSpec& spec)
      : listed_(std::move(listed)), root_(spec.root), cache_(spec.cache) {
    for (const Split* split : {&listed_.train, &listed_.test}) {
      ids_.insert(split->ids.begin(), split->ids.end());
    }
  }

  const std::vector<ClassInfo>& classes() const override {
    return listed_.classes;
  }
  const Split& train() const override { return listed_.train; }
  const Split& test() const override { return listed_.test; }
  const LabelMatrix& train_labels() const override {
    return listed_.train_labels;
  }
  const std::vector<std::string>& train_captions() const override {
    return no_captions_;
  }
  std::string label_policy() const override { return listed_.label_policy; }

  std::vector<std::string> MissingFiles() const override {
    std::vector<std::string> missing = MissingOf(listed_.train, root_);
    std::vector<std::string> of_test = MissingOf(listed_.test, root_);
    missing.insert(missing.end(), of_test.begin(), of_test.end());
    return missing;
  }

  // Reads every file, so not before somebody asks.
  std::string manifest_sha256() const override {
    const std::lock_guard lock(mutex_);
    if (manifest_.empty()) {
      RequireFiles();
      manifest_ = ManifestSha256({.splits = {&listed_.train, &listed_.test},
                                  .classes = listed_.classes},
                                 root_, cache_);
    }
    return manifest_;
  }

  Image LoadImage(const Split& split, std::int64_t row) const override {
    TM_CHECK(row >= 0 && row < split.size(), split.name, " has no row ", row);
    const std::string& id = split.ids[static_cast<std::size_t>(row)];
    if (!ids_.contains(id)) {
      throw DataError(
          StrCat("data set '", listed_.name, "' has no image '", id, "'"));
    }
    return DecodeImageFile(root_ / id);
  }

 private:
  void RequireFiles() const {
    const auto missing = MissingFiles();
    if (missing.empty()) return;
    throw DataError(StrCat("data set '", listed_.name, "': ", missing.size(),
                           " of ", ids_.size(), " images are not below ",
                           root_.string(), ", the first is ", missing.front(),
                           "; get them with tailmark data fetch ", listed_.name,
                           " --root ", root_.string()));
  }

  Listed listed_;
  fs::path root_;
  fs::path cache_;
  std::unordered_set<std::string> ids_;
  std::vector<std::string> no_captions_;
  mutable std::mutex mutex_;
  mutable std::string manifest_;
};

}  // namespace

std::vector<std::string> MissingOf(const Split& split, const fs::path& root) {
  std::vector<std::string> missing;
  for (const std::string& id : split.ids) {
    std::error_code ignored;
    if (!fs::is_regular_file(root / id, ignored)) missing.push_back(id);
  }
  return missing;
}

Listed ReadListed(const std::string& name, const std::string& folder) {
  const fs::path where = SharedFile(folder);
  Listed listed{.name = name};
  const auto classes = ReadClasses(where / "classes.txt");
  for (const PublishedClass& each : classes) {
    listed.classes.push_back({.name = each.name,
                              .train_positives = each.train_positives,
                              .group = GroupByCount(each.train_positives)});
  }
  LabelledImages train =
      ReadLabelledImages(where / "train.txt", classes.size());
  listed.train = {.name = "train",
                  .role = SplitRole::kTrain,
                  .ids = std::move(train.paths)};
  listed.train_labels = std::move(train.labels);
  listed.test = {.name = "test",
                 .role = SplitRole::kTest,
                 .ids = ReadImages(where / "test_ids.txt")};
  return listed;
}

std::unique_ptr<Dataset> OpenListed(Listed listed, const DatasetSpec& spec) {
  return std::make_unique<ListedDataset>(std::move(listed), spec);
}

}  // namespace tailmark::lists
