#include "harness/run/selection.h"

#include <utility>

namespace tailmark {

std::vector<CurvePoint> Selector::Look(const Method& method, std::int64_t epoch,
                                       std::int64_t epochs) {
  std::vector<CurvePoint> seen;
  if (options_.validate) {
    const double value = options_.validate(method);
    seen.push_back({"validation_map", epoch, value});
    const bool better = best_epoch_ == 0 || value > best_value_;
    if (better && options_.rule == "validation") {
      best_.emplace();
      method.Save(*best_);
      best_epoch_ = epoch;
      best_value_ = value;
    }
  }
  if (options_.score && (epoch % options_.every == 0 || epoch == epochs)) {
    scores_.push_back(options_.score(method, epoch));
  }
  return seen;
}

void Selector::Save(Checkpoint& out) const {
  out.best = best_;
  Json scores = Json::array();
  for (const ScoreFile& file : scores_) scores.push_back(ToJson(file));
  out.run["selection"] = {{"epoch", best_epoch_},
                          {"value", best_value_},
                          {"scores", std::move(scores)}};
}

void Selector::Load(const Checkpoint& in) {
  const Json& json = in.run.at("selection");
  best_ = in.best;
  best_epoch_ = json.at("epoch").get<std::int64_t>();
  best_value_ = json.at("value").get<double>();
  scores_.clear();
  for (const Json& file : json.at("scores")) {
    scores_.push_back(ScoreFileFromJson(file));
  }
}

}  // namespace tailmark
