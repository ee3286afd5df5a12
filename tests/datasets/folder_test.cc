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
#include "datasets/folder/test_labels.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/datasets/folder_sample.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using std::string;

std::unique_ptr<Dataset> Open(const DatasetSpec& spec) {
  return folder::FolderEntry().open(spec);
}

class Folder : public ::testing::Test {
 protected:
  std::unique_ptr<Dataset> OpenWith(const OptionMap& options) const {
    return Open(FolderSpec(files_.path(), options));
  }
  LabelMatrix TestLabelsWith(const OptionMap& options) const {
    return FolderTestLabels(FolderSpec(files_.path(), options));
  }
  string ErrorWith(const OptionMap& options) const {
    try {
      TestLabelsWith(options);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  string ErrorOfCsv(std::string_view csv, OptionMap options = {}) const {
    files_.Write("bad.csv", csv);
    options.emplace("labels", string("bad.csv"));
    const string what = ErrorWith(options);
    const string root = files_.path().string() + "/";
    return what.starts_with(root) ? what.substr(root.size()) : what;
  }

  TempFolder files_;
};

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
  EXPECT_EQ(data->label_policy(),
            "annotated=positive,crowd=positive,empty=keep");
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
  const string without = Open(spec)->manifest_sha256();
  spec.cache = cache.path() / "new";
  EXPECT_EQ(Open(spec)->manifest_sha256(), without);
  const fs::path sidecar = fs::directory_iterator(spec.cache)->path();

  // A file whose size and time are unchanged is not read again: its bytes are
  // swapped behind the sidecar's back.
  const fs::path picture = files_.path() / "a/1.png";
  const auto time = fs::last_write_time(picture);
  string bytes = ReadFile(picture);
  bytes.back() = static_cast<char>(~bytes.back());
  WriteFileAtomic(picture, bytes);
  fs::last_write_time(picture, time);
  EXPECT_EQ(Open(spec)->manifest_sha256(), without);
  fs::last_write_time(picture, time + std::chrono::seconds(1));
  EXPECT_NE(Open(spec)->manifest_sha256(), without);

  for (const char* broken : {"{", "[]", R"({"schema":"x","files":{}})",
                             R"({"schema":"tailmark-file-hashes/1"})"}) {
    WriteFileAtomic(sidecar, broken);
    EXPECT_NE(Open(spec)->manifest_sha256(), without) << broken;
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

// ---- What cannot be read

TEST_F(Folder, OptionsThatDoNotFitAreRefused) {
  WriteAnimals(files_);
  EXPECT_EQ(ErrorWith({{"labels", string("labels.csv")},
                       {"test", string("labels.csv")}}),
            "data set 'folder': give either option 'labels' or 'train' and "
            "'test'");
  EXPECT_EQ(ErrorWith({{"train", string("labels.csv")}}),
            "data set 'folder': which images are to be tested? give option "
            "'labels' or 'test'");
  EXPECT_EQ(ErrorWith({{"labels", string("labels.csv")},
                       {"counts", string("builtin:coco-tl")}}),
            "unknown builtin list 'coco-tl'; did you mean 'coco-lt'?");
  EXPECT_THROW(Open(FolderSpec("", {{"labels", string("labels.csv")}})),
               ConfigError);
  EXPECT_THROW(OpenWith({{"labels", string("none.csv")}}), DataError);
}

TEST_F(Folder, ErrorsInACsvNameLineAndColumn) {
  const struct {
    const char* csv;
    const char* says;
  } kCases[] = {
      {"", "bad.csv:1:1: empty; expected a header such as path,labels"},
      {"path,tags\n",
       "bad.csv:1:6: unknown column 'tags'; expected path (or file), labels, "
       "split, sha256"},
      {"path,file,labels\n", "bad.csv:1:6: a second column 'file'"},
      {"path,split\n",
       "bad.csv:1:1: the header must name the columns path and labels"},
      {"path,labels\na.png\n",
       "bad.csv:2:1: a row of 1 fields, expected 2 as in the header"},
      {"path,labels\n\na.png,x,y\n",
       "bad.csv:3:9: a row of 3 fields, expected 2 as in the header"},
      {"path,labels\n,x\n", "bad.csv:2:1: an empty path"},
      {"path,labels\n/a.png,x\n",
       "bad.csv:2:1: path '/a.png' is absolute; expected one below the root"},
      {"path,labels\na/../../b,x\n",
       "bad.csv:2:1: path 'a/../../b' leads out of the root"},
      {"path,labels\n\"a\nb\",x\n",
       "bad.csv:2:1: a control character in a path"},
      {"path,labels\na,x\nb,x\na,y\n",
       "bad.csv:4:1: 'a' is listed already in line 2"},
      {"path,labels,split\na,x,trian\n",
       "bad.csv:2:5: split 'trian'; expected train, test or ignore"},
      {"path,labels,sha256\na,x,12\n",
       "bad.csv:2:5: '12' is no SHA-256: expected 64 digits 0-9a-f"},
      {"path,labels\na,\"x\n", "bad.csv:2:3: this quote is never closed"},
      {"path,labels\na,\"x\"y\n",
       "bad.csv:2:6: expected a comma or the end of the line after the closing "
       "quote"},
      {"path,labels\na,x\"y\n",
       "bad.csv:2:4: a quote inside a field; quote the whole field and double "
       "it"},
      {"path,labels\na,\xFFx\n",
       "bad.csv:2:3: not UTF-8; save the file as UTF-8"},
      {"path,labels,split\na,cat,train\nb,dog|cta,test\n",
       "bad.csv:3:3: unknown class 'dog'; there are: cat; classes that no "
       "training image shows must be in the option 'classes' or 'counts'"},
  };
  for (const auto& each : kCases) {
    EXPECT_TRUE(ErrorOfCsv(each.csv).ends_with(each.says))
        << ErrorOfCsv(each.csv) << "\nexpected " << each.says;
  }
}

TEST_F(Folder, ErrorsInLabelsNameTheColumnOfTheLabel) {
  files_.Write("classes.txt", "cat\ndog\n");
  const OptionMap names = {{"classes", string("classes.txt")}};
  EXPECT_EQ(ErrorOfCsv("path,labels\na,cat|dgo\n", names),
            "bad.csv:2:7: unknown class 'dgo'; did you mean 'dog'?; classes "
            "that no training image shows must be in the option 'classes' or "
            "'counts'");
  OptionMap indices = names;
  indices["labels_are"] = string("indices");
  EXPECT_EQ(ErrorOfCsv("path,labels\na,0|2\n", indices),
            "bad.csv:2:5: '2' is no class index; expected 0..1");
  EXPECT_EQ(ErrorOfCsv("path,labels\na,-1\n", indices),
            "bad.csv:2:3: '-1' is no class index; expected 0..1");
  EXPECT_EQ(ErrorOfCsv("path,labels\na,1x\n", indices),
            "bad.csv:2:3: '1x' is no class index; expected 0..1");
}

TEST_F(Folder, ErrorsInClassListsNameLineAndColumn) {
  files_.Write("labels.csv", "path,labels\na,cat\n");
  const auto error = [&](const string& option, std::string_view text) {
    files_.Write("list", text);
    return ErrorWith(
        {{"labels", string("labels.csv")}, {option, string("list")}});
  };
  EXPECT_TRUE(error("classes", "cat\ncat\n")
                  .ends_with("list:2:1: class 'cat' is there twice"));
  EXPECT_TRUE(error("classes", "cat\ndog,elk\n")
                  .ends_with("list:2:5: expected one class name a line; quote "
                             "a name that has a comma"));
  EXPECT_TRUE(error("counts", "name,count\n")
                  .ends_with("list:1:1: expected the header class,count"));
  EXPECT_TRUE(error("counts", "class,count\ncat,many\n")
                  .ends_with("list:2:5: 'many' is no count; expected a whole "
                             "number of at least 0"));
  EXPECT_TRUE(error("counts", "class,count\ncat,-1\n")
                  .ends_with("list:2:5: '-1' is no count; expected a whole "
                             "number of at least 0"));
}

TEST_F(Folder, CountsMustNameTheClassesOfTheClassList) {
  files_.Write("labels.csv", "path,labels\na,cat\n");
  files_.Write("classes.txt", "cat\ndog\n");
  OptionMap options = {{"labels", string("labels.csv")},
                       {"classes", string("classes.txt")},
                       {"counts", string("counts.csv")}};
  files_.Write("counts.csv", "class,count\ncat,1\n");
  EXPECT_EQ(ErrorWith(options), "counts.csv: 1 classes, expected 2");
  files_.Write("counts.csv", "class,count\ncat,1\nelk,2\n");
  EXPECT_EQ(ErrorWith(options), "counts.csv: no count of class 'dog'");
}

TEST_F(Folder, ADataSetWithoutClassesOrTestImagesIsRefused) {
  EXPECT_EQ(ErrorOfCsv("path,labels\na,cat\n"),
            "bad.csv: no class: no training image has a label; without "
            "training images give option 'classes' or 'counts'");
  EXPECT_EQ(ErrorOfCsv("path,labels,split\na,cat,train\n"),
            "bad.csv: no test image");
  EXPECT_EQ(ErrorOfCsv("path,labels\na,cat\n", {{"prefix", string("x/")}}),
            "bad.csv: no test image whose path starts with 'x/'");
}

TEST_F(Folder, AnImageInBothSplitsIsRefused) {
  files_.Write("train.csv", "path,labels\na.png,x\n");
  files_.Write("test.csv", "path,labels\nb.png,x\na.png,x\n");
  const string what =
      ErrorWith({{"train", string("train.csv")}, {"test", string("test.csv")}});
  EXPECT_NE(what.find("test.csv:3:1: 'a.png' is already in "), what.npos)
      << what;
}

TEST_F(Folder, ErrorsInJsonNameTheMember) {
  const struct {
    const char* json;
    const char* says;
  } kCases[] = {
      {"{\"images\": [],\n}", "bad.json:2:1: not JSON: a comma must not"},
      {"{}", "no array 'categories'; expected images, annotations and"},
      {R"({"images":[],"annotations":[],"categories":[3]})",
       "bad.json: categories[0]: expected an object"},
      {R"({"images":[{"id":"a","file_name":"x"}],"annotations":[],
           "categories":[]})",
       "bad.json: images[0].id: must be a whole number"},
      {R"({"images":[{"id":1,"file_name":"/x"}],"annotations":[],
           "categories":[]})",
       "bad.json: images[0].file_name: path '/x' is absolute"},
      {R"({"images":[{"id":1,"file_name":"x"},{"id":1,"file_name":"y"}],
           "annotations":[],"categories":[]})",
       "bad.json: images[1].id: is there twice"},
      {R"({"images":[{"id":1,"file_name":"x","split":"dev"}],
           "annotations":[],"categories":[]})",
       "bad.json: images[0].split: 'dev'; expected train, test or ignore"},
      {R"({"images":[],"annotations":[{"image_id":1,"category_id":1}],
           "categories":[]})",
       "bad.json: annotations[0].image_id: names no image"},
      {R"({"images":[{"id":1,"file_name":"x"}],
           "annotations":[{"image_id":1,"category_id":1}],"categories":[]})",
       "bad.json: annotations[0].category_id: names no category"},
      {R"({"images":[{"id":1e999,"file_name":"x"}]})", "bad.json: not JSON"},
  };
  for (const auto& each : kCases) {
    files_.Write("bad.json", each.json);
    const string what = ErrorWith({{"labels", string("bad.json")}});
    EXPECT_NE(what.find(each.says), what.npos)
        << what << "\nexpected " << each.says;
  }
}

TEST_F(Folder, AListThatAsksForAHugeMatrixIsRefused) {
  string csv = "path,labels\n";
  string classes;
  for (int i = 0; i < 50000; ++i) {
    csv += "p" + std::to_string(i) + ",\n";
    classes += "c" + std::to_string(i) + "\n";
  }
  files_.Write("labels.csv", csv);
  files_.Write("classes.txt", classes);
  EXPECT_EQ(ErrorWith({{"labels", string("labels.csv")},
                       {"classes", string("classes.txt")}}),
            "50000 images of 50000 classes: more than 2147483648 labels");
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
  const auto data = Open(spec);
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
