#include "harness/run/features.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <vector>

#include "datasets/loader/loader.h"
#include "harness/base/error.h"
#include "harness/run/tensors.h"

namespace tailmark {

at::Tensor FeatureMaker::Make(const Split& split, bool flipped) {
  if (context_.encoder.batch_dependent()) {
    throw ConfigError(
        "this encoder's features depend on the batch they are computed in "
        "(BatchNorm in training mode); they are neither kept nor given to a "
        "method of input 'features'. Use a method of input 'images', or the "
        "encoder in evaluation mode");
  }
  FeatureKey key = context_.key;
  key.ids_sha256 = IdsHash(split);
  key.view = flipped ? "flip" : "plain";
  key.encoder_settings = context_.encoder.settings();
  auto found = context_.cache.Load(key, split.size());
  std::unique_ptr<FeatureCache::Turn> turn;
  if (!found) {
    turn = context_.cache.WaitForTurn(key, context_.tick);
    found = context_.cache.Load(key, split.size());
  }
  if (found) {
    context_.events.Say("features", {{"split", split.name},
                                     {"view", key.view},
                                     {"rows", split.size()},
                                     {"cached", true}});
    return *found;
  }
  at::Tensor features = Encode(split, flipped);
  context_.cache.Store(key, features);
  context_.events.Say("features", {{"split", split.name},
                                   {"view", key.view},
                                   {"rows", split.size()},
                                   {"cached", false}});
  return features;
}

at::Tensor FeatureMaker::Encode(const Split& split, bool flipped) {
  const at::NoGradGuard no_graph;
  const int side = context_.pipeline.size;
  // One thread asked for is one thread: then nothing runs in the background.
  Loader loader(context_.dataset, split,
                {.pipeline = context_.pipeline,
                 .threads = std::max(0, context_.threads - 1)});
  loader.Start({.batch_size = context_.key.batch_size});
  const std::string title = flipped ? split.name + " mirrored" : split.name;
  context_.events.Phase("features of " + title, split.size(), "images");
  at::Tensor out =
      at::empty({split.size(), context_.encoder.feature_width()}, at::kFloat);
  std::int64_t done = 0;
  for (LoadedBatch batch; loader.Next(batch);) {
    context_.tick();
    const auto count = static_cast<std::int64_t>(batch.rows.size());
    auto pixels =
        at::from_blob(batch.pixels.data(), {count, 3, side, side}, at::kFloat);
    if (flipped) pixels = pixels.flip(3);
    const auto features =
        context_.encoder.EncodeImages(pixels.to(context_.encoder.device()));
    out.narrow(0, done, count).copy_(OnHost(features));
    done += count;
    encoded_ += count;
    context_.events.Progress(done);
  }
  TM_CHECK(done == split.size());
  return out;
}

}  // namespace tailmark
