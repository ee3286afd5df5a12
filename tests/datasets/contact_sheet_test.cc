#include "datasets/contact_sheet.h"

#include <gtest/gtest.h>

#include <set>

#include "datasets/embedded/embedded.h"
#include "datasets/folder/folder.h"
#include "datasets/font.h"
#include "datasets/summary.h"
#include "datasets/test_labels.h"
#include "harness/base/error.h"
#include "tests/datasets/folder_sample.h"

namespace tailmark {
namespace {

class Animals : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteAnimals(files_);
    spec_ =
        FolderSpec(files_.path(), {{"labels", std::string("labels.csv")},
                                   {"classes", std::string("classes.txt")}});
    data_ = folder::FolderEntry().open(spec_);
  }

  TempFolder files_;
  DatasetSpec spec_;
  std::unique_ptr<Dataset> data_;
};

Image Blank(int width, int height) {
  Image image{.width = width, .height = height};
  image.rgb.assign(static_cast<std::size_t>(width) * height * 3, 255);
  return image;
}

int Inked(const Image& image) {
  int n = 0;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3)
    n += image.rgb[i] != 255;
  return n;
}

// ---- Text

TEST(Font, EveryPrintableCharacterLooksDifferent) {
  std::set<std::vector<std::uint8_t>> seen;
  for (char c = ' '; c <= '~'; ++c) {
    Image image = Blank(6, 10);
    DrawText(image, 0, 0, std::string(1, c), 1, {0, 0, 0});
    EXPECT_EQ(Inked(image) == 0, c == ' ') << c;
    EXPECT_TRUE(seen.insert(image.rgb).second) << c;
  }
  EXPECT_EQ(seen.size(), 95u);
}

TEST(Font, TextOutsideTheImageIsLeftOut) {
  Image image = Blank(8, 8);
  DrawText(image, -3, -2, "WWW", 2, {0, 0, 0});
  EXPECT_GT(Inked(image), 0);
  Image untouched = Blank(8, 8);
  DrawText(untouched, 100, 100, "W", 3, {0, 0, 0});
  DrawText(untouched, -100, -100, "W", 3, {0, 0, 0});
  EXPECT_EQ(Inked(untouched), 0);
}

TEST(Font, ACharacterOfManyBytesIsOneBox) {
  EXPECT_EQ(TextWidth("ab", 1), 11);
  EXPECT_EQ(TextWidth("\xC3\xA4"
                      "b",
                      1),
            11);
  EXPECT_EQ(TextWidth("", 2), 0);
  EXPECT_EQ(FitText("short", 100, 1), "short");
  const std::string fitted = FitText("much too long a name", 60, 1);
  EXPECT_TRUE(fitted.ends_with("..")) << fitted;
  EXPECT_LE(TextWidth(fitted, 1), 60);
  EXPECT_EQ(FitText("\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4", 20, 1), "\xC3\xA4..");
}

// ---- Sheet

TEST_F(Animals, ASheetShowsPicturesUnderTheirClasses) {
  const Image sheet =
      ContactSheet(*data_, data_->train(), data_->train_labels(),
                   {.per_class = 2, .tile = 32, .columns = 3});
  ASSERT_EQ(sheet.rgb.size(),
            static_cast<std::size_t>(sheet.width) * sheet.height * 3);
  // dog: picture 1; cat: pictures 1 and 2; owl: none. 32 x 24 pixels each.
  int ones = 0;
  int twos = 0;
  for (std::size_t i = 0; i < sheet.rgb.size(); i += 3) {
    ones += sheet.rgb[i] == '1' && sheet.rgb[i + 1] == '1';
    twos += sheet.rgb[i] == '2' && sheet.rgb[i + 1] == '2';
  }
  EXPECT_EQ(ones, 2 * 32 * 24);
  EXPECT_EQ(twos, 32 * 24);
}

