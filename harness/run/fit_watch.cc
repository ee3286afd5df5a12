#include "harness/run/fit_watch.h"

#include <cmath>
#include <utility>

#include "harness/base/interrupt.h"
#include "harness/base/log.h"
#include "harness/run/run_errors.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

// How long an epoch may go on after Ctrl-C, so that it can end in a checkpoint.
constexpr double kGraceSeconds = 3.0;

Json ToJson(const std::vector<CurvePoint>& curves) {
  Json out = Json::array();
  for (const CurvePoint& point : curves) {
    out.push_back({point.name, point.step, point.value});
  }
  return out;
}

}  // namespace

std::string Budget::UsedUp() const {
  if (seconds > 0 && since.Seconds() >= seconds) return "time budget";
  if (epochs > 0 && epochs_used >= epochs) return "epoch budget";
  if (steps > 0 && steps_used >= steps) return "step budget";
  return "";
}

std::vector<CurvePoint> CurvesOf(const Checkpoint& checkpoint) {
  std::vector<CurvePoint> out;
  for (const Json& point : checkpoint.run.at("curves")) {
    out.push_back({point.at(0).get<std::string>(),
                   point.at(1).get<std::int64_t>(), point.at(2).get<double>()});
  }
  return out;
}

std::vector<ScoreFile> ScoresOf(const Checkpoint& checkpoint) {
  std::vector<ScoreFile> out;
  for (const Json& file : checkpoint.run.at("scores")) {
    out.push_back(ScoreFileFromJson(file));
  }
  return out;
}

std::string PartOf(const Checkpoint& checkpoint) {
  return checkpoint.run.at("part").get<std::string>();
}

std::optional<Checkpoint> FindCheckpoint(const fs::path& path,
                                         const std::string& key) {
  std::error_code code;
  if (!fs::exists(path, code)) return std::nullopt;
  try {
    Checkpoint found = Checkpoint::Read(path);
    if (found.key == key) return found;
  } catch (const DataError& error) {
    LogWarning(StrCat(error.what(), "; the run starts anew"));
    return std::nullopt;
  }
  LogWarning(
      StrCat(path.string(), " belongs to another run; this one starts anew"));
  return std::nullopt;
}

FitWatch::FitWatch(Options options, Budget& budget, EventLog& events)
    : options_(std::move(options)),
      budget_(budget),
      events_(events),
      selector_(options_.selection),
      last_written_(MonotonicSeconds()) {}

std::int64_t FitWatch::Resume(const Checkpoint& found, Method& method) {
  options_.curves = CurvesOf(found);
  options_.scores = ScoresOf(found);
  epoch_ = found.run.at("epoch").get<std::int64_t>();
  fitted_ = found.run.at("fitted").get<bool>();
  selector_.Load(found);
  method.Load(found.state);
  events_.Say("resume", {{"epoch", epoch_}, {"fitted", fitted_}});
  return epoch_;
}

void FitWatch::AddCurve(const std::string& name, std::int64_t epoch,
                        double value) {
  const std::string prefix = options_.part.empty() ? "" : options_.part + "/";
  options_.curves.push_back({prefix + name, epoch, value});
}

FitSignal FitWatch::OnEpochEnd(const Method& method,
                               const EpochReport& report) {
  std::string note;
  const auto add = [&](const std::string& name, double value) {
    AddCurve(name, report.epoch, value);
    note += StrCat(note.empty() ? "" : ", ", name, " ", value);
  };
  for (const auto& [name, value] : report.curves) {
    if (!std::isfinite(value)) {
      throw RunFailed(StrCat("curve '", name, "' is ", value, " after epoch ",
                             report.epoch, " of ", report.epochs));
    }
    add(name, value);
  }
  if (!planned_) {
    events_.SetTotal(report.epochs);
    planned_ = true;
  }
  epoch_ = report.epoch;
  for (const CurvePoint& seen : selector_.Look(method, epoch_, report.epochs)) {
    add(seen.name, seen.value);
  }
  events_.Progress(report.epoch, note);
  ++budget_.epochs_used;
  const std::string used_up = budget_.UsedUp();
  const bool leaving = InterruptSignal() != 0 || !used_up.empty();
  if (leaving ||
      MonotonicSeconds() - last_written_ >= options_.checkpoint_every_s) {
    WriteCheckpoint(method);
  }
  ThrowIfInterrupted();
  if (!used_up.empty() && report.epoch < report.epochs) {
    throw StoppedEarly(StrCat("stopped after epoch ", report.epoch, " of ",
                              report.epochs, ": the ", used_up,
                              " is used up; run it again to go on from its "
                              "checkpoint"));
  }
  return FitSignal::kContinue;
}

double FitWatch::TestFeedback(const Method& method) {
  if (!options_.feedback) return FitObserver::TestFeedback(method);
  return options_.feedback(method, epoch_ + 1);
}

void FitWatch::Finish(const Method& method) {
  fitted_ = true;
  if (selected() != nullptr) {
    AddCurve("selected", selector_.best_epoch(), 1);
  }
  WriteCheckpoint(method);
}

std::vector<ScoreFile> FitWatch::scores() const {
  std::vector<ScoreFile> out = options_.scores;
  out.insert(out.end(), selector_.scores().begin(), selector_.scores().end());
  return out;
}

void FitWatch::WriteCheckpoint(const Method& method) {
  Checkpoint out{.key = options_.key};
  method.Save(out.state);
  Json scores = Json::array();
  for (const ScoreFile& file : options_.scores) scores.push_back(ToJson(file));
  out.run = {{"part", options_.part},
             {"epoch", epoch_},
             {"fitted", fitted_},
             {"curves", ToJson(options_.curves)},
             {"scores", std::move(scores)}};
  selector_.Save(out);
  // What is fitted is the state that was chosen.
  if (fitted_) out.best.reset();
  out.Write(options_.checkpoint);
  last_written_ = MonotonicSeconds();
  events_.Say("checkpoint", {{"epoch", epoch_}, {"fitted", fitted_}});
}

void FitWatch::Tick() {
  if (InterruptSignal() == 0) return;
  const double now = MonotonicSeconds();
  if (signal_seen_ < 0) signal_seen_ = now;
  if (now - signal_seen_ >= kGraceSeconds) ThrowIfInterrupted();
}

}  // namespace tailmark
