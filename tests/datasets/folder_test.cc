#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>

#include "datasets/folder/class_list.h"
#include "datasets/folder/folder.h"
#include "datasets/folder/listing.h"
#include "datasets/folder/test_labels.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/datasets/folder_sample.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using std::string;

std::vector<string> NamesOf(const Dataset& data) {
  std::vector<string> names;
  for (const auto& each : data.classes()) names.push_back(each.name);
  return names;
}

// ---- What can be read

TEST_F(Folder, OneCsvHoldsBothSplits) {
  WriteAnimals(files_);
  const OptionMap options = {{"labels", string("labels.csv")},
                             {"classes", string("classes.txt")}};
  const auto data = OpenWith(options);
  EXPECT_EQ(NamesOf(*data), (std::vector<string>{"dog", "cat", "owl"}));
  EXPECT_EQ(data->train().ids,
            (std::vector<string>{"a/1.png", "a/2.png", "a/3.png"}));
  EXPECT_EQ(data->test().ids, (std::vector<string>{"b/4.png", "b/5.png"}));
  EXPECT_EQ(data->train_labels().positive,
            (std::vector<std::uint8_t>{1, 1, 0, 0, 1, 0, 0, 0, 0}));
  EXPECT_EQ(TestLabelsWith(options).positive,
            (std::vector<std::uint8_t>{1, 0, 0, 0, 0, 1}));
  EXPECT_EQ(data->classes()[1].train_positives, 2);
  EXPECT_EQ(data->classes()[2].train_positives, 0);
  EXPECT_EQ(data->classes()[2].group, Group::kTail);
  EXPECT_EQ(data->LoadImage(data->test(), 1).rgb[0], '5');
}

TEST_F(Folder, SplitsMayBeFilesOfTheirOwn) {
  files_.Write("train.csv", "file,labels\nx.png,b\ny.png,a|b\n");
  files_.Write("test.csv", "file,labels\nz.png,a\n");
  const OptionMap options = {{"train", string("train.csv")},
                             {"test", string("test.csv")}};
  const auto data = OpenWith(options);
  EXPECT_EQ(NamesOf(*data), (std::vector<string>{"a", "b"}));
  EXPECT_EQ(data->train().size(), 2);
  EXPECT_EQ(data->test().ids, std::vector<string>{"z.png"});
  EXPECT_EQ(TestLabelsWith(options).positive,
            (std::vector<std::uint8_t>{1, 0}));
}

TEST_F(Folder, WithoutATrainingSplitEveryImageIsTest) {
  files_.Write("labels.csv", "path,labels\nx.png,owl\n");
  files_.Write("counts.csv", "class,count\ncat,120\nowl,20\nelk,0\n");
  const OptionMap options = {{"labels", string("labels.csv")},
                             {"counts", string("counts.csv")}};
  const auto data = OpenWith(options);
  EXPECT_EQ(data->train().size(), 0);
  EXPECT_EQ(data->train_labels().rows, 0);
  EXPECT_EQ(data->train_labels().classes, 3);
  EXPECT_EQ(data->classes()[0].group, Group::kHead);
  EXPECT_EQ(data->classes()[1].group, Group::kMedium);
  EXPECT_EQ(data->classes()[2].group, Group::kTail);
  EXPECT_EQ(TestLabelsWith(options).positive,
            (std::vector<std::uint8_t>{0, 1, 0}));
}

TEST_F(Folder, WithoutCountsAndTrainingEveryClassIsTail) {
  files_.Write("labels.csv", "path,labels\nx.png,owl\n");
  files_.Write("classes.txt", "cat\nowl\n");
  const auto data = OpenWith(
      {{"labels", string("labels.csv")}, {"classes", string("classes.txt")}});
  for (const auto& each : data->classes()) {
    EXPECT_EQ(each.train_positives, 0);
    EXPECT_EQ(each.group, Group::kTail);
  }
}

TEST_F(Folder, LabelsMayBeIndicesPartedByBlanksBelowAPrefix) {
  files_.Write("labels.csv",
               "file,labels,sha256\nin/x.png,79 0,\nout/y.png,99,\n");
  const OptionMap options = {{"test", string("labels.csv")},
                             {"counts", string("builtin:coco-lt")},
                             {"labels_are", string("indices")},
                             {"label_delimiter", string(" ")},
                             {"prefix", string("in/")}};
  const auto data = OpenWith(options);
  ASSERT_EQ(data->classes().size(), 80u);
  EXPECT_EQ(data->classes()[0].name, "person");
  EXPECT_EQ(data->classes()[0].train_positives, 1128);
  const auto labels = TestLabelsWith(options);
  ASSERT_EQ(labels.rows, 1);
  EXPECT_TRUE(labels.Positive(0, 0));
  EXPECT_TRUE(labels.Positive(0, 79));
  EXPECT_FALSE(labels.Positive(0, 1));
}

