// coco-fewshot and voc07-fewshot: what their committed lists say, and that they
// are those of the published protocols.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>

#include "datasets/builtin.h"
#include "datasets/coco_fewshot/train2014.h"
#include "datasets/episodes.h"
#include "datasets/lists/list_files.h"
#include "datasets/test_labels.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "tests/datasets/folder_sample.h"
#include "tests/datasets/train2014_sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using Numbers = std::vector<std::int64_t>;

std::int64_t PositivesOf(const LabelMatrix& labels, std::int64_t c) {
  std::int64_t positives = 0;
  for (std::int64_t row = 0; row < labels.rows; ++row) {
    positives += labels.Positive(row, c);
  }
  return positives;
}

const OptionMap kOne = {{"shots", std::int64_t{1}}};
const OptionMap kFive = {{"shots", std::int64_t{5}}};

TEST(Voc07FewShot, HasTheSplitOfThePaper) {
  const auto data = OpenBuiltin(
      BuiltinSpec("voc07-fewshot", {{"base", std::string("with")}}));
  const Episodes& all = *data->episodes();
  EXPECT_EQ(data->classes().size(), 20u);
  EXPECT_EQ(all.novel, (Numbers{7, 11, 15, 16, 17, 19}));
  EXPECT_EQ(all.base.size(), 14u);
  EXPECT_EQ(data->train().size(), 3575);
  EXPECT_EQ(data->test().size(), 926);
  EXPECT_EQ(all.protocol, "voc07/1-shot");
  EXPECT_TRUE(all.exact);

  const auto spec =
      BuiltinSpec("voc07-fewshot", {{"base", std::string("only")}});
  const auto only = OpenBuiltin(spec);
  EXPECT_EQ(only->classes().size(), 14u);
  EXPECT_EQ(only->episodes(), nullptr);
  EXPECT_EQ(only->train().size(), 3575);
  EXPECT_EQ(only->test().size(), 3562);
  const LabelMatrix labels = BuiltinTestLabels().Load(spec);
  EXPECT_EQ(labels.rows, 3562);
  EXPECT_EQ(labels.classes, 14);
}

TEST(Voc07FewShot, SupportsHaveFourToFiveAndTwentyFourToTwentyFiveImages) {
  for (const auto& [options, least, most] :
       {std::tuple{kOne, 4, 5}, std::tuple{kFive, 24, 25}}) {
    const auto data = OpenBuiltin(BuiltinSpec("voc07-fewshot", options));
    ASSERT_EQ(data->episodes()->episodes.size(), 10u);
    for (const Episode& each : data->episodes()->episodes) {
      EXPECT_GE(each.support.size(), least);
      EXPECT_LE(each.support.size(), most);
    }
  }
}

TEST(Voc07FewShot, OtherShotsAreRefused) {
  EXPECT_THROW(
      OpenBuiltin(BuiltinSpec("voc07-fewshot", {{"shots", std::int64_t{3}}})),
      ConfigError);
}

// ---- COCO

class CocoFewShot : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempFolder>();
    WriteStandInTrain2014(*folder_);
  }
  static void TearDownTestSuite() { folder_.reset(); }
  static DatasetSpec Spec(const OptionMap& options) {
    return BuiltinSpec("coco-fewshot", options, folder_->path());
  }

  static inline std::unique_ptr<TempFolder> folder_;
};

TEST_F(CocoFewShot, HasTheSplitOfLaSO) {
  const auto data = OpenBuiltin(Spec(kOne));
  const Episodes& all = *data->episodes();
  EXPECT_EQ(data->classes().size(), 80u);
  EXPECT_EQ(all.base.size(), 64u);
  EXPECT_EQ(all.novel, (Numbers{1, 8, 11, 14, 24, 29, 31, 37, 41, 42, 44, 50,
                                56, 66, 68, 75}));
  EXPECT_EQ(all.protocol, "coco-laso/1-shot/plain");
  EXPECT_FALSE(all.exact);
  EXPECT_EQ(data->test().size(), 15927);
  EXPECT_EQ(data->train().size(), 0);
}

