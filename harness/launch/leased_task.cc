#include "harness/launch/leased_task.h"

#include "harness/launch/key_lock.h"
#include "harness/record/bundle.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

void Remove(const fs::path& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

}  // namespace

LeasedTask::LeasedTask(const PlanTask& task, const LaunchOptions& options,
                       std::unique_ptr<Lease> lease)
    : task_(task), lease_(std::move(lease)), launch_(options) {
  launch_.generation = lease_->generation();
  // The lease of one who died here is free when his worker is gone as well.
  launch_.keep_open.push_back(lease_->descriptor());
  launch_.ours = [this] { return lease_->Ours(); };
}

std::unique_ptr<LeasedTask> LeasedTask::Try(const PlanTask& task,
                                            const LaunchOptions& options,
                                            LeaseBook& book) {
  auto lease = book.Take(task.key);
  if (!lease) return nullptr;
  std::unique_ptr<LeasedTask> leased(
      new LeasedTask(task, options, std::move(lease)));
  leased->TakeOver();
  return leased;
}

LeasedTask::~LeasedTask() {
  if (!lease_->Ours()) {
    // A worker that outlived the lease may have made its folder again.
    const TaskFiles lost = FilesAt(launch_.generation);
    Remove(lost.part);
    Remove(lost.spec);
    return;
  }
  Leave();
  if (finished_) lease_->Finish();
}

TaskFiles LeasedTask::FilesAt(std::int64_t generation) const {
  return FilesOf(launch_.bundles, task_.key, launch_.force, generation);
}

/// Makes what an earlier generation, or a launcher without a lease, left of
/// this key the start of this one. Moved away first: whoever still works there
/// then finds no folder; and copied, for he may hold its files open.
void LeasedTask::TakeOver() const {
  const TaskFiles ours = FilesAt(launch_.generation);
  const fs::path taken = ours.part.string() + ".taken";
  for (std::int64_t from = launch_.generation - 1; from >= 0; --from) {
    const TaskFiles files = FilesAt(from);
    if (from == 0 && KeyLock::IsHeld(files.lock)) continue;
    // Its holder may have died in the middle of this, too.
    Remove(files.part.string() + ".making");
    // Or between naming a bundle and removing what it was made from.
    if (from > 0 && !KeyLock::IsHeld(files.lock)) {
      Remove(files.lock);
      Remove(files.spec);
    }
    std::error_code code;
    const fs::path before = files.part.string() + ".taken";
    fs::rename(files.part, taken, code);
    if (code) fs::rename(before, taken, code);
    if (code) continue;
    // Its copy has the name, so that one is whole: he died before removing
    // this.
    Remove(before);
    Remove(files.spec);
    // Only a whole copy gets the name; of several the latest.
    if (!fs::exists(ours.part)) {
      const fs::path making = ours.part.string() + ".making";
      Remove(making);
      fs::copy(taken, making, fs::copy_options::recursive, code);
      if (!code) fs::rename(making, ours.part, code);
      Remove(making);
    }
    Remove(taken);
  }
}

/// Puts what this generation left where a launcher of any kind looks, or
/// removes it when the key is done.
void LeasedTask::Leave() const {
  const TaskFiles ours = FilesAt(launch_.generation);
  const TaskFiles plain = FilesAt(0);
  if (finished_ || (!launch_.force && IsBundleOf(task_, plain.done))) {
    for (std::int64_t each = 1; each <= launch_.generation; ++each) {
      Remove(FilesAt(each).part);
    }
  } else if (fs::exists(ours.part) && !KeyLock::IsHeld(plain.lock)) {
    std::error_code code;
    fs::rename(ours.part, plain.part, code);
    if (!code) fs::rename(ours.spec, plain.spec, code);
  }
  Remove(ours.spec);
}

}  // namespace tailmark
