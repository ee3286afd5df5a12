#include "harness/cli/worker_place.h"

#include <map>
#include <memory>
#include <optional>

#include "datasets/images/png.h"
#include "harness/base/digest.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/temporary_folder.h"
#include "harness/plugin/kind.h"
#include "harness/plugin/sandbox.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

/// Files of the images of a data set, opened when the first is asked for. What
/// has none of its own is written as one, without loss.
class ImageFiles {
 public:
  ImageFiles(const RunSpec& spec, const DatasetRegistry& datasets)
      : spec_(spec), datasets_(datasets) {}

  std::string OfTrain(const std::string& id) {
    Open();
    const auto row = rows_.find(id);
    TM_CHECK(row != rows_.end(), "no training image ", id);
    return Of(data_->train(), row->second);
  }
  const fs::path& folder() { return pictures_.path(); }
  std::string OfTest(std::int64_t row) {
    Open();
    return Of(data_->test(), row);
  }

 private:
  void Open() {
    if (data_) return;
    const RunIdentity& id = spec_.identity;
    data_ = datasets_.Find(id.dataset)
                .open({.name = id.dataset,
                       .options = id.dataset_options,
                       .root = spec_.place.data_root,
                       .cache = spec_.place.cache});
    std::int64_t row = 0;
    for (const std::string& each : data_->train().ids) rows_[each] = row++;
  }
  std::string Of(const Split& split, std::int64_t row) {
    const std::string& id = split.ids.at(static_cast<std::size_t>(row));
    const fs::path& root = spec_.place.data_root;
    if (!root.empty() && fs::is_regular_file(root / id)) {
      return (root / id).string();
    }
    const fs::path made =
        pictures_.path() /
        (Sha256Hex(StrCat(NameOf(split.role), "/", id)).substr(0, 32) + ".png");
    if (!fs::exists(made)) WritePng(made, data_->LoadImage(split, row));
    return made.string();
  }

  RunSpec spec_;
  const DatasetRegistry& datasets_;
  std::unique_ptr<Dataset> data_;
  std::map<std::string, std::int64_t> rows_;  // Of the training split, by id.
  TemporaryFolder pictures_;
};

/// The lists of our data sets.
std::vector<fs::path> ListFolders() {
  std::vector<fs::path> found;
  for (const char* name :
       {"coco_fewshot", "coco_lt", "voc07_fewshot", "voc_lt"}) {
    found.push_back(
        SharedFile(fs::path("datasets") / name / "classes.txt").parent_path());
  }
  return found;
}

/// Labels of test splits that ship with Tailmark.
std::vector<fs::path> ShippedLabels() {
  std::vector<fs::path> found;
  std::error_code code;
  for (const fs::path& lists : ListFolders()) {
    for (const auto& entry : fs::directory_iterator(lists, code)) {
      const std::string name = entry.path().filename().string();
      for (const char* word : {"labels", "difficult", "laso", "empty"}) {
        if (name.find(word) != name.npos) found.push_back(entry.path());
      }
    }
  }
  return found;
}

/// Those, and what may hold labels of the user's own data.
std::vector<fs::path> LabelFiles(const RunSpec& spec) {
  std::vector<fs::path> found = ShippedLabels();
  for (const char* option : {"labels", "test"}) {
    const auto it = spec.identity.dataset_options.find(option);
    if (it == spec.identity.dataset_options.end()) continue;
    const auto* name = std::get_if<std::string>(&it->second);
    if (name != nullptr && !name->empty()) {
      found.push_back(spec.place.data_root / *name);
    }
  }
  for (const char* name : {"Annotations", "annotations", "ImageSets"}) {
    if (!spec.place.data_root.empty()) {
      found.push_back(spec.place.data_root / name);
    }
  }
  return found;
}

/// Where a plugin may write beside its results; nothing outside of a launcher.
/// Libraries look for it too: LibTorch unpacks a .pt2 before it loads it.
std::optional<fs::path> Scratch() {
  const auto scratch = GetEnv("TAILMARK_SCRATCH");
  if (!scratch) return std::nullopt;
  SetEnv("TMPDIR", *scratch);
  return fs::path(*scratch);
}

}  // namespace

PluginPlace PlaceOf(const RunSpec& spec, const DatasetRegistry& datasets) {
  auto files = std::make_shared<ImageFiles>(spec, datasets);
  return {.pipeline = spec.identity.pipeline,
          .weights = spec.place.weights,
          .data_root = spec.place.data_root,
          .train_file =
              [files](const std::string& id) { return files->OfTrain(id); },
          .test_file = [files](std::int64_t row) { return files->OfTest(row); },
          .pictures = KindOfPlugin(spec.place.plugin).foreign ? files->folder()
                                                              : fs::path(),
          .hidden = LabelFiles(spec)};
}

std::string HoldBack(const RunSpec& spec, const fs::path& bundle) {
  const RunPlace& place = spec.place;
  if (KindOfPlugin(place.plugin).name == "process") return SandboxName();
  Allowed allowed{.readable = SystemFolders(""), .hidden = ShippedLabels()};
  for (const fs::path& each : ListFolders()) allowed.readable.push_back(each);
  for (const fs::path& each :
       {SharedFile("catalog.json").parent_path(),
        SharedFile("methods/clip/nano"), place.weights, place.data_root,
        place.bundles, place.plugin.parent_path()}) {
    if (!each.empty()) allowed.readable.push_back(each);
  }
  allowed.writable = {bundle, Scratch().value_or(fs::temp_directory_path())};
  if (!place.cache.empty()) {
    MakeFolders(place.cache);
    allowed.writable.push_back(place.cache);
  }
  const Sandbox sandbox(allowed);
  return sandbox.Enter() ? SandboxName() : "none";
}

void HoldBackToAsk(const fs::path& plugin, const fs::path& out) {
  if (KindOfPlugin(plugin).name == "process") return;
  Allowed allowed{.readable = SystemFolders(""),
                  .writable = {fs::absolute(out).parent_path()},
                  .hidden = ShippedLabels()};
  allowed.readable.push_back(plugin.parent_path());
  if (const auto scratch = Scratch()) allowed.writable.push_back(*scratch);
  const Sandbox sandbox(allowed);
  sandbox.Enter();
}

}  // namespace tailmark