TEST_F(Folder, BuiltinListsHaveTheGroupsOfTheLongTailedSplits) {
  files_.Write("labels.csv", "path,labels\nx.png,person\n");
  const auto groups = [&](const string& list) {
    std::map<Group, int> n;
    const auto data = OpenWith(
        {{"labels", string("labels.csv")}, {"counts", "builtin:" + list}});
    for (const auto& each : data->classes()) ++n[each.group];
    return n;
  };
  EXPECT_EQ(groups("coco-lt"),
            (std::map<Group, int>{
                {Group::kHead, 22}, {Group::kMedium, 33}, {Group::kTail, 25}}));
  EXPECT_EQ(groups("voc-lt"),
            (std::map<Group, int>{
                {Group::kHead, 6}, {Group::kMedium, 6}, {Group::kTail, 8}}));
}

// Two files state the same facts: one for people to copy, one for the data sets
// coco_lt and voc_lt.
TEST(BuiltinLists, AgreeWithTheListsOfTheSplits) {
  for (const string list : {"coco-lt", "voc-lt"}) {
    string folder = list;
    std::replace(folder.begin(), folder.end(), '-', '_');
    std::istringstream split(ReadFile(fs::path(TM_SOURCE_DIR) / "datasets" /
                                      folder / "classes.txt"));
    const auto counted =
        folder::ParseCounts(folder::ReadListFile("builtin:" + list, ""), list);
    std::size_t c = 0;
    for (string line; std::getline(split, line);) {
      if (line.starts_with('#')) continue;
      std::istringstream fields(line);
      string index, train, test, category, name;
      fields >> index >> train >> test >> category >> std::ws;
      std::getline(fields, name);
      ASSERT_LT(c, counted.size());
      EXPECT_EQ(index, std::to_string(c));
      EXPECT_EQ(name, counted[c].name);
      EXPECT_EQ(train, std::to_string(counted[c].count)) << name;
      ++c;
    }
    EXPECT_EQ(c, counted.size());
  }
}

constexpr std::string_view kCoco = R"({
  "info": {"year": 2017}, "licenses": [1, 2],
  "images": [
    {"id": 7, "file_name": "x.png", "split": "train"},
    {"id": 3, "file_name": "y.png", "split": "test"},
    {"id": 4, "file_name": "z.png", "split": "ignore"}],
  "annotations": [
    {"image_id": 7, "category_id": 90, "bbox": [0, 0, 1, 1], "iscrowd": 1},
    {"image_id": 7, "category_id": 90, "segmentation": [[1, 2], [3]]},
    {"image_id": 3, "category_id": 1},
    {"image_id": 4, "category_id": 1}],
  "categories": [{"id": 90, "name": "toothbrush"}, {"id": 1, "name": "person"}]
})";

TEST_F(Folder, CocoStyleJsonHoldsSplitsAndTheOrderOfClasses) {
  files_.Write("coco.json", kCoco);
  const OptionMap options = {{"labels", string("coco.json")}};
  const auto data = OpenWith(options);
  EXPECT_EQ(NamesOf(*data), (std::vector<string>{"toothbrush", "person"}));
  EXPECT_EQ(data->train().ids, std::vector<string>{"x.png"});
  EXPECT_EQ(data->test().ids, std::vector<string>{"y.png"});
  EXPECT_EQ(data->train_labels().positive, (std::vector<std::uint8_t>{1, 0}));
  EXPECT_EQ(TestLabelsWith(options).positive,
            (std::vector<std::uint8_t>{0, 1}));
  EXPECT_EQ(data->label_policy(), "difficult=positive,empty=keep");
}

TEST_F(Folder, TestLabelsAreNotLookedAtWhenTheDataSetIsOpened) {
  files_.Write("labels.csv",
               "path,labels,split\nx.png,cat,train\ny.png,nonsense,test\n");
  const OptionMap options = {{"labels", string("labels.csv")}};
  EXPECT_EQ(NamesOf(*OpenWith(options)), std::vector<string>{"cat"});
  EXPECT_THROW(TestLabelsWith(options), DataError);
}

// ---- Manifest

TEST_F(Folder, TheManifestSeesContentsNamesAndCounts) {
  WriteAnimals(files_);
  OptionMap options = {{"labels", string("labels.csv")},
                       {"classes", string("classes.txt")}};
  const string first = OpenWith(options)->manifest_sha256();
  files_.WritePicture("a/1.png", 200);
  const string second = OpenWith(options)->manifest_sha256();
  EXPECT_NE(first, second);
  files_.Write("counts.csv", "class,count\ndog,5\ncat,2\nowl,0\n");
  options["counts"] = string("counts.csv");
  EXPECT_NE(OpenWith(options)->manifest_sha256(), second);
}

