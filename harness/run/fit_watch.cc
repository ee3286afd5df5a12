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

std::vector<CurvePoint> CurvesFromJson(const Json& json) {
  std::vector<CurvePoint> out;
  for (const Json& point : json) {
    out.push_back({point.at(0).get<std::string>(),
                   point.at(1).get<std::int64_t>(), point.at(2).get<double>()});
  }
  return out;
}

}  // namespace

FitWatch::FitWatch(Options options, EventLog& events)
    : options_(std::move(options)),
      events_(events),
      last_written_(MonotonicSeconds()) {}

std::int64_t FitWatch::Resume(Method& method) {
  std::error_code code;
  if (!fs::exists(options_.checkpoint, code)) return 0;
  Checkpoint found;
  try {
    found = Checkpoint::Read(options_.checkpoint);
  } catch (const DataError& error) {
    LogWarning(StrCat(error.what(), "; the run starts anew"));
    return 0;
  }
  if (found.key != options_.key) {
    LogWarning(StrCat(options_.checkpoint.string(),
                      " belongs to another run; this one starts anew"));
    return 0;
  }
  curves_ = CurvesFromJson(found.run.at("curves"));
  epoch_ = found.run.at("epoch").get<std::int64_t>();
  fitted_ = found.run.at("fitted").get<bool>();
  method.Load(found.state);
  events_.Say("resume", {{"epoch", epoch_}, {"fitted", fitted_}});
  return epoch_;
}

FitSignal FitWatch::OnEpochEnd(const Method& method,
                               const EpochReport& report) {
  std::string note;
  for (const auto& [name, value] : report.curves) {
    if (!std::isfinite(value)) {
      throw RunFailed(StrCat("curve '", name, "' is ", value, " after epoch ",
                             report.epoch, " of ", report.epochs));
    }
    curves_.push_back({name, report.epoch, value});
    note += StrCat(note.empty() ? "" : ", ", name, " ", value);
  }
  if (!planned_) {
    events_.SetTotal(report.epochs);
    planned_ = true;
  }
  epoch_ = report.epoch;
  events_.Progress(report.epoch, note);
  const double now = MonotonicSeconds();
  const bool out_of_time = options_.stop_after_s > 0 &&
                           options_.since.Seconds() >= options_.stop_after_s;
  const bool leaving = InterruptSignal() != 0 || out_of_time;
  if (leaving || now - last_written_ >= options_.checkpoint_every_s) {
    WriteCheckpoint(method);
  }
  ThrowIfInterrupted();
  if (out_of_time && report.epoch < report.epochs) {
    throw StoppedEarly(StrCat("stopped after epoch ", report.epoch, " of ",
                              report.epochs,
                              ": the time budget is used up; run it again to "
                              "go on from its checkpoint"));
  }
  return FitSignal::kContinue;
}

void FitWatch::Finish(const Method& method) {
  fitted_ = true;
  WriteCheckpoint(method);
}

void FitWatch::WriteCheckpoint(const Method& method) {
  Checkpoint out{.key = options_.key};
  method.Save(out.state);
  out.run = {
      {"epoch", epoch_}, {"fitted", fitted_}, {"curves", ToJson(curves_)}};
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
