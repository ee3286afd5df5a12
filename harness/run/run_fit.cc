#include <ATen/ATen.h>

#include "harness/base/files.h"
#include "harness/run/run.h"
#include "harness/run/scores.h"

namespace tailmark {

void Run::Fit() {
  method_ = entry_->create(spec_.identity.method_options, ProblemOf(data_));
  const std::int64_t before = watch_->Resume(*method_);
  if (watch_->fitted()) return;
  events_.Phase("fit", 0, "epochs", before);
  FitContext context{.train = *train_,
                     .validation = nullptr,
                     .seed = spec_.seed,
                     .observer = *watch_};
  for (const auto& [role, checkpoint] : inputs_) {
    context.inputs.emplace(role, &checkpoint.state);
  }
  method_->Fit(context);
  watch_->Finish(*method_);
  inputs_.clear();
}

void Run::Predict() {
  ScoreCollector scores(info().name, data_.test.ids,
                        MakeProblem(data_).class_names);
  events_.Phase("predict", data_.test.size(), "images");
  test_->Start(kPredictBatch);
  std::int64_t done = 0;
  const at::NoGradGuard no_graph;
  for (Batch batch; test_->Next(batch);) {
    scores.Add(batch, method_->Predict(batch));
    done += batch.rows.size(0);
    events_.Progress(done);
  }
  record_.scores.push_back(scores.Write(bundle_, "test", method_->scale()));
  std::string ids;
  for (const std::string& id : data_.test.ids) ids += id + "\n";
  WriteFileAtomic(bundle_ / "ids.txt", ids);
}

}  // namespace tailmark
