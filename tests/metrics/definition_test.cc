#include "harness/metrics/definition.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "harness/base/error.h"
#include "harness/metrics/definition_json.h"
#include "harness/metrics/profile.h"

namespace tailmark {
namespace {

std::string ErrorOf(std::string_view id) {
  try {
    ParseDefinition(id);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

#define TM_EXPECT_SAYS(text, part) \
  EXPECT_NE(std::string(text).find(part), std::string::npos) << (text)

TEST(Definition, AShortIdIsCompletedByTheDefaultPolicy) {
  const LabelPolicy lt{.difficult = Difficult::kPositive};
  EXPECT_EQ(IdOf(ParseDefinition("ap.step", lt)),
            "ap.step/difficult=positive/empty=keep/nopos=exclude/v1");
  EXPECT_EQ(IdOf(ParseDefinition("ap.step")),
            "ap.step/difficult=ignore/empty=keep/nopos=exclude/v1");
  EXPECT_EQ(IdOf(ParseDefinition("ap.rank/ties=best", lt)),
            "ap.rank/ties=best/difficult=positive/empty=keep/nopos=exclude/v1");
}

TEST(Definition, PartsMayBeLeftOutAndStandInAnyOrder) {
  const auto full =
      "ap.voc10/ties=grouped/difficult=negative/empty=drop/nopos=zero/v1";
  EXPECT_EQ(IdOf(ParseDefinition(full)), full);
  EXPECT_EQ(
      IdOf(ParseDefinition("ap.voc10/v1/nopos=zero/empty=drop/ties=grouped/"
                           "difficult=negative")),
      full);
  EXPECT_EQ(IdOf(ParseDefinition("ap.rank/nopos=zero")),
            "ap.rank/difficult=ignore/empty=keep/nopos=zero/v1");
  EXPECT_EQ(ParseDefinition("ap.rank/ties=input"), ParseDefinition("ap.rank"));
}

TEST(Definition, EveryKnownIdAndEveryPolicyReadsBackAsItself) {
  std::set<std::string> ids;
  for (const DefinitionInfo& info : KnownDefinitions()) {
    for (const Difficult difficult :
         {Difficult::kIgnore, Difficult::kNegative, Difficult::kPositive}) {
      for (const Empty empty : {Empty::kKeep, Empty::kDrop}) {
        for (const NoPositive none :
             {NoPositive::kExclude, NoPositive::kZero}) {
          const auto one = ParseDefinition(info.name, {difficult, empty, none});
          EXPECT_EQ(ParseDefinition(IdOf(one)), one) << IdOf(one);
          EXPECT_TRUE(ids.insert(IdOf(one)).second) << IdOf(one);
          EXPECT_EQ(ParseLabelPolicy(TextOf(one.policy)), one.policy);
        }
      }
    }
    EXPECT_FALSE(info.summary.empty());
    EXPECT_EQ(info.summary.find('\n'), std::string::npos);
  }
  EXPECT_EQ(ids.size(), 12u * 12u);
}

TEST(Definition, AnUnknownOneNamesTheNearest) {
  TM_EXPECT_SAYS(ErrorOf("ap.stpe"),
                 "unknown definition 'ap.stpe'; did you mean 'ap.step'?");
  TM_EXPECT_SAYS(ErrorOf("ap.voc7"), "did you mean 'ap.voc07'?");
  TM_EXPECT_SAYS(ErrorOf("mean"), "there are: ap.step, ap.rank, ap.voc10");
  TM_EXPECT_SAYS(ErrorOf("ap.stpe/empty=keep"), "in 'ap.stpe/empty=keep'");
  TM_EXPECT_SAYS(ErrorOf(""), "unknown definition ''");
}

TEST(Definition, AWrongPartIsNamedWithWhatIsAllowed) {
  TM_EXPECT_SAYS(ErrorOf("ap.rank/ties=bset"),
                 "unknown value of ties 'bset'; did you mean 'best'?");
  TM_EXPECT_SAYS(ErrorOf("ap.step/ties=best"),
                 "ap.step has no ties=best; it has: grouped");
  TM_EXPECT_SAYS(ErrorOf("ap.step/dificult=ignore"),
                 "did you mean 'difficult'?");
  TM_EXPECT_SAYS(ErrorOf("ap.step/difficult=positve"),
                 "did you mean 'positive'?");
  TM_EXPECT_SAYS(ErrorOf("ap.step/empty=keep/empty=drop"), "says empty twice");
  TM_EXPECT_SAYS(ErrorOf("ap.step/v2"), "computes version 1 of ap.step, not 2");
  TM_EXPECT_SAYS(ErrorOf("ap.step/"), "unknown part of a definition ''");
  TM_EXPECT_SAYS(ErrorOf("ap.step/v1/v1"), "says the version twice");
}

TEST(Definition, BinsAndEpsArePartOfTheIdOfTheirFamily) {
  EXPECT_EQ(IdOf(ParseDefinition("ap.binned")),
            "ap.binned/bins=200/difficult=ignore/empty=keep/nopos=exclude/v1");
  EXPECT_EQ(ParseDefinition("ap.binned/bins=50").bins, 50);
  EXPECT_EQ(ShortId(ParseDefinition("ap.rank/ties=reverse/eps=1e-8")),
            "ap.rank/ties=reverse/eps=1e-08");
  for (const char* id :
       {"ap.binned/bins=7", "ap.rank/eps=0.1", "ap.rank/ties=best/eps=3e-5"}) {
    const auto one = ParseDefinition(id);
    EXPECT_EQ(ParseDefinition(IdOf(one)), one) << id;
  }
  TM_EXPECT_SAYS(ErrorOf("ap.binned/bins=1"), "expected a whole number from 2");
  TM_EXPECT_SAYS(ErrorOf("ap.binned/bins=x"), "expected a whole number from 2");
  TM_EXPECT_SAYS(ErrorOf("ap.step/bins=5"), "only ap.binned has");
  TM_EXPECT_SAYS(ErrorOf("ap.step/eps=1e-8"), "only ap.rank has");
  TM_EXPECT_SAYS(ErrorOf("ap.rank/eps=2"), "above 0 and below 1");
}

TEST(Definition, EveryProfileIsNamedAndOneIsSuggestedForAWrongName) {
  std::set<std::string> names;
  for (const Profile& profile : KnownProfiles()) {
    EXPECT_TRUE(names.insert(profile.name).second) << profile.name;
    EXPECT_EQ(ParseDefinition(IdOf(profile.definition)), profile.definition);
    EXPECT_FALSE(profile.summary.empty());
  }
  for (const char* name :
       {"sklearn", "torchmetrics", "asl", "mlgcn", "mmpretrain", "q2l",
        "voc2007", "voc2012", "lmpt-zero-shot", "hpdval"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  EXPECT_EQ(IdOf(FindProfile("asl").definition),
            "ap.rank/ties=reverse/eps=1e-08/difficult=positive/empty=drop/"
            "nopos=zero/v1");
  try {
    FindProfile("hpdavl");
    FAIL();
  } catch (const ConfigError& error) {
    TM_EXPECT_SAYS(error.what(), "did you mean 'hpdval'?");
  }
}

TEST(Definition, ALabelPolicyIsReadAsDataSetsSayIt) {
  EXPECT_EQ(ParseLabelPolicy("difficult=positive,empty=keep"),
            (LabelPolicy{.difficult = Difficult::kPositive}));
  EXPECT_EQ(ParseLabelPolicy("empty=drop"),
            (LabelPolicy{.empty = Empty::kDrop}));
  EXPECT_EQ(ParseLabelPolicy(""), LabelPolicy{});
  EXPECT_THROW(ParseLabelPolicy("empty=dorp"), ConfigError);
  EXPECT_THROW(ParseLabelPolicy("ties=best"), ConfigError);
}

TEST(Definition, TheDefaultsAreStepFourRanksBothVocsTrapezoidAndBins) {
  std::vector<std::string> names;
  for (const Definition& each : DefaultDefinitions({})) {
    names.push_back(ShortId(each));
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{
                "ap.step", "ap.rank", "ap.rank/ties=best", "ap.rank/ties=worst",
                "ap.rank/ties=expected", "ap.voc10", "ap.voc07", "ap.trapezoid",
                "ap.binned/bins=200"}));
}

TEST(Definition, ItsDescriptionHoldsEveryPart) {
  const Json json = ToJson(ParseDefinition("ap.rank/ties=worst/empty=drop"));
  EXPECT_EQ(json.at("id"),
            "ap.rank/ties=worst/difficult=ignore/empty=drop/nopos=exclude/v1");
  EXPECT_EQ(json.at("name"), "ap.rank/ties=worst");
  EXPECT_EQ(json.at("family"), "ap.rank");
  EXPECT_EQ(json.at("ties"), "worst");
  EXPECT_EQ(json.at("empty"), "drop");
  EXPECT_EQ(json.at("version"), 1);
  EXPECT_EQ(json.at("higher_is_better"), true);
  EXPECT_FALSE(json.at("summary").get<std::string>().empty());
}

}  // namespace
}  // namespace tailmark
