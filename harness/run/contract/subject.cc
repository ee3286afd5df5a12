#include "harness/run/contract/subject.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace tailmark::contract {

OptionMap Subject::Small(const OptionMap& more) const {
  OptionMap options;
  for (const Preset& preset : info().presets) {
    if (preset.name == "embedded") options = preset.options;
  }
  for (const auto& [name, value] : more) options[name] = value;
  for (const FieldInfo& field : fields()) {
    if (plain_start_ && field.name == "head_init" &&
        std::count(field.choices.begin(), field.choices.end(), "zeros") > 0) {
      options["head_init"] = std::string("zeros");
      options["epochs"] = std::int64_t{30};  // Further to go than from texts.
    }
  }
  return options;
}

void Subject::Show(std::int64_t images, std::int64_t classes) {
  if (!help_.classes.empty()) {
    classes = std::min(classes, std::ssize(help_.classes));
  }
  if (help_.input_size == 0) {
    data_ = toys::MakeToyData(images, classes);
    return;
  }
  const bool pictures = info().input == InputKind::kImages;
  // A tower on large pictures takes a second for each.
  data_ = toys::MakeToyData(
      pictures ? std::min<std::int64_t>(images, 12) : images, classes);
  data_.Resize(pictures, help_.input_size);
}

Problem Subject::TheProblem() {
  Problem problem = toys::MakeToyProblem(data_, &encoder_);
  for (std::size_t c = 0; c < help_.classes.size(); ++c) {
    if (c < problem.class_names.size()) {
      problem.class_names[c] = help_.classes[c];
    }
  }
  return problem;
}

std::unique_ptr<Method> Subject::Make(const OptionMap& options) {
  return entry_.create(options, TheProblem());
}

std::unique_ptr<Method> Subject::MakeIn(const std::string& precision,
                                        const OptionMap& options) {
  Problem problem = TheProblem();
  problem.precision = precision;
  return entry_.create(options, std::move(problem));
}

std::unique_ptr<Method> Subject::MakeSmall(const OptionMap& more) {
  return Make(Small(more));
}

at::Tensor Subject::Inputs() const {
  switch (info().input) {
    case InputKind::kImages:
      return data_.pixels;
    case InputKind::kFeatures:
      return data_.features;
    case InputKind::kNone:
      break;
  }
  return {};
}

void Subject::Fit(Method& method, FitObserver& observer, std::uint64_t seed) {
  const at::Tensor inputs = Inputs();
  FeatureViews views{.plain = inputs, .flipped = [this] {
                       const auto mirrored = data_.pixels.flip(3);
                       return info().input == InputKind::kImages
                                  ? mirrored
                                  : encoder_.EncodeImages(mirrored);
                     }};
  const auto source =
      MakeFeatureTrainSource(data_.rows, std::move(views), {.seed = seed});
  FitContext context{*source, nullptr, seed, observer};
  const auto states = StatesNeeded(method.ResolvedOptions(), seed);
  for (const auto& [role, state] : states) context.inputs.emplace(role, &state);
  method.Fit(context);
}

std::map<std::string, MemoryState> Subject::StatesNeeded(
    const OptionMap& options, std::uint64_t seed) {
  std::map<std::string, MemoryState> states;
  for (const NeededRun& needed :
       NeededRuns(info().depends, fields(), options)) {
    const auto method = Make(needed.options);
    toys::StopAfter never;
    Fit(*method, never, seed);
    method->Save(states[needed.role]);
  }
  return states;
}

std::unique_ptr<Method> Subject::Fitted(std::uint64_t seed) {
  auto method = MakeSmall();
  toys::StopAfter never;
  Fit(*method, never, seed);
  return method;
}

Batch Subject::Of(const at::Tensor& rows) const {
  Batch batch;
  batch.rows = rows;
  if (Inputs().defined()) batch.inputs = Inputs().index_select(0, rows);
  return batch;
}

at::Tensor Subject::Scores(const Method& method) const {
  return method.Predict(Of(at::arange(data_.pixels.size(0), at::kLong)));
}

void Subject::RequireScores() {
  const auto scores = Trained();
  const auto wanted = data_.rows.labels.sizes();
  Require(scores.defined() && scores.sizes() == wanted,
          StrCat("Predict() gave ",
                 scores.defined() ? StrCat("scores of shape ", scores.sizes())
                                  : "nothing",
                 ", expected ", wanted, ": images of the batch, classes"));
  Require(at::isFloatingType(scores.scalar_type()),
          StrCat("the scores are of type ", c10::toString(scores.scalar_type()),
                 ", expected float32 or another floating type"));
  const auto bad = scores.isfinite().logical_not().nonzero();
  Require(bad.size(0) == 0,
          bad.size(0) == 0
              ? ""
              : StrCat("the score of row ", bad[0][0].item<std::int64_t>(),
                       ", class ", bad[0][1].item<std::int64_t>(),
                       " is no finite number; a division by a count of 0, a "
                       "logarithm of 0?"));
}

}  // namespace tailmark::contract
