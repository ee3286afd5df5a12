#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>

#include "harness/base/error.h"
#include "harness/run/contract/subject.h"

namespace tailmark::contract {
namespace {

constexpr const char* kChance =
    "draw only from seeds of the harness (DeriveSeed, Method.seed, "
    "host->seed), never from a global generator or the clock";

void SameSeed(Subject& subject) {
  Require(subject.Trained().equal(subject.Trained()),
          StrCat("two fits with the same seed give other scores; ", kChance));
}

void OtherSeed(Subject& subject) {
  const bool same = subject.Trained(7).equal(subject.Trained(8));
  const bool stochastic = subject.info().abilities.stochastic;
  Require(same != stochastic,
          stochastic
              ? "it says it is stochastic, and another seed changes nothing; "
                "declare stochastic false, or use the seed"
              : StrCat("it says it is not stochastic, and another seed gives "
                       "other scores; declare it, or ",
                       kChance));
}

void SaveAndLoad(Subject& subject) {
  const auto method = subject.Fitted();
  MemoryState state;
  method->Save(state);
  const auto copy = subject.MakeSmall();
  copy->Load(state);
  Require(subject.Scores(*copy).equal(subject.Scores(*method)),
          "saved and loaded into a fresh object it gives other scores; "
          "something that Predict() uses is not saved");
}

void StopAndResume(Subject& subject) {
  const auto whole = subject.Trained();
  for (const std::int64_t epochs : {1, 2, 7}) {
    const auto first = subject.MakeSmall();
    toys::StopAfter some(epochs);
    subject.Fit(*first, some);
    MemoryState state;
    first->Save(state);
    const auto second = subject.MakeSmall();
    second->Load(state);
    toys::StopAfter never;
    subject.Fit(*second, never);
    Require(subject.Scores(*second).equal(whole),
            StrCat("stopped after ", epochs,
                   " epochs, saved, loaded and continued it gives other scores "
                   "than in one go; save optimiser state and step counters "
                   "too, and go on with the epoch that comes next"));
  }
}

void SavedStateStays(Subject& subject) {
  const auto method = subject.MakeSmall();
  toys::StopAfter one(1);
  subject.Fit(*method, one);
  MemoryState state;
  method->Save(state);
  const auto before = subject.MakeSmall();
  before->Load(state);
  const auto scores = subject.Scores(*before).clone();
  toys::StopAfter never;
  subject.Fit(*method, never);
  const auto after = subject.MakeSmall();
  after->Load(state);
  Require(subject.Scores(*after).equal(scores),
          "going on with the fit changed a state that was saved before");
}

/// Does what selection does: scores and saves after each epoch.
class Looking final : public FitObserver {
 public:
  explicit Looking(std::function<void(const Method&)> look)
      : look_(std::move(look)) {}
  FitSignal OnEpochEnd(const Method& method, const EpochReport&) override {
    look_(method);
    return FitSignal::kContinue;
  }

