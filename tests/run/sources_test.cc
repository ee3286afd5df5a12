#include "harness/run/sources.h"

#include <gtest/gtest.h>

#include "datasets/images/pipeline.h"
#include "methods/torch_pch.h"
#include "tests/run/toy_engine.h"

namespace tailmark {
namespace {

class Sources : public ::testing::Test {
 protected:
  Sources() {
    toys::RegisterToyDataset(registry_);
    data_ = registry_.Find("toy").open({.name = "toy"});
    const LabelMatrix& labels = data_->train_labels();
    rows_.ids = data_->train().ids;
    rows_.labels = torch::tensor(labels.positive, torch::kUInt8)
                       .view({labels.rows, labels.classes});
  }
  std::unique_ptr<Loader> MakeLoader() const {
    return std::make_unique<Loader>(
        *data_, data_->train(),
        LoaderOptions{
            .pipeline = PipelineByName("as-is-8"), .seed = 11, .threads = 0});
  }
  std::unique_ptr<TrainSource> FromImages() const {
    return MakeImageTrainSource(rows_, MakeLoader(), 8, {.seed = 11});
  }
  /// The same pictures as a matrix in memory.
  std::unique_ptr<TrainSource> FromMemory() const {
    const auto images = FromImages();
    images->Start({.batch_size = 48, .shuffle = false});
    TrainBatch all;
    EXPECT_TRUE(images->Next(all));
    return MakeFeatureTrainSource(
        rows_,
        {.plain = all.inputs, .flipped = [all] { return all.inputs.flip(3); }},
        {.seed = 11});
  }

  DatasetRegistry registry_;
  std::unique_ptr<Dataset> data_;
  TrainRows rows_;
};

// What a method is shown must not depend on whether features were cached.
TEST_F(Sources, ImagesAndCachedRowsComeInTheSameOrderMirroredAlike) {
  const auto images = FromImages();
  const auto memory = FromMemory();
  for (const std::int64_t epoch : {0, 1, 7}) {
    const Pass pass{.epoch = epoch, .batch_size = 10, .augment = "flip"};
    images->Start(pass);
    memory->Start(pass);
    TrainBatch a;
    TrainBatch b;
    int batches = 0;
    for (; images->Next(a); ++batches) {
      ASSERT_TRUE(memory->Next(b));
      EXPECT_TRUE(a.rows.equal(b.rows));
      EXPECT_TRUE(a.labels.equal(b.labels));
      EXPECT_TRUE(a.inputs.equal(b.inputs)) << "epoch " << epoch;
    }
    EXPECT_FALSE(memory->Next(b));
    EXPECT_EQ(batches, 5);
  }
}

TEST_F(Sources, EveryRowComesOnceAnEpochWithItsOwnLabels) {
  const auto source = FromMemory();
  std::vector<std::vector<std::int64_t>> orders;
  for (const std::int64_t epoch : {0, 1, 0}) {
    source->Start({.epoch = epoch, .batch_size = 9});
    std::vector<std::int64_t> order;
    for (TrainBatch batch; source->Next(batch);) {
      EXPECT_TRUE(batch.labels.eq(rows_.labels.index_select(0, batch.rows))
                      .all()
                      .item<bool>());
      const auto* begin = batch.rows.data_ptr<std::int64_t>();
      order.insert(order.end(), begin, begin + batch.rows.numel());
    }
    orders.push_back(order);
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < 48; ++i) {
      ASSERT_EQ(order[i], static_cast<std::int64_t>(i));
    }
  }
  EXPECT_NE(orders[0], orders[1]);
  EXPECT_EQ(orders[0], orders[2]);
}

TEST_F(Sources, DropLastLeavesOutWhatIsNotFull) {
  const auto source = FromMemory();
  source->Start({.batch_size = 10, .drop_last = true});
  int batches = 0;
  for (TrainBatch batch; source->Next(batch); ++batches) {
    EXPECT_EQ(batch.rows.numel(), 10);
  }
  EXPECT_EQ(batches, 4);
}

TEST_F(Sources, AboutHalfOfTheRowsAreMirrored) {
  const auto source = FromMemory();
  source->Start({.batch_size = 48, .shuffle = false});
  TrainBatch plain;
  ASSERT_TRUE(source->Next(plain));
  int mirrored = 0;
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    source->Start({.epoch = epoch,
                   .batch_size = 48,
                   .shuffle = false,
                   .augment = "flip"});
    TrainBatch batch;
    ASSERT_TRUE(source->Next(batch));
    const auto changed = batch.inputs.ne(plain.inputs).flatten(1).any(1).sum();
    mirrored += static_cast<int>(changed.item<std::int64_t>());
  }
  EXPECT_NEAR(mirrored, 480, 75);  // five standard deviations
}

TEST_F(Sources, ATestSourceGivesTheSplitInOrder) {
  const auto features = torch::arange(12.0).view({6, 2});
  const auto source = MakeFeatureTestSource({"a", "b", "c", "d", "e", "f"},
                                            features, {.seed = 1});
  source->Start(4);
  Batch batch;
  ASSERT_TRUE(source->Next(batch));
  EXPECT_TRUE(batch.inputs.equal(features.narrow(0, 0, 4)));
  ASSERT_TRUE(source->Next(batch));
  EXPECT_TRUE(batch.inputs.equal(features.narrow(0, 4, 2)));
  EXPECT_FALSE(source->Next(batch));
}

}  // namespace
}  // namespace tailmark
