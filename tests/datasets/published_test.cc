// coco-lt and voc-lt: what their committed lists say, and what the reader of
// lists makes of broken ones.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <map>
#include <sstream>

#include "datasets/builtin.h"
#include "datasets/folder/csv.h"
#include "datasets/lists/list_files.h"
#include "datasets/summary.h"
#include "datasets/test_labels.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/datasets/folder_sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using std::string;

DatasetSummary SummaryOf(const DatasetSpec& spec) {
  const LabelMatrix test = BuiltinTestLabels().Load(spec);
  return Summarise(*OpenBuiltin(spec), &test);
}

TEST(CocoLt, HasTheCountsOfThePaper) {
  const auto summary = SummaryOf(BuiltinSpec("coco-lt"));
  EXPECT_EQ(summary.train.images, 1909);
  EXPECT_EQ(summary.train.without_label, 0);
  ASSERT_TRUE(summary.test.has_value());
  EXPECT_EQ(summary.test->images, 5000);
  EXPECT_EQ(summary.test->without_label, 48);
  EXPECT_EQ(summary.classes.size(), 80u);
  EXPECT_EQ(summary.ClassesIn(Group::kHead), 22);
  EXPECT_EQ(summary.ClassesIn(Group::kMedium), 33);
  EXPECT_EQ(summary.ClassesIn(Group::kTail), 25);
  EXPECT_NEAR(summary.train.labels_per_image(), 4.356, 5e-4);
  for (std::size_t c = 0; c < summary.classes.size(); ++c) {
    EXPECT_EQ(summary.classes[c].train_positives, summary.train.positives[c]);
  }
}

TEST(VocLt, HasTheCountsOfThePaper) {
  const auto summary = SummaryOf(BuiltinSpec("voc-lt"));
  EXPECT_EQ(summary.train.images, 1142);
  ASSERT_TRUE(summary.test.has_value());
  EXPECT_EQ(summary.test->images, 4952);
  EXPECT_EQ(summary.test->without_label, 0);
  EXPECT_EQ(summary.classes.size(), 20u);
  EXPECT_EQ(summary.ClassesIn(Group::kHead), 6);
  EXPECT_EQ(summary.ClassesIn(Group::kMedium), 6);
  EXPECT_EQ(summary.ClassesIn(Group::kTail), 8);
  EXPECT_NEAR(summary.train.labels_per_image(), 2.054, 5e-4);
}

TEST(VocLt, MarksTheDifficultTestLabels) {
  const LabelMatrix labels = BuiltinTestLabels().Load(BuiltinSpec("voc-lt"));
  std::map<std::int64_t, int> difficult;
  int all = 0;
  for (std::int64_t row = 0; row < labels.rows; ++row) {
    for (std::int64_t c = 0; c < labels.classes; ++c) {
      if (labels.Known(row, c)) continue;
      EXPECT_TRUE(labels.Positive(row, c));
      ++difficult[c];
      ++all;
    }
  }
  EXPECT_EQ(all, 619);
  EXPECT_EQ(difficult[8], 128);   // chair
  EXPECT_EQ(difficult[17], 132);  // sofa
  EXPECT_EQ(difficult[14], 90);   // person
}

TEST(CocoLt, DropsUnlabelledTestImagesWhenAsked) {
  const auto spec = BuiltinSpec("coco-lt", {{"empty", string("drop")}});
  const auto data = OpenBuiltin(spec);
  const auto keep = OpenBuiltin(BuiltinSpec("coco-lt"));
  EXPECT_EQ(data->test().size(), 4952);
  EXPECT_EQ(data->label_policy(), "difficult=positive,empty=drop");
  EXPECT_EQ(keep->label_policy(), "difficult=positive,empty=keep");
  const LabelMatrix labels = BuiltinTestLabels().Load(spec);
  const LabelMatrix all = BuiltinTestLabels().Load(BuiltinSpec("coco-lt"));
  ASSERT_EQ(labels.rows, 4952);
  // Each image keeps the labels that it has among all.
  std::map<string, std::int64_t> row_of;
  for (std::int64_t row = 0; row < keep->test().size(); ++row) {
    row_of[keep->test().ids[static_cast<std::size_t>(row)]] = row;
  }
  for (std::int64_t row = 0; row < labels.rows; ++row) {
    const auto at = row_of.at(data->test().ids[static_cast<std::size_t>(row)]);
    ASSERT_TRUE(std::equal(labels.positive.begin() + row * 80,
                           labels.positive.begin() + (row + 1) * 80,
                           all.positive.begin() + at * 80))
        << row;
  }
}