 private:
  std::function<void(const Method&)> look_;
};

void Looked(Subject& subject) {
  std::vector<MemoryState> states;
  std::vector<at::Tensor> scores;
  Looking looking([&](const Method& method) {
    scores.push_back(subject.Scores(method).clone());
    method.Save(states.emplace_back());
  });
  const auto method = subject.MakeSmall();
  subject.Fit(*method, looking);
  Require(subject.Scores(*method).equal(subject.Trained()),
          "a fit whose epochs are scored and saved on the way ends elsewhere");
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto chosen = subject.MakeSmall();
    chosen->Load(states[i]);
    Require(subject.Scores(*chosen).equal(scores[i]),
            StrCat("the state saved after epoch ", i + 1,
                   " gives other scores than the method gave then"));
  }
}

void Precisions(Subject& subject) {
  const OptionMap options = subject.MakeSmall()->ResolvedOptions();
  for (const std::string& precision : subject.info().abilities.precisions) {
    const auto method = subject.MakeIn(precision, options);
    toys::StopAfter few(2);
    subject.Fit(*method, few);
    const at::Tensor scores = subject.Scores(*method);
    Require(scores.isfinite().all().item<bool>(),
            "scores are not finite in " + precision);
    Require(scores.element_size() >= 4,
            StrCat("scores are ", c10::toString(scores.scalar_type()), " in ",
                   precision, ", which ties what differs; score in float32"));
  }
}

void Epochs(Subject& subject) {
  const auto method = subject.MakeSmall();
  toys::StopAfter never;
  subject.Fit(*method, never);
  Require(
      !never.reports.empty(),
      "it tells of no epoch; call OnEpochEnd, progress() or report(\"epoch\")"
      " at the end of each, once for a fit without epochs");
  std::int64_t epoch = 0;
  for (const EpochReport& report : never.reports) {
    Require(
        report.epoch == ++epoch && report.epochs == never.reports.back().epoch,
        StrCat("its ", epoch, ". report says epoch ", report.epoch, " of ",
               report.epochs, ", and there were ", never.reports.size(),
               "; count from 1"));
  }
}

void Stops(Subject& subject) {
  const auto method = subject.MakeSmall();
  toys::StopAfter one(1);
  subject.Fit(*method, one);
  Require(one.reports.size() == 1,
          StrCat("asked to stop after the first epoch it went on for ",
                 one.reports.size() - 1, " more"));
}

void UnknownLabels(Subject& subject) {
  OnlyIf(subject.info().abilities.partial_labels,
         "it does not claim partial_labels");
  auto& rows = subject.data().rows;
  rows.known = at::arange(rows.labels.numel(), at::kLong)
                   .remainder(3)
                   .ne(0)
                   .view(rows.labels.sizes());
  const auto truth = rows.labels;
  at::Tensor expected;
  for (const int poison : {0, 1, 255}) {
    rows.labels = truth.masked_fill(rows.known.logical_not(), poison);
    const auto scores = subject.Trained().clone();
    if (!expected.defined()) expected = scores;
    Require(scores.equal(expected),
            StrCat("with ", poison,
                   " in place of labels that are not known the scores are "
                   "others; mask them out, or declare partial_labels false"));
  }
}

void HidingMatters(Subject& subject) {
  OnlyIf(subject.info().abilities.partial_labels &&
             subject.info().abilities.trains,
         "it does not learn from partial labels");
  const auto complete = subject.Trained();
  auto& rows = subject.data().rows;
  rows.known = at::zeros_like(rows.labels, at::kBool);
  rows.known.narrow(0, 0, 40).fill_(true);
  Require(!subject.Trained().equal(complete),
          "hiding most labels changes nothing: `known` is not looked at");
}

void EncoderStays(Subject& subject) {
  OnlyIf(!subject.info().abilities.trains_encoder,
         "it says that it trains the encoder");
  const auto before = subject.encoder().Bytes();
  subject.Trained();
  Require(subject.encoder().Bytes().equal(before),
          "the encoder's parameters are others after the fit; train a copy, "
          "Encoder::Copy()");
}

void Switches(Subject& subject) {
  const auto generator = at::detail::getDefaultCPUGenerator();
  const auto chance = generator.get_state();
  for (const bool gradients : {true, false}) {
    const at::AutoGradMode mode(gradients);
    subject.Trained();
    Require(at::GradMode::is_enabled() == gradients,
            "it leaves gradients switched on or off; use a guard");
  }
  Require(generator.get_state().equal(chance),
          StrCat("it draws from LibTorch's global generator; ", kChance));
  Require(!at::globalContext().deterministicAlgorithms(),
          "it switches deterministic algorithms on for everybody");
  Require(c10::get_default_dtype() == caffe2::TypeMeta::Make<float>(),
          "it changes the default type of tensors for everybody");
}

}  // namespace

std::vector<Check> ChecksOfFits() {
  return {
      {"TellsTheObserverOfEveryEpochWithItsNumber",
       "progress, from epoch 1, each once", Epochs},
      {"StopsWhenItIsAskedTo",
       "it returns after the epoch in which it is "
       "asked to stop",
       Stops},
      {"SameSeedSameBits", "same seed, same scores, bit for bit", SameSeed},
      {"AnotherSeedGivesOtherScoresIfItSaysSo",
       "`stochastic` says whether the seed matters", OtherSeed},
      {"SaveThenLoadKeepsEveryBit", "a saved method is the same method",
       SaveAndLoad},
      {"StopAndResumeEqualsNeverStopped",
       "a fit that was interrupted ends where it would have", StopAndResume},
      {"ASavedStateIsNotChangedByGoingOn", "a checkpoint stays as it is",
       SavedStateStays},
      {"LookingAfterEachEpochChangesNothingAndAnyMayBeChosen",
       "epochs can be scored on the way and any of them chosen", Looked},
      {"ComputesInEveryPrecisionItSays",
       "each of `precisions` works, with scores of float32 or finer",
       Precisions},
      {"UnknownLabelsAreNeverLookedAt",
       "the value of a label that is not known does not matter", UnknownLabels},
      {"HidingLabelsIsNotTheSameAsKnowingThem", "`known` is looked at",
       HidingMatters},
      {"LeavesTheEncoderAsItWas", "the shared encoder is not changed",
       EncoderStays},
      {"LeavesChanceAndSwitchesAsItFoundThem",
       "global generator, gradient mode, default type stay", Switches},
  };
}

}  // namespace tailmark::contract
