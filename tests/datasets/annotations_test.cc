#include "datasets/fetch/annotations.h"

#include <gtest/gtest.h>

#include <fstream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/datasets/folder_sample.h"

namespace tailmark {
namespace {
using std::string;

// Crowd, zero area, a side below 1, two boxes of a class, an empty image; parts
// in an unusual order.
constexpr const char* kCoco = R"({
  "annotations": [
    {"id": 1, "image_id": 7, "category_id": 90, "bbox": [0, 0, 5, 5],
     "area": 25, "iscrowd": 0, "segmentation": [[1, 2, 3]]},
    {"area": 9, "category_id": 90, "image_id": 7, "iscrowd": 0, "id": 2,
     "bbox": [1.5, 0, 3, 3]},
    {"id": 3, "image_id": 7, "category_id": 3, "bbox": [0, 0, 5, 5],
     "area": 25, "iscrowd": 1, "segmentation": {"counts": [1], "size": [2, 2]}},
    {"id": 4, "image_id": 8, "category_id": 3, "bbox": [0, 0, 5, 5],
     "area": 0.0, "iscrowd": 0},
    {"id": 5, "image_id": 8, "category_id": 90, "bbox": [0, 0, 5, 0.99],
     "area": 4.9, "iscrowd": 0}],
  "info": {"year": 2017},
  "categories": [{"id": 90, "name": "toothbrush"}, {"id": 3, "name": "car"}],
  "images": [{"id": 8, "file_name": "000000000008.jpg", "width": 5},
             {"id": 7, "file_name": "val/000000000007.jpg"},
             {"id": 9, "file_name": "000000000009.jpg"}]})";

using Classes = std::vector<std::uint16_t>;

fetch::Annotations Read(const string& json, const fetch::CocoRule& rule) {
  const TempFolder folder;
  folder.Write("i.json", json);
  return fetch::ReadCocoAnnotations(folder.path() / "i.json", rule);
}

string ErrorOf(const string& json) {
  try {
    Read(json, fetch::kCocoBoxes);
  } catch (const DataError& error) {
    const string what = error.what();
    return what.substr(what.find("i.json"));
  }
  return "no error";
}

TEST(CocoAnnotations, FollowTheRuleThatIsNamed) {
  const auto boxes = Read(kCoco, fetch::kCocoBoxes);
  EXPECT_EQ(boxes.classes, (std::vector<string>{"car", "toothbrush"}));
  ASSERT_EQ(boxes.images.size(), 3u);
  EXPECT_EQ(boxes.images[0].name, "000000000008");
  EXPECT_EQ(boxes.images[0].classes, Classes{});
  EXPECT_EQ(boxes.images[1].name, "000000000007");
  EXPECT_EQ(boxes.images[1].classes, (Classes{0, 1}));
  EXPECT_EQ(boxes.images[2].classes, Classes{});

  const auto objects = Read(kCoco, fetch::kCocoObjects);
  EXPECT_EQ(objects.images[0].classes, Classes{0});
  EXPECT_EQ(objects.images[1].classes, Classes{1});
}

TEST(CocoAnnotations, ABrokenFileIsNamed) {
  const string whole = kCoco;
  EXPECT_EQ(ErrorOf(whole), "no error");
  for (const std::size_t size : {0UL, 1UL, 100UL, 400UL, whole.size() - 1}) {
    const string what = ErrorOf(whole.substr(0, size));
    EXPECT_TRUE(what.starts_with("i.json: ")) << size << what;
  }
  const auto with = [&](const string& from, const string& to) {
    string text = whole;
    text.replace(text.find(from), from.size(), to);
    return ErrorOf(text);
  };
  EXPECT_NE(with("\"image_id\": 7,", "\"image_id\": 70,").find("image 70"),
            string::npos);
  EXPECT_NE(with("\"image_id\": 7,", "").find("without image_id"),
            string::npos);
  EXPECT_NE(with("[0, 0, 5, 5]", "[0, 0, 5]").find("four numbers"),
            string::npos);
  EXPECT_NE(with("{\"id\": 3, \"name\"", "{\"id\": 90, \"name\"")
                .find("category 90 is there twice"),
            string::npos);
  EXPECT_NE(with("\"area\": 25", "\"area\": \"x\"").find("byte "),
            string::npos);
  EXPECT_THROW(fetch::ReadCocoAnnotations("/none/i.json", {}), DataError);
}

