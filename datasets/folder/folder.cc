#include "datasets/folder/folder.h"

#include <mutex>
#include <unordered_set>
#include <utility>

#include "datasets/folder/index.h"
#include "datasets/images/decode.h"
#include "datasets/lists/manifest.h"
#include "harness/base/error.h"

namespace tailmark::folder {
namespace {

class FolderDataset final : public Dataset {
 public:
  explicit FolderDataset(const DatasetSpec& spec)
      : root_(spec.root),
        cache_(spec.cache),
        index_(ReadIndex(FromMap<Options>(spec.options), spec.root,
                         /*test_labels=*/false)),
        ids_(index_.train.ids.begin(), index_.train.ids.end()) {
    ids_.insert(index_.test.ids.begin(), index_.test.ids.end());
  }

  const std::vector<ClassInfo>& classes() const override {
    return index_.classes;
  }
  const Split& train() const override { return index_.train; }
  const Split& test() const override { return index_.test; }
  const LabelMatrix& train_labels() const override {
    return index_.train_labels;
  }
  const std::vector<std::string>& train_captions() const override {
    return no_captions_;
  }

  // Reads every file, so not before somebody asks.
  std::string manifest_sha256() const override {
    const std::lock_guard lock(mutex_);
    if (manifest_.empty()) {
      manifest_ =
          lists::ManifestSha256({.splits = {&index_.train, &index_.test},
                                 .classes = index_.classes,
                                 .stated = &index_.sha256},
                                root_, cache_);
    }
    return manifest_;
  }

  std::string label_policy() const override {
    // The words of harness/metrics/definition.h. Crowds count as positive.
    return index_.coco ? "difficult=positive,empty=keep"
                       : "difficult=ignore,empty=keep";
  }

  // A split may be a part of one of ours, but holds no path of its own making.
  Image LoadImage(const Split& split, std::int64_t row) const override {
    TM_CHECK(row >= 0 && row < split.size(), split.name, " has no row ", row);
    const std::string& id = split.ids[static_cast<std::size_t>(row)];
    if (!ids_.contains(id)) {
      throw DataError(StrCat("'", id, "' is not listed in the data set at ",
                             root_.string()));
    }
    return DecodeImageFile(root_ / id);
  }

 private:
  std::filesystem::path root_;
  std::filesystem::path cache_;
  Index index_;
  std::unordered_set<std::string> ids_;
  std::vector<std::string> no_captions_;
  mutable std::mutex mutex_;
  mutable std::string manifest_;
};

}  // namespace

DatasetRegistry::Entry FolderEntry() {
  return {.info = {.name = "folder",
                   .version = 1,
                   .summary = "your images, with labels from CSV or COCO-style "
                              "JSON",
                   .needs_root = true,
                   .options = DescribeOptions<Options>()},
          .open = [](const DatasetSpec& spec) -> std::unique_ptr<Dataset> {
            return std::make_unique<FolderDataset>(spec);
          }};
}

}  // namespace tailmark::folder
