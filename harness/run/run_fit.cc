#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <utility>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/log.h"
#include "harness/run/hold_out.h"
#include "harness/run/run.h"
#include "harness/run/run_errors.h"
#include "harness/run/scores.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

/// Scores [B, n] of some columns as [B, classes]; 0 in the others, which
/// nobody asked for. What is of another shape stays for others to refuse.
at::Tensor Widen(const at::Tensor& scores,
                 const std::vector<std::int64_t>& columns,
                 std::int64_t classes) {
  if (columns.empty() || !scores.defined() || scores.dim() != 2 ||
      scores.size(1) != static_cast<std::int64_t>(columns.size())) {
    return scores;
  }
  at::Tensor wide = at::zeros({scores.size(0), classes}, scores.options());
  wide.index_copy_(1, at::tensor(columns, at::kLong).to(scores.device()),
                   scores);
  return wide;
}

/// Scores of the held-out images, as they come.
at::Tensor ScoreAll(const Method& method, TestSource& source) {
  const at::NoGradGuard no_graph;
  std::vector<at::Tensor> parts;
  source.Start(kPredictBatch);
  for (Batch batch; source.Next(batch);) {
    parts.push_back(method.Predict(batch).detach().to(at::kCPU));
  }
  return at::cat(parts);
}

}  // namespace

ScoreFile Run::Score(const Method& method, const Part& part,
                     const std::string& name, bool show) {
  std::vector<std::string> classes;
  for (const ClassInfo& each : data_.dataset->classes()) {
    classes.push_back(each.name);
  }
  const auto count = static_cast<std::int64_t>(classes.size());
  ScoreCollector scores(info().name, data_.test.ids, std::move(classes));
  if (show) events_.Phase("predict", data_.test.size(), "images");
  test_->Start(kPredictBatch);
  std::int64_t done = 0;
  const at::NoGradGuard no_graph;
  for (Batch batch; test_->Next(batch);) {
    scores.Add(batch, Widen(method.Predict(batch), part.columns, count));
    done += batch.rows.size(0);
    if (show) events_.Progress(done);
  }
  return scores.Write(bundle_, name, method.scale());
}

double Run::ValidationMap(const Method& method, const Part& part) {
  const at::Tensor scores = ScoreAll(method, *part.held_images);
  const auto value =
      MeanAveragePrecision(scores, part.held_rows.labels, part.held_rows.known);
  TM_CHECK(value, "HoldOut() leaves a class with a positive");
  return *value;
}

double Run::AskTest(const Method& method, const Part& part,
                    std::int64_t epoch) {
  const ScoreFile scores = Score(method, part, "test.feedback", /*show=*/false);
  const double value = feedback_.Ask(scores, epoch);
  fs::remove(bundle_ / scores.path);
  events_.Say("feedback", {{"epoch", epoch}, {"value", value}});
  return value;
}

void Run::MakeWatch(const Part& part) {
  const RunIdentity& id = spec_.identity;
  FitWatch::Options options{
      .checkpoint = bundle_ / "state.safetensors",
      .key = RunKey(spec_),
      .part = part.name,
      .checkpoint_every_s = options_.checkpoint_every_s,
      .selection = {.rule = id.selection, .every = id.selection_every},
      .curves = record_.curves,
      .scores = record_.scores};
  if (part.held_images) {
    options.selection.validate = [this, &part](const Method& method) {
      return ValidationMap(method, part);
    };
  }
  // The base classes of a few-shot protocol are no query's.
  if (id.selection == "best_on_test" && part.name != "base") {
    options.selection.score = [this, &part](const Method& method,
                                            std::int64_t epoch) {
      std::string name = StrCat("test.epoch-", epoch);
      if (!part.name.empty()) name += StrCat(".", part.name);
      return Score(method, part, name, false);
    };
  }
  if (feedback_.open()) {
    options.feedback = [this, &part](const Method& method, std::int64_t epoch) {
      return AskTest(method, part, epoch);
    };
  }
  watch_ = std::make_unique<FitWatch>(std::move(options), budget_, events_);
}

void Run::FitPart(Part& part) {
  MakeWatch(part);
  method_ = entry_->create(spec_.identity.method_options, part.problem);
  std::int64_t before = 0;
  if (resume_ && PartOf(*resume_) == part.name) {
    before = watch_->Resume(*resume_, *method_);
  }
  resume_.reset();
  if (!watch_->fitted()) {
    events_.Phase(part.name.empty() ? "fit" : StrCat("fit of ", part.name), 0,
                  "epochs", before);
    FitContext context{.train = *part.train,
                       .validation = part.validation.get(),
                       .seed = part.seed,
                       .observer = *watch_};
    for (const auto& [role, checkpoint] : inputs_) {
      context.inputs.emplace(role, &checkpoint.state);
    }
    method_->Fit(context);
    if (const MemoryState* chosen = watch_->selected()) {
      method_ = entry_->create(spec_.identity.method_options, part.problem);
      method_->Load(*chosen);
    }
    watch_->Finish(*method_);
  }
  record_.curves = watch_->curves();
  record_.scores = watch_->scores();
}

void Run::ExecuteWhole() {
  std::unique_ptr<Part> part;
  Phase("fit", [&] {
    part = WholePart();
    FitPart(*part);
    return part->split.size();
  });
  inputs_.clear();
  if (!spec_.identity.scores) return;
  Phase("predict", [&] {
    record_.scores.push_back(Score(*method_, *part, "test", /*show=*/true));
    return data_.test.size();
  });
}

// The base fit's state is kept beside the checkpoint, which goes on to the
// episodes; both are of this key.
void Run::FitBase(const Episodes& episodes) {
  const fs::path kept = bundle_ / "base.safetensors";
  const bool over = resume_ && PartOf(*resume_) != "base";
  auto found =
      over ? FindCheckpoint(kept, RunKey(spec_)) : std::optional<Checkpoint>();
  if (!found) {
    if (over) resume_.reset();
    const auto part = BasePart(episodes);
    FitPart(*part);
    found.emplace();
    found->key = RunKey(spec_);
    method_->Save(found->state);
    found->Write(kept);
  }
  inputs_.emplace("base", *std::move(found));
}

// A run that others start from leaves a state for each episode: what is fitted
// to another support is not theirs.
void Run::KeepEpisode(const std::string& name) const {
  Checkpoint kept;
  kept.key = RunKey(spec_);
  method_->Save(kept.state);
  kept.Write(bundle_ / StrCat(name, ".safetensors"));
}

void Run::ExecuteEpisodes(const Episodes& episodes) {
  Phase("fit", [&] {
    if (StartsFromBase()) FitBase(episodes);
    return data_.train.size();
  });
  Phase("episodes", [&] {
    for (const Episode& episode : episodes.episodes) {
      const std::string name = StrCat("episode-", episode.number);
      // An earlier process was beyond it: its scores are in the checkpoint.
      if (resume_ && PartOf(*resume_).starts_with("episode-") &&
          PartOf(*resume_) != name) {
        continue;
      }
      const auto part = EpisodePart(episodes, episode);
      OpenEpisodeInputs(name);
      FitPart(*part);
      if (spec_.place.keep_state) KeepEpisode(name);
      if (!spec_.identity.scores) continue;
      record_.scores.push_back(
          Score(*method_, *part, StrCat("test.", name), /*show=*/true));
    }
    return static_cast<std::int64_t>(episodes.episodes.size());
  });
  std::error_code none;
  fs::remove(bundle_ / "base.safetensors", none);
  inputs_.clear();
}

}  // namespace tailmark