// What looks like the end of an element, in a string and deeper down.
constexpr const char* kMisleading = R"({
  "info": {"about": "}, {\"images\": [", "more": [{"a": [1]}, {"b": {}}]},
  "year": 2017, "none": null, "licenses": [{"id": 1}, {"id": 2}],
  "annotations": [
    {"note": "a },{ \\", "parts": [{"image_id": 1}, {"image_id": 2}, {"x": [[
      {"y": "]"}, {"z": 3}]]}], "image_id": 7, "category_id": 3,
     "bbox": [0, 0, 5, 5], "area": 25, "iscrowd": 0} , {"image_id": 8,
     "category_id": 90, "bbox": [0, 0, 5, 5], "area": 25, "iscrowd": 0,
     "note": "\u00e9},\t{"},
    {"image_id": 8, "category_id": 90, "bbox": [0, 0, 5, 5], "area": 1,
     "iscrowd": 0}],
  "numbers": [[1, 2], [], 3], "empty": [],
  "images": [{"id": 8, "file_name": "},{8.jpg"}, {"id": 7,
    "file_name": "7.jpg"}],
  "categories": [{"id": 90, "name": "}]"}, {"id": 3, "name": "car"}]}
)";

TEST(CocoAnnotations, AreTheSameWhereverAFileIsCut) {
  const TempFolder folder;
  for (const string text : {kCoco, kMisleading}) {
    folder.Write("i.json", text);
    const auto read = [&](std::size_t piece) {
      return fetch::ReadCocoAnnotations(folder.path() / "i.json",
                                        fetch::kCocoBoxes, piece);
    };
    const auto whole = read(text.size());
    EXPECT_EQ(whole.images.size() + whole.classes.size(),
              text == kCoco ? 5u : 4u);
    for (std::size_t piece = 1; piece <= text.size() + 1; ++piece) {
      const auto cut = read(piece);
      ASSERT_EQ(cut.classes, whole.classes) << piece;
      ASSERT_EQ(cut.images.size(), whole.images.size()) << piece;
      for (std::size_t i = 0; i < cut.images.size(); ++i) {
        ASSERT_EQ(cut.images[i].name, whole.images[i].name) << piece;
        ASSERT_EQ(cut.images[i].classes, whole.images[i].classes) << piece;
      }
    }
  }
}

TEST(CocoAnnotations, NameTheSameFaultWhereverAFileIsCut) {
  const TempFolder folder;
  string text = kMisleading;
  text.replace(text.find("\"area\": 25"), 10, "\"area\": \"\"");
  folder.Write("i.json", text);
  const auto fault = [&](std::size_t piece) -> string {
    try {
      fetch::ReadCocoAnnotations(folder.path() / "i.json", fetch::kCocoBoxes,
                                 piece);
    } catch (const DataError& error) {
      return error.what();
    }
    return "no error";
  };
  const string whole = fault(text.size());
  EXPECT_NE(whole.find("byte "), string::npos) << whole;
  for (std::size_t piece = 1; piece < text.size(); ++piece) {
    ASSERT_EQ(fault(piece), whole) << piece;
  }
}

TEST(CocoAnnotations, AFileThatEndsAnywhereIsBroken) {
  const string whole = kMisleading;
  const auto end = whole.rfind('}');
  const TempFolder folder;
  for (std::size_t size = 0; size <= end; ++size) {
    // A thousand files: none is worth a sync.
    std::ofstream(folder.path() / "i.json") << whole.substr(0, size);
    for (const std::size_t piece : {1UL, 64UL, whole.size()}) {
      EXPECT_THROW(fetch::ReadCocoAnnotations(folder.path() / "i.json",
                                              fetch::kCocoBoxes, piece),
                   DataError)
          << size;
    }
  }
  for (const char* more : {"}", ",", "{}", "x"}) {
    EXPECT_NE(ErrorOf(whole + more), "no error") << more;
  }
}

TEST(CocoCaptions, OfAnImageAreJoinedInTheFilesOrder) {
  const TempFolder folder;
  const auto read = [&](const char* json) {
    folder.Write("c.json", json);
    return fetch::ReadCocoCaptions(folder.path() / "c.json");
  };
  const auto captions = read(R"({"annotations": [
      {"id": 1, "image_id": 7, "caption": " A  cat\non a mat. "},
      {"caption": "Nobody.", "image_id": 8, "id": 2},
      {"id": 3, "image_id": 7, "caption": "One cat"}],
    "images": [{"id": 7, "file_name": "000000000007.jpg"},
               {"id": 8, "file_name": "000000000008.jpg"},
               {"id": 9, "file_name": "000000000009.jpg"}]})");
  EXPECT_EQ(captions.size(), 2u);
  EXPECT_EQ(captions.at("000000000007"), "A cat on a mat. One cat");
  EXPECT_EQ(captions.at("000000000008"), "Nobody.");
  EXPECT_THROW(read("{}"), DataError);
  EXPECT_THROW(read(R"({"images": [], "annotations": []})"), DataError);
  EXPECT_THROW(read(R"({"images": [{"id": 1, "file_name": "x.jpg"}],
                        "annotations": [{"image_id": 1}]})"),
               DataError);
}

constexpr const char* kVoc = R"(<annotation><filename>x.jpg</filename>
  <object><name>sofa</name><difficult>1</difficult></object>
  <object><name>person</name><difficult>0</difficult>
    <part><name>head</name></part></object>
  <object><name>person</name><difficult>1</difficult></object>
  <object><name>cat</name></object></annotation>)";

