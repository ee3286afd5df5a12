#include <ATen/ATen.h>

#include <numeric>
#include <utility>

#include "harness/base/error.h"
#include "harness/base/seeds.h"
#include "harness/run/hold_out.h"
#include "harness/run/run.h"

namespace tailmark {
namespace {

Split TakeIds(const Split& split, SplitRole role, const TrainRows& rows) {
  return {.name = split.name, .role = role, .ids = rows.ids};
}

std::vector<std::int64_t> AllRows(const TrainRows& rows) {
  std::vector<std::int64_t> all(rows.ids.size());
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return all;
}

}  // namespace

std::unique_ptr<TestSource> Run::MakeTestSource() {
  const SourceContext context{
      .seed = spec_.seed, .device = device_, .tick = [this] { Tick(); }};
  if (input_ == InputKind::kImages) {
    return MakeImageTestSource(data_.test.ids,
                               MakeLoader(data_.test, spec_.seed),
                               pipeline_.size, context);
  }
  return MakeFeatureTestSource(data_.test.ids, test_features_, context);
}

/// `taken`: the rows of `all` that `rows` are.
void Run::MakeSources(Part& part, const TrainRows& rows, const Split& all,
                      const std::vector<std::int64_t>& taken) {
  const SourceContext context{.seed = part.seed,
                              .device = device_,
                              .tick = [this] { Tick(); },
                              .drawn = [this] { ++budget_.steps_used; }};
  SourceContext unseen = context;
  unseen.drawn = [] {};
  if (input_ == InputKind::kImages) {
    part.train = MakeImageTrainSource(rows, MakeLoader(part.split, part.seed),
                                      pipeline_.size, context);
    if (part.held.size() == 0) return;
    part.validation =
        MakeImageTrainSource(part.held_rows, MakeLoader(part.held, part.seed),
                             pipeline_.size, unseen);
    part.held_images =
        MakeImageTestSource(part.held.ids, MakeLoader(part.held, part.seed),
                            pipeline_.size, unseen);
    return;
  }
  // Of the whole split, so that the cache serves every seed's part of it.
  const auto features = [this, &all](bool flipped,
                                     const std::vector<std::int64_t>& take) {
    const at::Tensor whole = Features(all, flipped);
    if (static_cast<std::int64_t>(take.size()) == all.size()) return whole;
    return whole.index_select(0, at::tensor(take, at::kLong).to(device_));
  };
  FeatureViews views, held_views;
  if (input_ == InputKind::kFeatures && info().abilities.trains) {
    views.plain = features(false, taken);
    views.flipped = [=] { return features(true, taken); };
  }
  part.train = MakeFeatureTrainSource(rows, std::move(views), context);
  if (part.held.size() == 0) return;
  std::vector<std::int64_t> left;
  for (std::int64_t row = 0, next = 0; row < all.size(); ++row) {
    const auto i = static_cast<std::size_t>(next);
    if (i < taken.size() && taken[i] == row) {
      ++next;
    } else {
      left.push_back(row);
    }
  }
  if (input_ == InputKind::kFeatures) {
    held_views.plain = features(false, left);
    held_views.flipped = [=] { return features(true, left); };
  }
  part.held_images =
      MakeFeatureTestSource(part.held.ids, held_views.plain, unseen);
  part.validation =
      MakeFeatureTrainSource(part.held_rows, std::move(held_views), unseen);
}

void Run::FillPart(Part& part, const TrainRows& rows) {
  // Nothing of one fit reaches the next.
  if (encoder_ && info().abilities.trains_encoder && method_) {
    method_.reset();
    encoder_ = engine_.open_encoder(spec_.place.weights, device_);
  }
  part.problem = MakeProblem(*data_.dataset, rows, part.columns);
  part.problem.encoder = encoder_.get();
  part.problem.device = device_;
  part.problem.precision = spec_.identity.precision;
}

std::unique_ptr<Run::Part> Run::WholePart() {
  auto part = std::make_unique<Part>();
  part->seed = spec_.seed;
  TrainRows rows = data_.rows;
  std::vector<std::int64_t> taken = AllRows(rows);
  if (spec_.identity.validation > 0 && info().abilities.trains) {
    const HeldOut held =
        HoldOut(rows.labels, rows.known, spec_.identity.validation, spec_.seed);
    part->held_rows = TakeRows(rows, held.validation);
    part->held = TakeIds(data_.train, SplitRole::kValidation, part->held_rows);
    taken = held.train;
    rows = TakeRows(rows, taken);
  }
  part->split = TakeIds(data_.train, SplitRole::kTrain, rows);
  FillPart(*part, rows);
  MakeSources(*part, rows, data_.train, taken);
  return part;
}

std::unique_ptr<Run::Part> Run::BasePart(const Episodes& episodes) {
  auto part = std::make_unique<Part>();
  part->name = "base";
  part->seed = DeriveSeed(spec_.seed, "base");
  part->columns = episodes.base;
  TrainRows rows = data_.rows;
  const at::Tensor columns = at::tensor(episodes.base, at::kLong);
  rows.labels = rows.labels.index_select(1, columns);
  if (rows.known.defined()) {
    rows.known = rows.known.index_select(1, columns);
    // All known, of these columns: then any method will do.
    if (rows.known.all().item<bool>()) rows.known = at::Tensor();
  }
  part->split = data_.train;
  FillPart(*part, rows);
  MakeSources(*part, rows, part->split, AllRows(rows));
  return part;
}

std::unique_ptr<Run::Part> Run::EpisodePart(const Episodes& episodes,
                                            const Episode& episode) {
  auto part = std::make_unique<Part>();
  part->name = StrCat("episode-", episode.number);
  part->seed = DeriveSeed(spec_.seed, "episode",
                          static_cast<std::uint64_t>(episode.number));
  part->columns = episodes.novel;
  const TrainRows rows =
      MakeRows(episode.support, TakeColumns(episode.labels, episodes.novel));
  part->split = episode.support;
  FillPart(*part, rows);
  MakeSources(*part, rows, part->split, AllRows(rows));
  return part;
}

}  // namespace tailmark