TEST_F(CocoFewShot, PositionsBecomeIdsOfTheUsersFile) {
  const auto data = OpenBuiltin(Spec(kOne));
  const Episode& first = data->episodes()->episodes.front();
  EXPECT_EQ(first.support.ids.front(),
            "train2014/COCO_train2014_000000638619.jpg");  // Position 38619.
  EXPECT_EQ(first.support.size(), 12);
  std::int64_t least = 100;
  for (const auto& [options, low, high] :
       {std::tuple{kOne, 12, 16}, std::tuple{kFive, 56, 64}}) {
    const auto shots = OpenBuiltin(Spec(options));
    for (const Episode& each : shots->episodes()->episodes) {
      EXPECT_GE(each.support.size(), low);
      EXPECT_LE(each.support.size(), high);
      for (const std::int64_t c : shots->episodes()->novel) {
        least = std::min(
            least, PositivesOf(each.labels, c) - shots->episodes()->shots);
      }
    }
  }
  EXPECT_EQ(least, 0);  // At least K, and somewhere no more.
}

TEST_F(CocoFewShot, WithoutTheListItSaysHowToGetIt) {
  const TempFolder empty;
  const auto data = OpenBuiltin(BuiltinSpec("coco-fewshot", {}, empty.path()));
  EXPECT_EQ(data->test().size(), 15927);
  EXPECT_NE(data->MissingFiles().front().find("data fetch coco-fewshot"),
            std::string::npos);
  EXPECT_THROW(data->episodes(), DataError);
  EXPECT_THROW(data->manifest_sha256(), DataError);
}

TEST_F(CocoFewShot, AFileThatIsNotTheOfficialOneIsRefused) {
  const TempFolder other;
  const fs::path file = other.path() / "train2014.txt";
  const auto why = [&](const lists::LabelledImages& images) -> std::string {
    try {
      coco_fewshot::WriteTrain2014(file, images);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  };
  const auto whole = StandInTrain2014();
  EXPECT_EQ(why(whole), "");
  auto changed = whole;
  std::swap(changed.paths[0], changed.paths[1]);
  EXPECT_NE(why(changed).find("image 0: expected train2014/"),
            std::string::npos);
  changed = whole;
  changed.labels.positive[38619 * 80 + 37] = 0;
  EXPECT_NE(why(changed).find("expected novel classes 37, found none"),
            std::string::npos);
  changed = whole;
  changed.paths.pop_back();
  EXPECT_NE(why(changed).find("expected 82783 images"), std::string::npos);
}

TEST_F(CocoFewShot, BaseTrainingImagesHaveABaseClassAndNoNovelLabel) {
  const auto data = OpenBuiltin(Spec({{"base", std::string("with")}}));
  EXPECT_EQ(data->train().size(), 27595);  // Every third of the stand-in.
  EXPECT_EQ(data->classes()[0].train_positives, 27595);
  EXPECT_FALSE(data->train_labels().Known(0, 1));
  const auto spec = Spec({{"base", std::string("only")}});
  EXPECT_EQ(OpenBuiltin(spec)->test().size(), 38819);
  EXPECT_EQ(BuiltinTestLabels().Load(spec).classes, 64);
}

// The sampler again, from the labels: its list is committed because a worker
// has none.
TEST_F(CocoFewShot, LaSOsQueryTakesTheClassSeenLeast) {
  const auto spec = Spec({{"query", std::string("laso")}});
  const auto plain = OpenBuiltin(Spec({}));
  const LabelMatrix labels = BuiltinTestLabels().Load(Spec({}));
  const Numbers novel = plain->episodes()->novel;
  std::vector<Numbers> images(novel.size());
  for (std::size_t n = 0; n < novel.size(); ++n) {
    for (std::int64_t row = 0; row < labels.rows; ++row) {
      if (labels.Positive(row, novel[n])) images[n].push_back(row);
    }
  }
  Numbers seen(novel.size());
  const auto drawn = OpenBuiltin(spec);
  ASSERT_EQ(drawn->test().size(), 40504);
  for (std::size_t draw = 0; draw < drawn->test().ids.size(); ++draw) {
    const auto n = static_cast<std::size_t>(
        std::min_element(seen.begin(), seen.end()) - seen.begin());
    const std::int64_t row = images[n][draw % images[n].size()];
    ASSERT_EQ(drawn->test().ids[draw],
              plain->test().ids[static_cast<std::size_t>(row)])
        << draw;
    for (std::size_t each = 0; each < novel.size(); ++each) {
      seen[each] += labels.Positive(row, novel[each]);
    }
  }
  EXPECT_EQ(BuiltinTestLabels().Load(spec).rows, 40504);
}

// ---- Against the sources, where they are

class FewShotSources : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("TAILMARK_REFERENCE_DATA");
    if (folder == nullptr || !fs::exists(fs::path(folder) / "fewshot")) {
      GTEST_SKIP() << "no fewshot below TAILMARK_REFERENCE_DATA";
    }
    folder_ = fs::path(folder) / "fewshot";
  }
  fs::path folder_;
};