TEST(VocAnnotations, MarkAClassWhoseObjectsAreAllDifficult) {
  const TempFolder folder;
  folder.Write("000005.xml", kVoc);
  fetch::Annotations annotations;
  fetch::ReadVocAnnotation(folder.path() / "000005.xml", annotations);
  EXPECT_EQ(annotations.classes,
            (std::vector<string>{"sofa", "person", "cat"}));
  ASSERT_EQ(annotations.images.size(), 1u);
  EXPECT_EQ(annotations.images[0].name, "000005");
  EXPECT_EQ(annotations.images[0].classes, (Classes{0, 1, 2}));
  EXPECT_EQ(annotations.images[0].difficult, Classes{0});

  for (const char* broken :
       {"", "<annotation>", "<other/>", "<annotation><object/></annotation>"}) {
    folder.Write("bad.xml", broken);
    EXPECT_THROW(
        fetch::ReadVocAnnotation(folder.path() / "bad.xml", annotations),
        DataError)
        << broken;
  }
}

TEST(VocAnnotations, LeaveOutWhatIsDifficultByTheRuleOfTheFewShotSplit) {
  EXPECT_FALSE(fetch::LabelRuleOf("voc-lt").clear);
  ASSERT_TRUE(fetch::LabelRuleOf("voc07-fewshot").clear);
  EXPECT_TRUE(fetch::LabelRuleOf("coco-lt").coco.crowd);
  EXPECT_FALSE(fetch::LabelRuleOf("coco-fewshot").coco.crowd);
  fetch::Annotations annotations = {
      .classes = {"sofa", "cat"},
      .images = {{.name = "1", .classes = {0, 1}, .difficult = {0}}}};
  fetch::DropDifficult(annotations);
  EXPECT_EQ(annotations.images[0].classes, Classes{1});
  EXPECT_EQ(annotations.images[0].difficult, Classes{});
}

TEST(CheckLabels, LeavesOutWhatIsNotKnown) {
  const fetch::Annotations annotations = {
      .classes = {"a"},
      .images = {{.name = "1", .classes = {0}, .difficult = {}}}};
  const Split split{
      .name = "support", .role = SplitRole::kSupport, .ids = {"x/1.jpg"}};
  const std::vector<ClassInfo> classes = {{.name = "a"}};
  LabelMatrix labels{.rows = 1, .classes = 1, .positive = {0}, .known = {0}};
  const auto unknown = fetch::CheckLabels(split, labels, classes, annotations);
  EXPECT_EQ(unknown.labels, 0);
  EXPECT_TRUE(unknown.differences.empty());
  labels.known = {1};
  EXPECT_EQ(fetch::CheckLabels(split, labels, classes, annotations)
                .differences.size(),
            1u);
}

TEST(CheckLabels, NamesEveryCellThatDiffers) {
  const fetch::Annotations annotations = {
      .classes = {"b", "a"},
      .images = {{.name = "1", .classes = {0, 1}, .difficult = {0}},
                 {.name = "2", .classes = {}, .difficult = {}}}};
  const std::vector<ClassInfo> classes = {
      {.name = "a"}, {.name = "b"}, {.name = "c"}};
  const Split split{.name = "test",
                    .role = SplitRole::kTest,
                    .ids = {"x/1.jpg", "x/2.jpg", "x/3.jpg"}};
  LabelMatrix labels{.rows = 3,
                     .classes = 3,
                     .positive = {1, 1, 0, 0, 0, 0, 0, 0, 1},
                     .known = {}};
  auto check = fetch::CheckLabels(split, labels, classes, annotations);
  EXPECT_EQ(check.images, 2);
  EXPECT_EQ(check.labels, 6);
  EXPECT_EQ(check.unknown, 1);
  EXPECT_TRUE(check.differences.empty());

  labels.known = {1, 0, 1, 1, 1, 1, 1, 1, 1};
  EXPECT_TRUE(fetch::CheckLabels(split, labels, classes, annotations)
                  .differences.empty());
  labels.known[1] = 1;     // 1.jpg's b is difficult
  labels.positive[5] = 1;  // 2.jpg has no c
  check = fetch::CheckLabels(split, labels, classes, annotations);
  ASSERT_EQ(check.differences.size(), 2u);
  EXPECT_EQ(check.differences[0].path, "x/1.jpg");
  EXPECT_EQ(check.differences[0].klass, "b");
  EXPECT_EQ(check.differences[0].committed, "positive");
  EXPECT_EQ(check.differences[0].annotated, "difficult");
  EXPECT_EQ(check.differences[1].path, "x/2.jpg");
  EXPECT_EQ(check.differences[1].committed, "positive");
  EXPECT_EQ(check.differences[1].annotated, "negative");
}

}  // namespace
}  // namespace tailmark
