#include "harness/run/sources.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "harness/base/error.h"

namespace tailmark {
namespace {

/// The order of a pass, cut into batches.
class Walk {
 public:
  void Begin(std::vector<std::int64_t> order, std::int64_t batch_size,
             bool drop_last) {
    if (batch_size < 1) {
      throw ConfigError(
          StrCat("batch size ", batch_size, ", expected at least 1"));
    }
    order_ = std::move(order);
    batch_size_ = static_cast<std::size_t>(batch_size);
    drop_last_ = drop_last;
    next_ = 0;
  }
  /// The rows of the next batch; empty at the end.
  std::vector<std::int64_t> Next() {
    const std::size_t left = order_.size() - next_;
    if (left == 0 || (drop_last_ && left < batch_size_)) return {};
    const auto begin = order_.begin() + static_cast<std::ptrdiff_t>(next_);
    const std::size_t count = std::min(left, batch_size_);
    next_ += count;
    return {begin, begin + static_cast<std::ptrdiff_t>(count)};
  }

 private:
  std::vector<std::int64_t> order_;
  std::size_t batch_size_ = 1;
  std::size_t next_ = 0;
  bool drop_last_ = false;
};

std::vector<std::int64_t> InOrder(std::int64_t count) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    order[static_cast<std::size_t>(i)] = i;
  }
  return order;
}

at::Tensor RowTensor(const std::vector<std::int64_t>& rows) {
  return at::tensor(rows, at::kLong);
}

at::Tensor Rows(const at::Tensor& matrix, const at::Tensor& rows,
                c10::Device device) {
  if (!matrix.defined()) return {};
  return matrix.index_select(0, rows.to(matrix.device())).to(device);
}

/// Labels, ids and the tick: the same for features and images.
class TrainBase : public TrainSource {
 public:
  TrainBase(TrainRows rows, SourceContext context)
      : rows_(std::move(rows)), context_(std::move(context)) {}
  std::int64_t num_samples() const override {
    return static_cast<std::int64_t>(rows_.ids.size());
  }
  const at::Tensor& labels() const override { return rows_.labels; }
  const at::Tensor& known() const override { return rows_.known; }
  const std::vector<std::string>& ids() const override { return rows_.ids; }
  const std::vector<std::string>& captions() const override {
    return rows_.captions;
  }

 protected:
  void FillLabels(TrainBatch& batch, const std::vector<std::int64_t>& rows) {
    batch.rows = RowTensor(rows);
    batch.labels =
        Rows(rows_.labels, batch.rows, context_.device).to(at::kFloat);
    batch.known = Rows(rows_.known, batch.rows, context_.device);
    context_.drawn();
  }
  const SourceContext& context() const { return context_; }

 private:
  TrainRows rows_;
  SourceContext context_;
};

class FeatureTrainSource final : public TrainBase {
 public:
  FeatureTrainSource(TrainRows rows, FeatureViews views, SourceContext context)
      : TrainBase(std::move(rows), std::move(context)),
        views_(std::move(views)) {}

  void Start(const Pass& pass) override {
    walk_.Begin(pass.shuffle
                    ? ShuffledOrder(num_samples(), context().seed, pass.epoch)
                    : InOrder(num_samples()),
                pass.batch_size, pass.drop_last);
    augmentation_ = AugmentationByName(pass.augment);
    if (!IsFlipAtMost(augmentation_)) {
      throw ConfigError(StrCat("augmentation '", pass.augment,
                               "' changes pictures, and here are only "
                               "features; use none or flip"));
    }
    epoch_ = pass.epoch;
    if (augmentation_ == Augmentation::kFlip && views_.plain.defined() &&
        !flipped_.defined()) {
      flipped_ = views_.flipped();
    }
  }
  bool Next(TrainBatch& batch) override {
    context().tick();
    const auto rows = walk_.Next();
    if (rows.empty()) return false;
    FillLabels(batch, rows);
    batch.inputs = Rows(views_.plain, batch.rows, context().device);
    if (augmentation_ == Augmentation::kFlip && flipped_.defined()) {
      const auto other = Rows(flipped_, batch.rows, context().device);
      std::vector<std::int64_t> shape(
          static_cast<std::size_t>(batch.inputs.dim()), 1);
      shape[0] = -1;
      const auto mask = Flips(rows).to(context().device).view(shape);
      batch.inputs = at::where(mask, other, batch.inputs);
    }
    return true;
  }

 private:
  /// Which of `rows` the loader would mirror in this epoch: the same draws.
  at::Tensor Flips(const std::vector<std::int64_t>& rows) const {
    auto flips = at::empty({static_cast<std::int64_t>(rows.size())}, at::kBool);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Image nothing{.width = 1, .height = 1, .rgb = {0, 0, 0}};
      flips.data_ptr<bool>()[i] =
          Augment(augmentation_, SampleChance(context().seed, epoch_, rows[i]),
                  nothing)
              .flipped;
    }
    return flips;
  }

  FeatureViews views_;
  at::Tensor flipped_;
  Walk walk_;
  Augmentation augmentation_ = Augmentation::kNone;
  std::int64_t epoch_ = 0;
};

