#include "datasets/lists/listed_dataset.h"

#include <mutex>
#include <unordered_set>
#include <utility>

#include "datasets/images/decode.h"
#include "datasets/lists/manifest.h"
#include "harness/base/digest.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"

namespace tailmark::lists {
namespace fs = std::filesystem;
namespace {

class ListedDataset final : public Dataset {
 public:
  ListedDataset(Listed listed, const DatasetSpec& spec)
      : listed_(std::move(listed)), root_(spec.root), cache_(spec.cache) {
    for (const Split* split : Splits()) {
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
    return listed_.captions;
  }
  std::string label_policy() const override { return listed_.label_policy; }

  const Episodes* episodes() const override {
    if (!listed_.lacking.empty()) throw DataError(listed_.lacking);
    return listed_.episodes ? &*listed_.episodes : nullptr;
  }

  std::vector<std::string> MissingFiles() const override {
    std::vector<std::string> missing;
    std::unordered_set<std::string> seen;
    if (!listed_.lacking.empty()) missing.push_back(listed_.lacking);
    for (const Split* split : Splits()) {
      for (std::string& id : MissingOf(*split, root_)) {
        if (seen.insert(id).second) missing.push_back(std::move(id));
      }
    }
    return missing;
  }

  // Reads every file, so not before somebody asks.
  std::string manifest_sha256() const override {
    const std::lock_guard lock(mutex_);
    if (manifest_.empty()) {
      RequireFiles();
      manifest_ = ManifestSha256(
          {.splits = Splits(), .classes = listed_.classes}, root_, cache_);
      if (!listed_.captions.empty()) manifest_ = WithCaptions(manifest_);
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
  std::vector<const Split*> Splits() const {
    std::vector<const Split*> splits = {&listed_.train, &listed_.test};
    if (!listed_.episodes) return splits;
    for (const Episode& each : listed_.episodes->episodes) {
      splits.push_back(&each.support);
    }
    return splits;
  }

  std::string WithCaptions(const std::string& manifest) const {
    Sha256 digest;
    digest.Update(StrCat(manifest, "\n"));
    for (const std::string& each : listed_.captions) {
      digest.Update(StrCat(each, "\n"));
    }
    return digest.Hex();
  }

  void RequireFiles() const {
    if (!listed_.lacking.empty()) throw DataError(listed_.lacking);
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
