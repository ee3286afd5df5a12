#include "datasets/coco_fewshot/train2014.h"

#include <array>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark::coco_fewshot {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kImages = 82783;
constexpr std::size_t kClasses = 80;
constexpr std::string_view kPrefix = "train2014/COCO_train2014_";
constexpr std::string_view kSuffix = ".jpg";
constexpr std::array<const char*, 4> kFirst = {"000000057870", "000000384029",
                                               "000000222016", "000000520950"};

std::string PathOf(std::string_view id) { return StrCat(kPrefix, id, kSuffix); }

std::string NamesOf(const std::vector<std::int64_t>& classes) {
  std::string text;
  for (const std::int64_t c : classes) {
    text += StrCat(text.empty() ? "" : " ", c);
  }
  return text.empty() ? "none" : text;
}

// The novel classes of an image must be those LaSO saw in it.
void CheckSupports(const lists::LabelledImages& images,
                   const std::string& name) {
  const fs::path folder = SharedFile("datasets/coco_fewshot");
  const auto novel = lists::ReadNumbers(folder / "novel.txt", kClasses);
  for (const auto& each :
       lists::ReadSupports(folder / "support.txt", kClasses)) {
    const std::size_t row = std::stoul(each.image);
    std::vector<std::int64_t> found;
    for (const std::int64_t c : novel) {
      if (images.labels.Positive(static_cast<std::int64_t>(row), c)) {
        found.push_back(c);
      }
    }
    if (found == each.classes) continue;
    throw DataError(
        StrCat(name, ": image ", row, ", ", images.paths[row], ", of support ",
               each.shots, "-shot/", each.episode, ": expected novel classes ",
               NamesOf(each.classes), ", found ", NamesOf(found),
               "; is this made from the official instances_train2014.json?"));
  }
}

void Check(const lists::LabelledImages& images, const std::string& name) {
  if (images.paths.size() != kImages) {
    throw DataError(StrCat(name, ": expected ", kImages, " images, found ",
                           images.paths.size(),
                           "; is this made from the official "
                           "instances_train2014.json?"));
  }
  for (std::size_t i = 0; i < kFirst.size(); ++i) {
    if (images.paths[i] == PathOf(kFirst[i])) continue;
    throw DataError(StrCat(name, ": image ", i, ": expected ",
                           PathOf(kFirst[i]), ", found ", images.paths[i],
                           "; supports are positions in the official order"));
  }
  CheckSupports(images, name);
}

}  // namespace

lists::LabelledImages ReadTrain2014(const fs::path& file) {
  auto images = lists::ReadLabelledImages(file, kClasses);
  Check(images, file.string());
  return images;
}

void WriteTrain2014(const fs::path& file, const lists::LabelledImages& images) {
  Check(images, file.string());
  std::string text = StrCat("# prefix=", kPrefix, " suffix=", kSuffix, "\n");
  for (std::size_t row = 0; row < images.paths.size(); ++row) {
    const std::string& path = images.paths[row];
    text += path.substr(kPrefix.size(),
                        path.size() - kPrefix.size() - kSuffix.size());
    for (std::int64_t c = 0; c < images.labels.classes; ++c) {
      if (images.labels.Positive(static_cast<std::int64_t>(row), c)) {
        text += StrCat(" ", c);
      }
    }
    text += "\n";
  }
  MakeFolders(file.parent_path());
  WriteFileAtomic(file, text);
}

}  // namespace tailmark::coco_fewshot
