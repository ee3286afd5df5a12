#include "harness/base/cost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/error.h"

namespace tailmark {
namespace {

using ::testing::HasSubstr;

const FieldTable kFields = {{.name = "epochs",
                             .type = OptionType::kInt,
                             .default_value = std::int64_t{3},
                             .range = AtLeast(1)},
                            {.name = "loss",
                             .type = OptionType::kString,
                             .default_value = std::string("bce"),
                             .choices = {"bce", "db"}}};

std::string RefusalOf(const Cost& cost) {
  try {
    CheckCost(cost, kFields);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

Cost OneTerm(CostTerm term) { return {.work = {std::move(term)}}; }

TEST(Cost, OfOptionsThatThereAreIsTaken) {
  EXPECT_EQ(RefusalOf({.epochs = {{.option = "epochs",
                                   .when = {{"loss", std::string("db")}}}},
                       .batch = "epochs",
                       .work = {{.unit = CostUnit::kImage,
                                 .times = {"train_images", "epochs"}}},
                       .shared = {{.name = "train", .terms = {{}}}},
                       .memory = {{.times = {"batch"}}}}),
            "");
}

TEST(Cost, OfAnOptionThatThereIsNotIsRefusedWithTheNearest) {
  EXPECT_THAT(RefusalOf(OneTerm({.times = {"epoch"}})),
              HasSubstr("did you mean 'epochs'?"));
  EXPECT_THAT(RefusalOf(OneTerm({.when = {{"los", std::string("db")}}})),
              HasSubstr("did you mean 'loss'?"));
  EXPECT_THAT(RefusalOf({.batch = "batch_size"}), HasSubstr("batch_size"));
  EXPECT_THAT(RefusalOf({.epochs = {{.option = "rounds"}}}),
              HasSubstr("rounds"));
  EXPECT_THAT(RefusalOf({.shared = {{.name = "train",
                                     .terms = {{.times = {"lines"}}}}}}),
              HasSubstr("lines"));
  EXPECT_THAT(RefusalOf({.memory = {{.times = {"width"}}}}),
              HasSubstr("width"));
}

TEST(Cost, IsNotMultipliedByAWordNorLessThanNothing) {
  EXPECT_THAT(RefusalOf(OneTerm({.times = {"loss"}})),
              HasSubstr("'loss', which is no number"));
  EXPECT_THAT(RefusalOf(OneTerm({.unit = CostUnit::kTextToken, .amount = -2})),
              HasSubstr("-2 text token is less than nothing"));
  EXPECT_THAT(RefusalOf(OneTerm({.when = {{"loss", std::string("asl")}}})),
              HasSubstr("asl"));
  EXPECT_THAT(RefusalOf({.shared = {{.terms = {{}}}}}),
              HasSubstr("needs a name"));
}

TEST(Cost, UnitsHaveNamesThatLeadBack) {
  for (const CostUnit unit :
       {CostUnit::kImage, CostUnit::kImageToken, CostUnit::kTextToken,
        CostUnit::kPicture, CostUnit::kImageTower, CostUnit::kTextTower,
        CostUnit::kPlain}) {
    EXPECT_EQ(CostUnitByName(NameOf(unit)), unit);
  }
  EXPECT_THROW(CostUnitByName("images"), ConfigError);
}

}  // namespace
}  // namespace tailmark
