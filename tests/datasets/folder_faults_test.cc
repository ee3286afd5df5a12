// Bad options and bad files: which message says what and where.
#include <gtest/gtest.h>

#include <string>

#include "harness/base/error.h"
#include "tests/datasets/folder_sample.h"

namespace tailmark {
namespace {

using std::string;

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
  EXPECT_THROW(OpenFolder(FolderSpec("", {{"labels", string("labels.csv")}})),
               ConfigError);
  EXPECT_THROW(OpenWith({{"labels", string("none.csv")}}), DataError);
}

TEST_F(Folder, ErrorsInACsvNameLineAndColumn) {
  const struct {
    const char* csv;
    const char* says;
  } cases[] = {
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
  for (const auto& each : cases) {
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
  } cases[] = {
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
  for (const auto& each : cases) {
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

}  // namespace
}  // namespace tailmark
