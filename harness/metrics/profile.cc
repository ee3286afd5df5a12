#include "harness/metrics/profile.h"

#include "harness/base/error.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace {

// Sorts that are not stable give some order of equal scores; which one, only
// that machine knows. The span from worst to best says how much it could be.
constexpr const char* kUnstable =
    "its sort is not stable: of equal scores any order may come out, see the "
    "span from ties=worst to ties=best";

std::vector<Profile> Make() {
  const auto definition = [](const char* id) { return ParseDefinition(id); };
  return {
      {.name = "sklearn",
       .summary = "average_precision_score of scikit-learn 0.19 and later",
       .definition = definition("ap.step/difficult=positive/nopos=zero"),
       .selection = "last",
       .not_imitated = ""},
      {.name = "torchmetrics",
       .summary = "MultilabelAveragePrecision of torchmetrics, macro",
       .definition = definition("ap.step/difficult=positive/nopos=zero"),
       .selection = "last",
       .not_imitated =
           "a batch with a score outside [0, 1] goes through the sigmoid, "
           "batch by batch"},
      {.name = "asl",
       .summary = "mAP() of ASL: rank AP, images without annotations dropped",
       .definition = definition("ap.rank/ties=reverse/eps=1e-08/"
                                "difficult=positive/empty=drop/nopos=zero"),
       .selection = "best_on_test",
       .not_imitated =
           StrCat("the better of the model and its average; ", kUnstable)},
      {.name = "mlgcn",
       .summary = "AveragePrecisionMeter of ML-GCN with 0/1 labels, also CPSD",
       .definition = definition("ap.rank/difficult=positive"),
       .selection = "best_on_test",
       .not_imitated = kUnstable},
      {.name = "mmpretrain",
       .summary = "AveragePrecision of mmpretrain: difficult objects ignored",
       .definition = definition("ap.rank/difficult=ignore/nopos=zero"),
       .selection = "validation",
       .not_imitated = kUnstable},
      {.name = "q2l",
       .summary = "voc_mAP of Query2Label and SSGRL: area under the envelope",
       .definition = definition("ap.voc10/difficult=positive"),
       .selection = "best_on_test",
       .not_imitated = StrCat("scores pass through a text file; ", kUnstable)},
      {.name = "voc2007",
       .summary = "VOCevalcls of the VOC2007 devkit: 11 points",
       .definition = definition("ap.voc07/difficult=ignore"),
       .selection = "last",
       .not_imitated = ""},
      {.name = "voc2012",
       .summary = "VOCevalcls of the VOC2010-2012 devkits: area",
       .definition = definition("ap.voc10/difficult=ignore"),
       .selection = "last",
       .not_imitated = ""},
      {.name = "lmpt-zero-shot",
       .summary = "zero-shot script of LMPT: scikit-learn, unlabelled images "
                  "skipped",
       .definition = definition("ap.step/difficult=positive/empty=drop"),
       .selection = "last",
       .not_imitated = ""},
      {.name = "lmpt",
       .summary = "training scripts of LMPT, CoOp and DB loss: scikit-learn",
       .definition = definition("ap.step/difficult=positive"),
       .selection = "best_on_test",
       .not_imitated = "the learning rate, too, follows the test scores"},
      {.name = "hpdval",
       .summary = "every engine of HP-DVAL and CPRFL: ML-GCN's meter",
       .definition = definition("ap.rank/difficult=positive"),
       .selection = "best_on_test",
       .not_imitated = kUnstable}};
}

}  // namespace

const std::vector<Profile>& KnownProfiles() {
  static const std::vector<Profile> kProfiles = Make();
  return kProfiles;
}

const Profile& FindProfile(std::string_view name) {
  std::vector<std::string> names;
  for (const Profile& profile : KnownProfiles()) {
    if (profile.name == name) return profile;
    names.push_back(profile.name);
  }
  throw ConfigError(UnknownName("profile", name, names));
}

}  // namespace tailmark
