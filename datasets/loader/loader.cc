#include "datasets/loader/loader.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "datasets/loader/picture_cache.h"
#include "harness/base/error.h"
#include "harness/base/seeds.h"

namespace tailmark {

std::vector<std::int64_t> ShuffledOrder(std::int64_t count, std::uint64_t seed,
                                        std::int64_t epoch) {
  TM_CHECK(count >= 0 && count < std::int64_t{1} << 32);
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  ChanceStream chance(
      DeriveSeed(seed, "loader/order", static_cast<std::uint64_t>(epoch)), 0,
      0);
  for (std::size_t i = order.size(); i > 1; --i) {  // Fisher and Yates
    const std::size_t other = chance.Below(static_cast<std::uint32_t>(i));
    std::swap(order[i - 1], order[other]);
  }
  return order;
}

/// Samples of a pass are numbered in its order. A worker takes the next number
/// once its batch has a slot, and writes straight into the slot; slots go round
/// in a ring. `mutex_` guards next_, end_, given_, busy_, stopping_ and every
/// slot's `missing` and `error`; the rest changes only while nobody is busy.
class Loader::State {
 public:
  State(const Dataset& dataset, const Split& split, LoaderOptions options)
      : dataset_(dataset),
        split_(split),
        options_(std::move(options)),
        rows_(options_.rows) {
    TM_CHECK(options_.threads >= 0 && options_.prefetch >= 1);
    if (rows_.empty()) {
      rows_.resize(split.ids.size());
      std::iota(rows_.begin(), rows_.end(), 0);
    }
    for (const std::int64_t row : rows_) {
      TM_CHECK(row >= 0 && row < split.size(), "row ", row);
    }
    cache_.emplace(options_.cache_bytes, num_rows());
    slots_.resize(static_cast<std::size_t>(options_.prefetch));
    for (int i = 0; i < options_.threads; ++i) {
      threads_.emplace_back([this] { Work(); });
    }
  }

  ~State() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    work_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void Start(const LoaderPass& pass) {
    TM_CHECK(pass.batch_size >= 1);
    std::unique_lock lock(mutex_);
    Drop();
    done_.wait(lock, [this] { return busy_ == 0; });
    pass_ = pass;
    order_.clear();
    if (pass.shuffle) {
      order_ = ShuffledOrder(num_rows(), options_.seed, pass.epoch);
    }
    batches_ = NumBatches(pass);
    end_ = std::min(num_rows(), batches_ * pass.batch_size);
    const auto ahead = static_cast<std::int64_t>(slots_.size());
    for (std::int64_t i = 0; i < std::min(ahead, batches_); ++i) {
      MakeRoom(SlotOf(i), SizeOf(i));
      Open(i);
    }
    lock.unlock();
    work_.notify_all();
  }

  bool Next(LoadedBatch& batch) {
    if (given_ >= batches_) return false;
    Slot& slot = SlotOf(given_);
    Await(slot);
    if (slot.error) {
      const std::lock_guard lock(mutex_);
      Drop();
      std::rethrow_exception(slot.error);
    }
    std::swap(batch, slot.batch);
    // What the caller gave back is for the batch that is to come here.
    const std::int64_t later =
        given_ + static_cast<std::int64_t>(slots_.size());
    if (later < batches_) MakeRoom(slot, SizeOf(later));
    {
      const std::lock_guard lock(mutex_);
      if (later < batches_) Open(later);
      ++given_;
    }
    work_.notify_all();
    return true;
  }

  std::int64_t NumBatches(const LoaderPass& pass) const {
    const std::int64_t size = pass.batch_size;
    return pass.drop_last ? num_rows() / size : (num_rows() + size - 1) / size;
  }
  std::int64_t num_rows() const {
    return static_cast<std::int64_t>(rows_.size());
  }
  const PictureCache& cache() const { return *cache_; }

 private:
  struct Slot {
    LoadedBatch batch;
    std::int64_t missing = 0;
    std::exception_ptr error;
    std::int64_t error_at = 0;  ///< Number of the sample it came from.
  };

  Slot& SlotOf(std::int64_t batch) {
    return slots_[static_cast<std::size_t>(batch) % slots_.size()];
  }
  std::int64_t SizeOf(std::int64_t batch) const {
    return std::min(pass_.batch_size, num_rows() - batch * pass_.batch_size);
  }
  std::size_t ValuesOf(std::int64_t samples) const {
    return static_cast<std::size_t>(samples) * 3 *
           static_cast<std::size_t>(options_.pipeline.size) *
           static_cast<std::size_t>(options_.pipeline.size);
  }

  /// Ends the pass; samples under way still finish.
  void Drop() { next_ = end_ = given_ = batches_ = 0; }