class TestBase : public TestSource {
 public:
  TestBase(std::vector<std::string> ids, SourceContext context)
      : ids_(std::move(ids)), context_(std::move(context)) {}
  std::int64_t num_samples() const override {
    return static_cast<std::int64_t>(ids_.size());
  }
  const std::vector<std::string>& ids() const override { return ids_; }

 protected:
  const SourceContext& context() const { return context_; }

 private:
  std::vector<std::string> ids_;
  SourceContext context_;
};

class FeatureTestSource final : public TestBase {
 public:
  FeatureTestSource(std::vector<std::string> ids, at::Tensor features,
                    SourceContext context)
      : TestBase(std::move(ids), std::move(context)),
        features_(std::move(features)) {}
  void Start(std::int64_t batch_size) override {
    walk_.Begin(InOrder(num_samples()), batch_size, /*drop_last=*/false);
  }
  bool Next(Batch& batch) override {
    context().tick();
    const auto rows = walk_.Next();
    if (rows.empty()) return false;
    batch.rows = RowTensor(rows);
    batch.inputs = Rows(features_, batch.rows, context().device);
    return true;
  }

 private:
  at::Tensor features_;
  Walk walk_;
};

/// Pixels of a loaded batch, copied: the loader's memory goes round.
at::Tensor Pixels(LoadedBatch& loaded, int size, c10::Device device) {
  const auto count = static_cast<std::int64_t>(loaded.rows.size());
  return at::from_blob(loaded.pixels.data(), {count, 3, size, size}, at::kFloat)
      .to(device, at::kFloat, /*non_blocking=*/false, /*copy=*/true);
}

class ImageTrainSource final : public TrainBase {
 public:
  ImageTrainSource(TrainRows rows, std::unique_ptr<Loader> loader, int size,
                   SourceContext context)
      : TrainBase(std::move(rows), std::move(context)),
        loader_(std::move(loader)),
        size_(size) {}
  void Start(const Pass& pass) override {
    loader_->Start({.epoch = pass.epoch,
                    .batch_size = pass.batch_size,
                    .shuffle = pass.shuffle,
                    .augment = AugmentationByName(pass.augment),
                    .drop_last = pass.drop_last});
  }
  bool Next(TrainBatch& batch) override {
    context().tick();
    if (!loader_->Next(loaded_)) return false;
    FillLabels(batch, loaded_.rows);
    batch.inputs = Pixels(loaded_, size_, context().device);
    return true;
  }

 private:
  std::unique_ptr<Loader> loader_;
  LoadedBatch loaded_;
  int size_;
};

class ImageTestSource final : public TestBase {
 public:
  ImageTestSource(std::vector<std::string> ids, std::unique_ptr<Loader> loader,
                  int size, SourceContext context)
      : TestBase(std::move(ids), std::move(context)),
        loader_(std::move(loader)),
        size_(size) {}
  void Start(std::int64_t batch_size) override {
    loader_->Start({.batch_size = batch_size});
  }
  bool Next(Batch& batch) override {
    context().tick();
    if (!loader_->Next(loaded_)) return false;
    batch.rows = RowTensor(loaded_.rows);
    batch.inputs = Pixels(loaded_, size_, context().device);
    return true;
  }

 private:
  std::unique_ptr<Loader> loader_;
  LoadedBatch loaded_;
  int size_;
};

}  // namespace

TrainRows TakeRows(const TrainRows& rows,
                   const std::vector<std::int64_t>& take) {
  TrainRows out;
  const at::Tensor index = RowTensor(take);
  out.labels = Rows(rows.labels, index, c10::Device(c10::kCPU));
  out.known = Rows(rows.known, index, c10::Device(c10::kCPU));
  for (const std::int64_t row : take) {
    const auto i = static_cast<std::size_t>(row);
    out.ids.push_back(rows.ids.at(i));
    if (!rows.captions.empty()) out.captions.push_back(rows.captions.at(i));
  }
  return out;
}

std::unique_ptr<TrainSource> MakeFeatureTrainSource(TrainRows rows,
                                                    FeatureViews views,
                                                    SourceContext context) {
  return std::make_unique<FeatureTrainSource>(std::move(rows), std::move(views),
                                              std::move(context));
}

std::unique_ptr<TestSource> MakeFeatureTestSource(std::vector<std::string> ids,
                                                  at::Tensor features,
                                                  SourceContext context) {
  return std::make_unique<FeatureTestSource>(
      std::move(ids), std::move(features), std::move(context));
}

std::unique_ptr<TrainSource> MakeImageTrainSource(
    TrainRows rows, std::unique_ptr<Loader> loader, int image_size,
    SourceContext context) {
  return std::make_unique<ImageTrainSource>(std::move(rows), std::move(loader),
                                            image_size, std::move(context));
}

std::unique_ptr<TestSource> MakeImageTestSource(std::vector<std::string> ids,
                                                std::unique_ptr<Loader> loader,
                                                int image_size,
                                                SourceContext context) {
  return std::make_unique<ImageTestSource>(std::move(ids), std::move(loader),
                                           image_size, std::move(context));
}

}  // namespace tailmark