TEST_F(Animals, ASheetOfTestImagesNeedsTheirLabels) {
  const Image sheet = ContactSheet(
      *data_, data_->test(), BuiltinTestLabels().Load(spec_), {.tile = 32});
  EXPECT_NE(std::find(sheet.rgb.begin(), sheet.rgb.end(), '5'),
            sheet.rgb.end());
}

TEST_F(Animals, OptionsOfASheetAreChecked) {
  for (const ContactSheetOptions& options :
       {ContactSheetOptions{.per_class = 0}, ContactSheetOptions{.tile = 9999},
        ContactSheetOptions{.columns = 17}}) {
    EXPECT_THROW(
        ContactSheet(*data_, data_->train(), data_->train_labels(), options),
        ConfigError);
  }
}

TEST(ContactSheet, OfTheEmbeddedScenesHasAllThreeGroups) {
  const auto data = embedded::EmbeddedEntry().open({.name = "embedded"});
  const Image sheet = ContactSheet(*data, data->train(), data->train_labels());
  // Three headings and 2 rows of 4 classes in each group.
  EXPECT_EQ(sheet.width, 12 + 4 * (3 * (96 + 4) + 12));
  EXPECT_EQ(sheet.height, 12 + 3 * (30 + 2 * (14 + 96 + 4 + 30 + 12)));
}

TEST(FitInto, KeepsTheShapeAndAveragesWhatItShrinks) {
  Image wide = Blank(8, 4);
  for (std::size_t i = 0; i < wide.rgb.size(); ++i) {
    wide.rgb[i] = i / 3 % 2 == 0 ? 0 : 100;
  }
  const Image small = FitInto(wide, 4);
  EXPECT_EQ(small.Row(0)[0], 128);  // beside the picture
  EXPECT_EQ(small.Row(1)[0], 50);
  EXPECT_EQ(small.Row(2)[11], 50);
  const Image large = FitInto(wide, 16);
  EXPECT_EQ(large.Row(8)[0], 0);
  EXPECT_EQ(large.Row(8)[6], 100);
  EXPECT_EQ(FitInto(Blank(1, 1000), 10).rgb.size(), 300u);
}

// ---- Summary

TEST_F(Animals, ASummaryCountsClassesGroupsAndPairs) {
  const auto labels = BuiltinTestLabels().Load(spec_);
  const auto summary = Summarise(*data_, &labels);
  EXPECT_EQ(summary.train.images, 3);
  EXPECT_EQ(summary.train.labels, 3);
  EXPECT_EQ(summary.train.without_label, 1);
  EXPECT_EQ(summary.test->positives, (std::vector<std::int64_t>{1, 0, 1}));
  EXPECT_EQ(summary.ClassesIn(Group::kTail), 3);
  EXPECT_EQ(summary.Together(0, 1), 1);
  EXPECT_EQ(summary.Together(1, 1), 2);
  EXPECT_EQ(summary.Together(2, 0), 0);
  EXPECT_EQ(ToText(summary),
            "train 3 images, 1.00 labels each, 1 without a label\n"
            "test  2 images, 1.00 labels each\n"
            "groups 3 tail\n"
            "\n"
            "class  group   train   test  most often with\n"
            "dog    tail        1      1  cat 1\n"
            "cat    tail        2      0  dog 1\n"
            "owl    tail        0      1\n");
  const Json json = ToJson(summary);
  EXPECT_EQ(
      json["classes"][1],
      (Json{{"name", "cat"}, {"group", "tail"}, {"train", 2}, {"test", 0}}));
  EXPECT_EQ(json["groups"], (Json{{"tail", 3}}));
  EXPECT_EQ(json["together"][0], (Json{1, 1, 0}));
}

TEST_F(Animals, ASummaryWithoutTestLabelsSaysHowManyImagesThereAre) {
  const auto summary = Summarise(*data_);
  EXPECT_FALSE(summary.test);
  EXPECT_EQ(ToJson(summary)["splits"]["test"], (Json{{"images", 2}}));
  EXPECT_EQ(ToText(summary).find("   test  "), std::string::npos);
}

}  // namespace
}  // namespace tailmark