TEST_F(Folder, HashesAreKeptUntilSizeOrTimeChange) {
  WriteAnimals(files_);
  const TempFolder cache;
  auto spec = FolderSpec(files_.path(), {{"labels", string("labels.csv")},
                                         {"classes", string("classes.txt")}});
  const string without = OpenFolder(spec)->manifest_sha256();
  spec.cache = cache.path() / "new";
  EXPECT_EQ(OpenFolder(spec)->manifest_sha256(), without);
  const fs::path sidecar = fs::directory_iterator(spec.cache)->path();

  // A file whose size and time are unchanged is not read again: its bytes are
  // swapped behind the sidecar's back.
  const fs::path picture = files_.path() / "a/1.png";
  const auto time = fs::last_write_time(picture);
  string bytes = ReadFile(picture);
  bytes.back() = static_cast<char>(~bytes.back());
  WriteFileAtomic(picture, bytes);
  fs::last_write_time(picture, time);
  EXPECT_EQ(OpenFolder(spec)->manifest_sha256(), without);
  fs::last_write_time(picture, time + std::chrono::seconds(1));
  EXPECT_NE(OpenFolder(spec)->manifest_sha256(), without);

  for (const char* broken : {"{", "[]", R"({"schema":"x","files":{}})",
                             R"({"schema":"tailmark-file-hashes/1"})"}) {
    WriteFileAtomic(sidecar, broken);
    EXPECT_NE(OpenFolder(spec)->manifest_sha256(), without) << broken;
  }
}

TEST_F(Folder, AFileThatDiffersFromItsListedSha256IsNamed) {
  files_.WritePicture("x.png", 1);
  const string sha256 = Sha256File(files_.path() / "x.png");
  files_.Write("classes.txt", "cat\n");
  const OptionMap options = {{"labels", string("labels.csv")},
                             {"classes", string("classes.txt")}};
  files_.Write("labels.csv", "path,labels,sha256\nx.png,cat," + sha256 + "\n");
  EXPECT_EQ(OpenWith(options)->manifest_sha256().size(), 64u);
  const string other(64, 'a');
  files_.Write("labels.csv", "path,labels,sha256\nx.png,cat," + other + "\n");
  try {
    OpenWith(options)->manifest_sha256();
    FAIL() << "no error";
  } catch (const DataError& error) {
    const string what = error.what();
    EXPECT_NE(what.find("x.png: expected SHA-256 " + other), what.npos) << what;
    EXPECT_NE(what.find("found " + sha256), what.npos) << what;
  }
}

TEST_F(Folder, AMissingImageIsNamed) {
  files_.Write("labels.csv", "path,labels\nx.png,\n");
  files_.Write("classes.txt", "cat\n");
  const auto data = OpenWith(
      {{"labels", string("labels.csv")}, {"classes", string("classes.txt")}});
  for (const auto& use :
       {std::function<void()>([&] { data->LoadImage(data->test(), 0); }),
        std::function<void()>([&] { data->manifest_sha256(); })}) {
    try {
      use();
      FAIL() << "no error";
    } catch (const DataError& error) {
      const string what = error.what();
      EXPECT_NE(what.find("x.png: No such file"), what.npos) << what;
    }
  }
}

TEST(Listing, DropsTheLabelsOfTestImagesUnlessAsked) {
  const string csv = "path,labels,split\nx,a|b,train\ny,c,test\n";
  for (const string& text : {csv, string(kCoco)}) {
    for (const bool asked : {false, true}) {
      const auto listing =
          folder::ReadListing(text, "list", {.test_labels = asked});
      ASSERT_EQ(listing.images.size(), 2u);
      EXPECT_FALSE(listing.images[0].labels.empty());
      EXPECT_EQ(listing.images[1].labels.empty(), !asked);
    }
  }
}

// ---- Photographs, where they are

class RealImages
    : public ::testing::TestWithParam<std::pair<const char*, int>> {};

TEST_P(RealImages, AreReadWithLabelsAndHashes) {
  const char* data_root = std::getenv("TAILMARK_REFERENCE_DATA");
  if (data_root == nullptr) GTEST_SKIP() << "TAILMARK_REFERENCE_DATA is unset";
  const fs::path root = fs::path(data_root) / "real-images";
  if (!fs::exists(root / "labels.csv")) GTEST_SKIP() << root << " is absent";
  const auto [name, images] = GetParam();
  const auto spec =
      FolderSpec(root, {{"test", string("labels.csv")},
                        {"prefix", string(name) + "/"},
                        {"counts", string("builtin:") + name + "-lt"},
                        {"labels_are", string("indices")},
                        {"label_delimiter", string(" ")}});
  const auto data = OpenFolder(spec);
  EXPECT_EQ(data->test().size(), images);
  EXPECT_EQ(data->train().size(), 0);
  EXPECT_EQ(data->manifest_sha256().size(), 64u);  // compares listed hashes
  const auto labels = FolderTestLabels(spec);
  EXPECT_EQ(labels.rows, images);
  std::int64_t positives = 0;
  for (const auto bit : labels.positive) positives += bit;
  EXPECT_GT(positives, images / 2);
  for (std::int64_t row = 0; row < images; ++row) {
    EXPECT_GT(data->LoadImage(data->test(), row).width, 100);
  }
}

INSTANTIATE_TEST_SUITE_P(, RealImages,
                         ::testing::Values(std::pair{"coco", 72},
                                           std::pair{"voc", 40}),
                         [](const auto& each) { return each.param.first; });

}  // namespace
}  // namespace tailmark
