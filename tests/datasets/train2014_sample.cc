#include "tests/datasets/train2014_sample.h"

#include <array>

#include "datasets/coco_fewshot/train2014.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"

namespace tailmark {
namespace {

constexpr std::size_t kImages = 82783;
constexpr std::size_t kClasses = 80;
constexpr std::array<int, 4> kFirst = {57870, 384029, 222016, 520950};

int IdOf(std::size_t row) {
  return row < kFirst.size() ? kFirst[row] : 600000 + static_cast<int>(row);
}

std::string NameOf(std::size_t row) {
  const std::string id = std::to_string(IdOf(row));
  return StrCat("COCO_train2014_", std::string(12 - id.size(), '0'), id,
                ".jpg");
}

}  // namespace

lists::LabelledImages StandInTrain2014() {
  lists::LabelledImages images;
  images.labels = {.rows = kImages, .classes = kClasses};
  images.labels.positive.resize(kImages * kClasses);
  for (std::size_t row = 0; row < kImages; ++row) {
    images.paths.push_back("train2014/" + NameOf(row));
    if (row % 3 == 0) images.labels.positive[row * kClasses] = 1;
  }
  const auto supports = lists::ReadSupports(
      SharedFile("datasets/coco_fewshot") / "support.txt", kClasses);
  for (const auto& each : supports) {
    for (const std::int64_t c : each.classes) {
      images.labels.positive[std::stoul(each.image) * kClasses +
                             static_cast<std::size_t>(c)] = 1;
    }
  }
  return images;
}

std::string StandInInstances(const lists::LabelledImages& images) {
  const auto classes =
      lists::ReadClasses(SharedFile("datasets/coco_fewshot") / "classes.txt");
  std::string text = R"({"images":[)";
  std::string boxes;
  for (std::size_t row = 0; row < images.paths.size(); ++row) {
    text += StrCat(row == 0 ? "" : ",", R"({"file_name":")", NameOf(row),
                   R"(","id":)", IdOf(row), "}");
    for (std::size_t c = 0; c < kClasses; ++c) {
      if (images.labels.positive[row * kClasses + c] == 0) continue;
      boxes += StrCat(boxes.empty() ? "" : ",", R"({"image_id":)", IdOf(row),
                      R"(,"category_id":)", classes[c].category,
                      R"(,"bbox":[0,0,9,9],"area":81,"iscrowd":0})");
    }
  }
  text += R"(],"annotations":[)" + boxes + R"(],"categories":[)";
  for (std::size_t c = 0; c < kClasses; ++c) {
    text += StrCat(c == 0 ? "" : ",", R"({"id":)", classes[c].category,
                   R"(,"name":")", classes[c].name, "\"}");
  }
  return text + "]}";
}

void WriteStandInTrain2014(const TempFolder& folder) {
  coco_fewshot::WriteTrain2014(folder.path() / coco_fewshot::kTrain2014File,
                               StandInTrain2014());
}

}  // namespace tailmark
