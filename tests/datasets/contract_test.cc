// What every data set promises, whoever wrote it: a new one in
// datasets/builtin.cc is tested here without another line, unless it needs
// files.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "datasets/builtin.h"
#include "datasets/episodes.h"
#include "datasets/test_labels.h"
#include "harness/base/error.h"
#include "tests/datasets/folder_sample.h"

namespace tailmark {
namespace {

DatasetRegistry Builtins() {
  DatasetRegistry registry;
  RegisterBuiltinDatasets(registry);
  return registry;
}

/// A data set twice, and its files.
struct Opened {
  TempFolder files;
  DatasetSpec spec;
  std::unique_ptr<Dataset> data;
  std::unique_ptr<Dataset> again;
};

std::unique_ptr<Opened> Open(const std::string& name) {
  auto opened = std::make_unique<Opened>();
  const auto registry = Builtins();
  const auto& entry = registry.Find(name);
  OptionMap options;
  if (entry.info.fetchable) {
    WriteStandIns(opened->files, entry);
    opened->spec.root = opened->files.path();
  } else if (entry.info.needs_root) {
    EXPECT_EQ(entry.info.name, "folder")
        << "a data set of files: give this test a small sample of it";
    WriteAnimals(opened->files);
    options = {{"labels", std::string("labels.csv")},
               {"classes", std::string("classes.txt")}};
    opened->spec.root = opened->files.path();
  }
  opened->spec.name = entry.info.name;
  opened->spec.options = ResolveOptions(entry.info.options, options);
  opened->data = entry.open(opened->spec);
  opened->again = entry.open(opened->spec);
  return opened;
}

class DatasetContract : public ::testing::TestWithParam<std::string> {
 protected:
  // Each is opened once: one of them makes up 82,783 images.
  static void TearDownTestSuite() { all_.clear(); }
  void SetUp() override {
    auto& opened = all_[GetParam()];
    if (!opened) opened = Open(GetParam());
    spec_ = opened->spec;
    data_ = opened->data.get();
    again_ = opened->again.get();
  }

