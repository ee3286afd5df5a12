#include "tests/datasets/folder_sample.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>

#include "datasets/builtin.h"
#include "datasets/folder/folder.h"
#include "datasets/images/png.h"
#include "harness/base/files.h"
#include "tests/datasets/train2014_sample.h"

namespace tailmark {
namespace fs = std::filesystem;

TempFolder::TempFolder() {
  std::string name = ::testing::TempDir() + "tailmark.XXXXXX";
  if (mkdtemp(name.data()) == nullptr) {
    throw StoreError("no temporary folder at " + name);
  }
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void TempFolder::Write(std::string_view file, std::string_view text) const {
  MakeFolders((path_ / file).parent_path());
  WriteFileAtomic(path_ / file, text);
}

void TempFolder::WritePicture(std::string_view file, int shade) const {
  Image image{.width = 4, .height = 3};
  image.rgb.assign(std::size_t{4} * 3 * 3, static_cast<std::uint8_t>(shade));
  MakeFolders((path_ / file).parent_path());
  WritePng(path_ / file, image);
}

void WriteAnimals(const TempFolder& folder) {
  folder.Write("labels.csv",
               "path,labels,split\n"
               "a/1.png,dog|cat,train\n"
               "a/2.png,cat,train\n"
               "a/3.png,,train\n"
               "b/4.png,dog,test\n"
               "b/5.png,owl,test\n");
  folder.Write("classes.txt", "dog\ncat\nowl\n");
  for (const auto* file :
       {"a/1.png", "a/2.png", "a/3.png", "b/4.png", "b/5.png"}) {
    folder.WritePicture(file, file[2]);
  }
}

void WriteStandIns(const TempFolder& folder,
                   const DatasetRegistry::Entry& entry) {
  constexpr std::int64_t kPictures = 16;
  if (entry.info.name == "coco-fewshot") WriteStandInTrain2014(folder);
  const auto data =
      entry.open({.name = entry.info.name,
                  .options = ResolveOptions(entry.info.options, {}),
                  .root = folder.path()});
  for (const Split* split : {&data->train(), &data->test()}) {
    const std::int64_t some = std::min(kPictures, split->size());
    for (std::int64_t row = 0; row < some; ++row) {
      folder.WritePicture(split->ids[static_cast<std::size_t>(row)],
                          static_cast<int>(row));
    }
  }
}

DatasetSpec BuiltinSpec(const std::string& name, const OptionMap& options,
                        const fs::path& root) {
  DatasetRegistry registry;
  RegisterBuiltinDatasets(registry);
  return {.name = name,
          .options = ResolveOptions(registry.Find(name).info.options, options),
          .root = root,
          .cache = {}};
}

std::unique_ptr<Dataset> OpenBuiltin(const DatasetSpec& spec) {
  DatasetRegistry registry;
  RegisterBuiltinDatasets(registry);
  return registry.Find(spec.name).open(spec);
}

DatasetSpec FolderSpec(const std::filesystem::path& root,
                       const OptionMap& options) {
  const auto entry = folder::FolderEntry();
  return {.name = "folder",
          .options = ResolveOptions(entry.info.options, options),
          .root = root};
}

std::unique_ptr<Dataset> OpenFolder(const DatasetSpec& spec) {
  return folder::FolderEntry().open(spec);
}

}  // namespace tailmark