  void MakeRoom(Slot& slot, std::int64_t samples) const {
    slot.batch.rows.resize(static_cast<std::size_t>(samples));
    slot.batch.flipped.resize(static_cast<std::size_t>(samples));
    slot.batch.pixels.resize(options_.as_bytes ? 0 : ValuesOf(samples));
    slot.batch.bytes.resize(options_.as_bytes ? ValuesOf(samples) : 0);
  }

  void Open(std::int64_t batch) {
    Slot& slot = SlotOf(batch);
    slot.missing = SizeOf(batch);
    slot.error = nullptr;
  }

  /// A sample may be taken when its batch has a slot.
  bool HasWork() const {
    return next_ < end_ &&
           next_ / pass_.batch_size <
               given_ + static_cast<std::int64_t>(slots_.size());
  }

  void Work() {
    std::unique_lock lock(mutex_);
    while (true) {
      work_.wait(lock, [this] { return stopping_ || HasWork(); });
      if (stopping_) return;
      TakeOne(lock);
    }
  }

  /// Loads the next sample, unlocked. REQUIRES: HasWork().
  void TakeOne(std::unique_lock<std::mutex>& lock) {
    const std::int64_t number = next_++;
    Slot& slot = SlotOf(number / pass_.batch_size);
    ++busy_;
    lock.unlock();
    std::exception_ptr error;
    try {
      Load(number, slot.batch);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    --busy_;
    --slot.missing;
    if (error && (!slot.error || number < slot.error_at)) {
      slot.error = error;
      slot.error_at = number;
    }
    if (slot.missing == 0 || busy_ == 0) done_.notify_all();
  }

  void Await(Slot& slot) {
    std::unique_lock lock(mutex_);
    while (options_.threads == 0 && slot.missing > 0) TakeOne(lock);
    done_.wait(lock, [&slot] { return slot.missing == 0; });
  }

  /// The picture of a row, resized.
  Image Fetch(std::int64_t row) const {
    const Image decoded = dataset_.LoadImage(split_, row);
    try {
      return Preprocess(options_.pipeline, decoded);
    } catch (const DataError& error) {
      throw DataError(StrCat(split_.name, " row ", row, ", ",
                             split_.ids[static_cast<std::size_t>(row)], ": ",
                             error.what()));
    }
  }

  void Load(std::int64_t number, LoadedBatch& batch) {
    const std::int64_t at =
        order_.empty() ? number : order_[static_cast<std::size_t>(number)];
    const std::int64_t row = rows_[static_cast<std::size_t>(at)];
    Image own;
    const Image* image = cache_->Find(at);
    if (image == nullptr) {
      own = Fetch(row);
      cache_->Offer(at, own);
      image = &own;
    }
    Augmented done;
    if (pass_.augment != Augmentation::kNone) {
      if (image != &own) own = *image;
      image = &own;
      done = Augment(pass_.augment,
                     SampleChance(options_.seed, pass_.epoch, row), own);
    }
    const auto i = static_cast<std::size_t>(number % pass_.batch_size);
    batch.rows[i] = row;
    batch.flipped[i] = done.flipped ? 1 : 0;
    const std::size_t offset = i * ValuesOf(1);
    if (options_.as_bytes) {
      std::copy(image->rgb.begin(), image->rgb.end(),
                batch.bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    } else {
      Normalise(options_.pipeline, *image, batch.pixels.data() + offset);
    }
  }

  const Dataset& dataset_;
  const Split& split_;
  const LoaderOptions options_;
  std::vector<std::int64_t> rows_;
  std::optional<PictureCache> cache_;

  LoaderPass pass_;
  std::vector<std::int64_t> order_;  ///< Empty: as the rows are.
  std::int64_t batches_ = 0;
  std::vector<Slot> slots_;

  std::mutex mutex_;
  std::condition_variable work_;  ///< There may be a sample to take.
  std::condition_variable done_;  ///< A batch is whole, or nobody is busy.
  std::int64_t next_ = 0;         ///< The sample to be taken next.
  std::int64_t end_ = 0;          ///< Samples in the pass.
  std::int64_t given_ = 0;        ///< Batches the caller has got.
  int busy_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  ///< Last: they use all of the above.
};

Loader::Loader(const Dataset& dataset, const Split& split,
               LoaderOptions options)
    : state_(std::make_unique<State>(dataset, split, std::move(options))) {}
Loader::~Loader() = default;

void Loader::Start(const LoaderPass& pass) { state_->Start(pass); }
bool Loader::Next(LoadedBatch& batch) { return state_->Next(batch); }
std::int64_t Loader::num_rows() const { return state_->num_rows(); }
std::int64_t Loader::NumBatches(const LoaderPass& pass) const {
  return state_->NumBatches(pass);
}
std::int64_t Loader::cached_pictures() const {
  return state_->cache().pictures();
}
std::int64_t Loader::cached_bytes() const { return state_->cache().bytes(); }

}  // namespace tailmark