TEST_F(FewShotSources, VocEpisodesAreEqualById) {
  int images = 0;
  for (const std::int64_t shots : {1, 5}) {
    const auto data =
        OpenBuiltin(BuiltinSpec("voc07-fewshot", {{"shots", shots}}));
    for (const Episode& each : data->episodes()->episodes) {
      const fs::path file = folder_ / "voc2007" /
                            StrCat("classification_Train_novel_", shots,
                                   "shot_", each.number, ".csv");
      std::istringstream in(ReadFile(file));
      std::string line;
      std::getline(in, line);
      std::int64_t row = 0;
      for (; std::getline(in, line); ++row) {
        std::istringstream fields(line);
        std::string field;
        std::getline(fields, field, ',');
        const std::string id = std::string(6 - field.size(), '0') + field;
        ASSERT_LT(row, each.support.size());
        EXPECT_EQ(each.support.ids[static_cast<std::size_t>(row)],
                  StrCat("VOCdevkit/VOC2007/JPEGImages/", id, ".jpg"));
        for (const std::int64_t c : data->episodes()->novel) {
          std::getline(fields, field, ',');
          EXPECT_EQ(each.labels.Positive(row, c), std::stoi(field) == 1)
              << id << " " << c;
        }
        ++images;
      }
      EXPECT_EQ(row, each.support.size()) << file;
    }
  }
  EXPECT_EQ(images, 292);
}

TEST_F(FewShotSources, CocoEpisodesAreEqualByPositionAndCount) {
  const Json source = ReadJson(folder_ / "coco_fewshot_laso.json");
  const auto supports = lists::ReadSupports(
      SharedFile("datasets/coco_fewshot") / "support.txt", 80);
  for (const auto& [shots, episodes] : source.at("episodes").items()) {
    for (const Json& episode : episodes) {
      std::map<std::string, std::set<std::int64_t>> stated;
      for (const auto& [c, positions] :
           episode.at("class_to_train2014_index").items()) {
        for (const auto& position : positions) {
          stated[std::to_string(position.get<std::int64_t>())].insert(
              std::stoll(c));
        }
      }
      std::map<std::string, std::set<std::int64_t>> committed;
      std::vector<std::int64_t> order;
      for (const auto& each : supports) {
        if (each.shots != std::stoll(shots) ||
            each.episode != episode.at("episode").get<int>()) {
          continue;
        }
        committed[each.image] = {each.classes.begin(), each.classes.end()};
        order.push_back(std::stoll(each.image));
      }
      EXPECT_EQ(committed, stated) << shots << " " << episode.at("episode");
      EXPECT_EQ(order, episode.at("used_indices_raw_order")
                           .get<std::vector<std::int64_t>>());
    }
  }
}

}  // namespace
}  // namespace tailmark