TEST(CocoLt, OpensWithoutItsImagesAndSaysWhichAreMissing) {
  const TempFolder root;
  root.WritePicture("val2017/000000397133.jpg", 7);
  const auto data = OpenBuiltin(BuiltinSpec("coco-lt", {}, root.path()));
  EXPECT_EQ(data->MissingFiles().size(), 6908u);
  EXPECT_EQ(data->MissingFiles().front(), data->train().ids.front());
  try {
    data->manifest_sha256();
    FAIL() << "no error";
  } catch (const DataError& error) {
    const string what = error.what();
    EXPECT_NE(what.find("6908 of 6909 images are not below"), what.npos)
        << what;
    EXPECT_NE(what.find("tailmark data fetch coco-lt --root"), what.npos)
        << what;
  }
}

// ---- Equality with the published lists, where they are

using Rows = std::vector<std::pair<string, string>>;

Rows RowsOf(const Split& split, const LabelMatrix& labels) {
  Rows rows;
  for (std::int64_t row = 0; row < split.size(); ++row) {
    string text;
    for (std::int64_t c = 0; c < labels.classes; ++c) {
      if (!labels.Positive(row, c)) continue;
      text += StrCat(text.empty() ? "" : " ", c);
    }
    rows.emplace_back(split.ids[static_cast<std::size_t>(row)], text);
  }
  return rows;
}

Rows RowsOfCsv(const fs::path& file) {
  const string text = ReadFile(file);
  folder::CsvReader csv(text, file.string());
  folder::CsvRow row;
  Rows rows;
  csv.Next(row);
  while (csv.Next(row)) rows.emplace_back(row[0].text, row[1].text);
  return rows;
}

class PublishedLists : public ::testing::TestWithParam<const char*> {};

TEST_P(PublishedLists, AreEqualToTheirSource) {
  const char* data_root = std::getenv("TAILMARK_REFERENCE_DATA");
  if (data_root == nullptr) GTEST_SKIP() << "TAILMARK_REFERENCE_DATA is unset";
  const fs::path source = fs::path(data_root) / "splits" / GetParam();
  if (!fs::exists(source)) GTEST_SKIP() << source << " is absent";
  const auto spec = BuiltinSpec(GetParam());
  const auto data = OpenBuiltin(spec);
  const LabelMatrix test = BuiltinTestLabels().Load(spec);
  EXPECT_EQ(RowsOf(data->train(), data->train_labels()),
            RowsOfCsv(source / "train.csv"));
  EXPECT_EQ(RowsOf(data->test(), test), RowsOfCsv(source / "test.csv"));
}

INSTANTIATE_TEST_SUITE_P(, PublishedLists,
                         ::testing::Values("coco-lt", "voc-lt"),
                         [](const auto& each) {
                           return string(each.param).substr(0, 4) == "coco"
                                      ? "CocoLt"
                                      : "VocLt";
                         });

// ---- Broken lists

string ErrorOfList(const string& text) {
  const TempFolder files;
  files.Write("list.txt", text);
  try {
    lists::ReadLabelledImages(files.path() / "list.txt", 3);
  } catch (const DataError& error) {
    const string what = error.what();
    return what.substr(what.find("list.txt"));
  }
  return "no error";
}

TEST(ListFiles, ABrokenLineIsNamed) {
  const string head = "# prefix=a/ suffix=.jpg\n";
  EXPECT_EQ(ErrorOfList(head + "x 0 2\ny\n"), "no error");
  EXPECT_EQ(ErrorOfList(head + "x 0\ny 3\n"),
            "list.txt:3: class 3, expected less than 3");
  EXPECT_EQ(ErrorOfList(head + "x 0\nx 1\n"),
            "list.txt:3: a/x.jpg is there twice");
  EXPECT_EQ(ErrorOfList(head + "x 1 1\n"),
            "list.txt:2: class 1 is there twice");
  EXPECT_EQ(ErrorOfList(head + "x -1\n"),
            "list.txt:2: '-1' is no whole number of at least 0");
  EXPECT_EQ(ErrorOfList(head + "\n"), "list.txt:2: no image");
  EXPECT_EQ(ErrorOfList("x 1\n"),
            "list.txt:1: expected '# prefix=FOLDER/ suffix=.jpg'");
  EXPECT_EQ(ErrorOfList(""), "list.txt:0: empty");
}

TEST(ListFiles, AMissingRowIsNoticed) {
  const TempFolder files;
  files.Write("labels.txt", "0\n\n2\n");
  EXPECT_EQ(lists::ReadLabelRows(files.path() / "labels.txt", 3, 3).positive,
            (std::vector<std::uint8_t>{1, 0, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_THROW(lists::ReadLabelRows(files.path() / "labels.txt", 4, 3),
               DataError);
}

}  // namespace
}  // namespace tailmark
