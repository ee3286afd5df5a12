#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/images/pipeline.h"
#include "datasets/loader/augment.h"

namespace tailmark {

struct LoaderOptions {
  Pipeline pipeline;
  /// Rows of the split to walk through; empty: all of them, in order.
  std::vector<std::int64_t> rows;
  std::uint64_t seed = 0;  ///< Of the run: order and augmentation hang on it.
  int threads = 1;         ///< Background threads; 0: Next() does the work.
  int prefetch = 2;        ///< Batches made ahead, at least 1.
  bool as_bytes = false;   ///< Give bytes instead of normalised floats.
  /// Memory for pictures after resizing, kept from pass to pass; 0: decode each
  /// time. Filled first come, first kept; never changes a byte of a batch.
  std::int64_t cache_bytes = 0;
};

/// One walk through the rows.
struct LoaderPass {
  std::int64_t epoch = 0;
  std::int64_t batch_size = 64;
  bool shuffle = false;
  Augmentation augment = Augmentation::kNone;
  bool drop_last = false;  ///< Leave out a last batch that is not full.
};

/// B samples. Members line up. Give the same one to Next() again and again: its
/// memory goes round, nothing is copied.
struct LoadedBatch {
  std::vector<std::int64_t> rows;     ///< [B] positions in the split.
  std::vector<std::uint8_t> flipped;  ///< [B] 0 or 1.
  std::vector<float> pixels;          ///< [B, 3, S, S], unless as_bytes.
  std::vector<std::uint8_t> bytes;    ///< [B, S, S, 3], only with as_bytes.
};

/// The order of a shuffled pass over `count` things: [count] numbers
/// 0..count-1. Depends on (count, seed, epoch) only.
std::vector<std::int64_t> ShuffledOrder(std::int64_t count, std::uint64_t seed,
                                        std::int64_t epoch);

/// Decodes, resizes, augments and normalises ahead of its one caller. Batches
/// hold the same bytes however many threads there are; augmentation of a sample
/// depends on (seed, epoch, row) only.
class Loader {
 public:
  /// `dataset` and `split` must outlive the loader; LoadImage() is called from
  /// its threads. REQUIRES: rows lie in the split, prefetch >= 1, threads >= 0.
  Loader(const Dataset& dataset, const Split& split, LoaderOptions options);
  /// Waits for the pictures under way (one a thread), drops the rest.
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Begins a pass; one that is under way is dropped. REQUIRES: batch_size
  /// >= 1.
  void Start(const LoaderPass& pass);

  /// Fills `batch` and returns true, or returns false at the end of the pass.
  /// When a picture of the batch could not be loaded, throws what loading it
  /// threw (DataError with the file's name; the first by position when there
  /// are several) and the pass has ended.
  bool Next(LoadedBatch& batch);

  std::int64_t num_rows() const;
  /// Batches of a pass.
  std::int64_t NumBatches(const LoaderPass& pass) const;
  /// Pictures kept and their bytes, for doctor and tests.
  std::int64_t cached_pictures() const;
  std::int64_t cached_bytes() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace tailmark
