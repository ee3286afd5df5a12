#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>

#include "harness/run/contract/subject.h"

namespace tailmark::contract {
namespace {

void Finite(Subject& subject) { subject.RequireScores(); }

void OneClass(Subject& subject) {
  subject.Show(40, 1);
  subject.RequireScores();
}

void OneImage(Subject& subject) {
  subject.Show(1, 3);
  subject.RequireScores();
}

void NeverAndAlways(Subject& subject) {
  subject.data().rows.labels.select(1, 0).zero_();
  subject.data().rows.labels.select(1, 1).fill_(1);
  subject.RequireScores();
}

void NothingShown(Subject& subject) {
  const at::Tensor& labels = subject.data().rows.labels;
  labels.narrow(0, 0, std::min<std::int64_t>(30, labels.size(0) / 2)).zero_();
  subject.RequireScores();
}

void NothingKnown(Subject& subject) {
  OnlyIf(subject.info().abilities.partial_labels,
         "it does not claim partial_labels");
  auto& rows = subject.data().rows;
  rows.known = at::zeros_like(rows.labels, at::kBool);
  subject.RequireScores();
}

void Neighbours(Subject& subject) {
  OnlyIf(subject.info().abilities.batch_invariant,
         "it does not claim batch_invariant");
  const auto method = subject.Fitted();
  const auto together = subject.Scores(*method).clone();
  const auto alone = method->Predict(subject.Of(at::full({1}, 5, at::kLong)));
  // Not bit by bit: BLAS takes another kernel for one row.
  Require(alone[0].allclose(together[5], /*rtol=*/1e-5, /*atol=*/1e-6),
          "an image scored alone gets other scores than among others; if that "
          "is meant, declare batch_invariant false");
}

void Order(Subject& subject) {
  const auto method = subject.Fitted();
  const auto order = at::randperm(subject.data().pixels.size(0),
                                  at::detail::createCPUGenerator(3),
                                  at::TensorOptions(at::kLong));
  const auto scores = subject.Scores(*method).clone();
  const auto shuffled = method->Predict(subject.Of(order));
  Require(shuffled.allclose(scores.index_select(0, order), 1e-5, 1e-6),
          "images in another order get scores in another order than theirs");
}

void Twice(Subject& subject) {
  const auto method = subject.Fitted();
  const auto first = subject.Scores(*method).clone();
  Require(subject.Scores(*method).equal(first),
          "Predict() twice gives two answers; it must not change the method "
          "nor draw anything");
}

void Learns(Subject& subject) {
  OnlyIf(subject.info().abilities.trains &&
             subject.info().input != InputKind::kNone,
         "it learns nothing from images");
  OnlyIf(!subject.help().says_what_text_says,
         "it says no more than its text tower, which knows nothing of these "
         "data");
  subject.Show(600, 3);
  // The toy's weights are of size 1: what fine-tunes a real tower does not
  // move them in a test's time. Nor does a mirrored toy show the same.
  subject.StartPlain();
  const auto method = subject.MakeSmall(subject.help().faster);
  toys::StopAfter never;
  subject.Fit(*method, never);
  const double right =
      toys::RightlyOrdered(subject.Scores(*method), subject.data().rows.labels);
  Require(right > 0.95,
          StrCat("of 600 images whose labels can be read from one feature it "
                 "orders ",
                 right,
                 " of the pairs rightly, expected more than 0.95; are "
                 "scores and classes in the same order, higher meaning "
                 "more likely?"));
}

}  // namespace

std::vector<Check> ChecksOfScores() {
  return {
      {"ScoresEveryImageAndClassWithAFiniteNumber",
       "scores [images, classes], floating, no NaN, no infinity", Finite},
      {"WorksWithOneClass", "a problem of one class", OneClass},
      {"WorksWithOneImage", "one training image", OneImage},
      {"WorksWithClassesThatAreNeverOrAlwaysThere",
       "a class in none and one in all of the training images", NeverAndAlways},
      {"WorksWithImagesThatShowNothing", "training images without a class",
       NothingShown},
      {"WorksWhenNoLabelIsKnown",
       "training images none of whose labels is "
       "known",
       NothingKnown},
      {"ARowDoesNotDependOnItsNeighbours",
       "an image's scores ignore the rest of its batch", Neighbours},
      {"TheOrderOfRowsIsTheOrderOfScores",
       "row i of the scores is image i of the batch", Order},
      {"PredictingTwiceChangesNothing", "Predict() leaves the method alone",
       Twice},
      {"LearnsWhatCanBeReadFromItsInput",
       "it learns labels that stand in its input", Learns},
  };
}

}  // namespace tailmark::contract
