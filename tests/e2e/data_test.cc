// `tailmark data`: lists, captions and long-tailed cuts, and what is said of
// files that are wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/datasets/train2014_sample.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
using ::testing::HasSubstr;
using ::testing::StartsWith;

class DataVerbs : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const {
    return (scratch_.path() / name).string();
  }

  ScratchFolder scratch_;
  Program tailmark_{scratch_.path()};
};

TEST_F(DataVerbs, ALongTailCutOutOfAFolderIsReadByTheFolder) {
  std::string csv = "path,labels,split\n";
  for (int i = 0; i < 300; ++i) {
    csv += StrCat("a/", i, ".jpg,",
                  i % 3 == 0   ? "cat"
                  : i % 3 == 1 ? "dog"
                               : "owl",
                  ",train\n");
  }
  csv += "b/0.jpg,cat,test\n";
  WriteFileAtomic(Path("labels.csv"), csv);
  const auto cut = [&](const std::string& out, const std::string& seed) {
    return tailmark_({"data", "make-lt", "folder", "--root", Path("."), "--set",
                      "labels=labels.csv", "--most", "60", "--least", "4",
                      "--seed", seed, "-o", Path(out), "--json"});
  };
  const Said said = cut("lt.csv", "1");
  ASSERT_EQ(said.code, 0) << said.err;
  const Json classes = said.json().at("classes");
  EXPECT_EQ(classes[0].at("drawn"), 60);
  EXPECT_EQ(classes[2].at("drawn"), 4);
  EXPECT_EQ(classes[2].at("available"), 100);
  ASSERT_EQ(cut("again.csv", "1").code, 0);
  ASSERT_EQ(cut("other.csv", "2").code, 0);
  EXPECT_EQ(ReadFile(Path("lt.csv")), ReadFile(Path("again.csv")));
  EXPECT_NE(ReadFile(Path("lt.csv")), ReadFile(Path("other.csv")));

  WriteFileAtomic(Path("test.csv"), "path,labels\nb/1.jpg,cat\n");
  const Said cut_again =
      tailmark_({"data", "make-lt", "folder", "--root", Path("."), "--set",
                 "train=lt.csv", "--set", "test=test.csv", "--least", "4", "-o",
                 Path("same.csv"), "--json"});
  ASSERT_EQ(cut_again.code, 0) << cut_again.err;
  EXPECT_EQ(cut_again.json().at("classes")[0].at("available"), 60);
  EXPECT_EQ(ReadFile(Path("same.csv")), ReadFile(Path("lt.csv")));
}

TEST_F(DataVerbs, ALongTailThatCannotBeIsRefused) {
  const auto why = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"data", "make-lt", "embedded"};
    words.insert(words.end(), more.begin(), more.end());
    const Said said = tailmark_(words);
    EXPECT_EQ(said.code, 2);
    return said.err;
  };
  EXPECT_THAT(why({}), HasSubstr("give -o FILE.csv"));
  EXPECT_THAT(why({"-o", Path("x.csv"), "--power", "6x"}),
              HasSubstr("--power 6x is no number"));
  EXPECT_THAT(why({"-o", Path("x.csv"), "--most", "5", "--least", "9"}),
              HasSubstr("least 9 is outside [1, 5]"));
}

TEST_F(DataVerbs, CaptionsComeFromLabelsOrFromCocosFile) {
  Said said = tailmark_(
      {"data", "captions", "voc-lt", "--root", Path("voc"), "--json"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(said.json().at("captions"), 1142);
  EXPECT_THAT(ReadFile(Path("voc/captions/train.txt")),
              StartsWith("a photo of a bottle, a person and a tvmonitor\n"));

  WriteFileAtomic(Path("captions.json"),
                  R"({"images": [{"id": 1, "file_name": "1.jpg"}],
                      "annotations": [{"image_id": 1, "caption": "x"}]})");
  said = tailmark_({"data", "captions", "coco-lt", "--root", Path("coco"),
                    "--annotations", Path("captions.json")});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("no caption of train2017/000000554625.jpg"));
}

TEST_F(DataVerbs, SupportsOfCocoComeFromTheUsersFile) {
  const std::vector<std::string> dry = {"data",   "fetch",      "coco-fewshot",
                                        "--root", Path("coco"), "--dry-run"};
  Said said = tailmark_(dry);
  EXPECT_EQ(said.code, 4);
  EXPECT_THAT(said.err, HasSubstr("lists/train2014.txt: not there"));
  EXPECT_THAT(said.out, HasSubstr("15927 images"));

  WriteFileAtomic(Path("instances.json"), StandInInstances(StandInTrain2014()));
  std::vector<std::string> with = dry;
  with.insert(with.end(), {"--annotations", Path("instances.json"), "--json"});
  said = tailmark_(with);
  ASSERT_EQ(said.code, 0) << said.err;
  const std::int64_t support = said.json().at("images").get<int>() - 15927;
  EXPECT_GT(support, 120);  // Ten supports of 12 to 16, some images twice.
  EXPECT_LE(support, 160);
  said = tailmark_({"data", "show", "coco-fewshot", "--root", Path("coco")});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("64 base, 16 novel"));

  // Base training is more, and is asked for.
  std::vector<std::string> base = dry;
  base.insert(base.end(), {"--set", "base=with"});
  EXPECT_THAT(tailmark_(base).out, HasSubstr("43"));

  WriteFileAtomic(Path("instances.json"), R"({"images": [
      {"id": 1, "file_name": "1.jpg"}], "annotations": [],
      "categories": [{"id": 1, "name": "x"}]})");
  said = tailmark_(with);
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("expected 82783 images, found 1"));
}

TEST_F(DataVerbs, VerifyNamesPlantedFaults) {
  const Said said = tailmark_(
      {"data", "verify", "voc07-fewshot", "--root", Path("voc"), "--json"});
  EXPECT_EQ(said.code, 2);
  const Json answer = said.json();
  EXPECT_FALSE(answer.at("good").get<bool>());
  EXPECT_EQ(answer.at("problems").size(), answer.at("images"));
  const std::string first =
      answer.at("problems")[0].at("path").get<std::string>();
  MakeFolders((scratch_.path() / "voc" / first).parent_path());
  WriteFileAtomic(Path("voc/" + first), "no picture");
  const Json again = tailmark_({"data", "verify", "voc07-fewshot", "--root",
                                Path("voc"), "--json"})
                         .json();
  EXPECT_EQ(again.at("problems")[0].at("path"), first);
  EXPECT_NE(again.at("problems")[0].at("what"),
            answer.at("problems")[0].at("what"));
}

}  // namespace
}  // namespace tailmark