  static inline std::map<std::string, std::unique_ptr<Opened>> all_;
  DatasetSpec spec_;
  const Dataset* data_ = nullptr;
  const Dataset* again_ = nullptr;
};

TEST_P(DatasetContract, IdsAreUniqueAndInOneSplitOnly) {
  std::set<std::string> seen;
  for (const Split* split : {&data_->train(), &data_->test()}) {
    for (const auto& id : split->ids) {
      EXPECT_TRUE(seen.insert(id).second) << id;
      EXPECT_EQ(id.find('\n'), id.npos);
      EXPECT_FALSE(id.empty());
    }
  }
  EXPECT_FALSE(data_->test().ids.empty());
  EXPECT_EQ(data_->train().role, SplitRole::kTrain);
  EXPECT_EQ(data_->test().role, SplitRole::kTest);
}

void ExpectShape(const LabelMatrix& labels, const Split& split,
                 std::size_t classes) {
  EXPECT_EQ(labels.rows, split.size());
  EXPECT_EQ(labels.classes, static_cast<std::int64_t>(classes));
  const auto cells = static_cast<std::size_t>(labels.rows * labels.classes);
  EXPECT_EQ(labels.positive.size(), cells);
  EXPECT_TRUE(labels.known.empty() || labels.known.size() == cells);
  for (const auto bit : labels.positive) ASSERT_LE(bit, 1);
  for (const auto bit : labels.known) ASSERT_LE(bit, 1);
}

TEST_P(DatasetContract, LabelsHaveARowAnImageAndAColumnAClass) {
  ExpectShape(data_->train_labels(), data_->train(), data_->classes().size());
  ExpectShape(BuiltinTestLabels().Load(spec_), data_->test(),
              data_->classes().size());
}

bool OfFewShot(Group group) {
  return group == Group::kBase || group == Group::kNovel;
}

TEST_P(DatasetContract, GroupsFollowFromTrainingCountsOrFromAFewShotSplit) {
  std::set<std::string> names;
  for (std::size_t c = 0; c < data_->classes().size(); ++c) {
    const ClassInfo& each = data_->classes()[c];
    EXPECT_EQ(OfFewShot(each.group), data_->episodes() != nullptr);
    if (!OfFewShot(each.group)) {
      EXPECT_EQ(each.group, GroupByCount(each.train_positives)) << each.name;
    }
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    std::int64_t counted = 0;
    for (std::int64_t row = 0; row < data_->train().size(); ++row) {
      counted += data_->train_labels().Positive(row, static_cast<int>(c));
    }
    EXPECT_EQ(each.train_positives, counted) << each.name;
  }
}

TEST_P(DatasetContract, CaptionsAreThereForAllTrainingImagesOrForNone) {
  const auto captions = data_->train_captions().size();
  EXPECT_TRUE(captions == 0 || captions == data_->train().ids.size());
}

TEST_P(DatasetContract, OpeningItTwiceGivesTheSame) {
  EXPECT_EQ(IdsHash(data_->train()), IdsHash(again_->train()));
  EXPECT_EQ(ListHash(data_->train(), data_->train_labels()),
            ListHash(again_->train(), again_->train_labels()));
  if (data_->MissingFiles().empty()) {
    EXPECT_EQ(data_->manifest_sha256(), again_->manifest_sha256());
    EXPECT_EQ(data_->manifest_sha256().size(), 64u);
  } else {  // Of thousands of images the sample has a few.
    EXPECT_THROW(data_->manifest_sha256(), DataError);
  }
  EXPECT_EQ(data_->label_policy(), again_->label_policy());
  const auto labels = BuiltinTestLabels();
  EXPECT_EQ(ListHash(data_->test(), labels.Load(spec_)),
            ListHash(again_->test(), labels.Load(spec_)));
}

void ExpectEpisode(const Episode& each, const Episodes& all,
                   const Dataset& data) {
  EXPECT_EQ(each.support.role, SplitRole::kSupport);
  ExpectShape(each.labels, each.support, data.classes().size());
  for (const std::int64_t c : all.novel) {
    std::int64_t positives = 0;
    for (std::int64_t row = 0; row < each.labels.rows; ++row) {
      EXPECT_TRUE(each.labels.Known(row, c));
      positives += each.labels.Positive(row, c);
    }
    EXPECT_GE(positives, all.shots);
    if (all.exact) {
      EXPECT_EQ(positives, all.shots);
    }
  }
  for (const std::int64_t c : all.base) {
    for (std::int64_t row = 0; row < each.labels.rows; ++row) {
      EXPECT_FALSE(each.labels.Known(row, c));
      EXPECT_FALSE(each.labels.Positive(row, c));
    }
  }
}

TEST_P(DatasetContract, EpisodesHaveKOfEachNovelClassAndNoQueryImage) {
  const Episodes* all = data_->episodes();
  if (all == nullptr) {
    EXPECT_TRUE(ColumnsOf(data_->classes(), Group::kNovel).empty());
    return;
  }
  EXPECT_EQ(all->base, ColumnsOf(data_->classes(), Group::kBase));
  EXPECT_EQ(all->novel, ColumnsOf(data_->classes(), Group::kNovel));
  ASSERT_EQ(all->episodes.size(), 10u);
  const std::set<std::string> query(data_->test().ids.begin(),
                                    data_->test().ids.end());
  for (std::size_t i = 0; i < all->episodes.size(); ++i) {
    const Episode& each = all->episodes[i];
    EXPECT_EQ(each.number, static_cast<int>(i) + 1);
    ExpectEpisode(each, *all, *data_);
    std::set<std::string> support;
    for (const std::string& id : each.support.ids) {
      EXPECT_TRUE(support.insert(id).second) << id;
      EXPECT_FALSE(query.contains(id)) << id;
    }
  }
  EXPECT_EQ(EpisodesHash(*all), EpisodesHash(*again_->episodes()));
}

TEST_P(DatasetContract, ImagesAreTheSameFromAnyThreadAndAnySubset) {
  const Split& split = data_->test();
  const std::int64_t n = std::min<std::int64_t>(split.size(), 16);
  std::vector<Image> expected;
  for (std::int64_t row = 0; row < n; ++row) {
    expected.push_back(data_->LoadImage(split, row));
    const Image& image = expected.back();
    ASSERT_GT(image.width, 0);
    ASSERT_EQ(image.rgb.size(),
              static_cast<std::size_t>(image.width) * image.height * 3);
  }
  std::vector<int> differing(4);
  std::vector<std::thread> threads;
  for (int& count : differing) {
    threads.emplace_back([&] {
      for (std::int64_t row = n - 1; row >= 0; --row) {
        const Image image = data_->LoadImage(split, row);
        count += image.rgb != expected[static_cast<std::size_t>(row)].rgb;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const int count : differing) EXPECT_EQ(count, 0);

  const Split last{.name = "last",
                   .role = SplitRole::kTest,
                   .ids = {split.ids[static_cast<std::size_t>(n - 1)]}};
  EXPECT_EQ(again_->LoadImage(last, 0).rgb, expected.back().rgb);
}

TEST_P(DatasetContract, AnImageOfNoSplitIsRefused) {
  const Split stranger{
      .name = "x", .role = SplitRole::kTest, .ids = {"../stranger"}};
  EXPECT_THROW(data_->LoadImage(stranger, 0), DataError);
}

INSTANTIATE_TEST_SUITE_P(Builtin, DatasetContract,
                         ::testing::ValuesIn(Builtins().Names()),
                         [](const auto& each) {
                           std::string name = each.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(DatasetRegistry, AMisspeltNameTellsTheRightOne) {
  const auto registry = Builtins();
  try {
    registry.Find("embeded");
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 "unknown data set 'embeded'; did you mean 'embedded'?");
  }
  EXPECT_THROW(BuiltinTestLabels().Load({.name = "embeded"}), ConfigError);
}

TEST(DatasetRegistry, ANameIsTakenOnce) {
  auto registry = Builtins();
  EXPECT_THROW(RegisterBuiltinDatasets(registry), std::logic_error);
}

TEST(DatasetRegistry, EveryDataSetHasTestLabels) {
  for (const auto& name : Builtins().Names()) {
    try {
      BuiltinTestLabels().Load({.name = name});
    } catch (const ConfigError& error) {
      EXPECT_EQ(std::string_view(error.what()).find("unknown data set"),
                std::string_view::npos)
          << name;
    }
  }
}

TEST(GroupByCount, ChangesAtTwentyAndAHundred) {
  EXPECT_EQ(GroupByCount(0), Group::kTail);
  EXPECT_EQ(GroupByCount(19), Group::kTail);
  EXPECT_EQ(GroupByCount(20), Group::kMedium);
  EXPECT_EQ(GroupByCount(99), Group::kMedium);
  EXPECT_EQ(GroupByCount(100), Group::kHead);
}

TEST(ListHash, SeesIdsLabelsUnknownsAndOrder) {
  const Split split{.name = "s", .role = SplitRole::kTrain, .ids = {"a", "b"}};
  const LabelMatrix labels{
      .rows = 2, .classes = 2, .positive = {1, 0, 0, 1}, .known = {}};
  std::set<std::string> hashes = {ListHash(split, labels)};
  Split renamed = split;
  renamed.ids[1] = "c";
  hashes.insert(ListHash(renamed, labels));
  Split swapped = split;
  std::swap(swapped.ids[0], swapped.ids[1]);
  hashes.insert(ListHash(swapped, labels));
  LabelMatrix flipped = labels;
  flipped.positive[1] = 1;
  hashes.insert(ListHash(split, flipped));
  LabelMatrix unknown = labels;
  unknown.known = {1, 1, 0, 1};
  hashes.insert(ListHash(split, unknown));
  EXPECT_EQ(hashes.size(), 5u);

  LabelMatrix all_known = labels;
  all_known.known = {1, 1, 1, 1};
  EXPECT_EQ(ListHash(split, all_known), ListHash(split, labels));
}

}  // namespace
}  // namespace tailmark
