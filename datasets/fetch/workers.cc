#include "datasets/fetch/workers.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "harness/base/interrupt.h"

namespace tailmark::fetch {

void RunWorkers(std::size_t n, int threads,
                const std::function<void(std::size_t i, int worker)>& work,
                const std::function<void(std::size_t done)>& tick) {
  constexpr auto kTick = std::chrono::milliseconds(100);
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t done = 0;
  int running = std::max(1, std::min(threads, static_cast<int>(n)));
  std::exception_ptr error;

  const auto loop = [&](int worker) {
    try {
      while (!stop && InterruptSignal() == 0) {
        const std::size_t i = next++;
        if (i >= n) break;
        work(i, worker);
        const std::lock_guard lock(mutex);
        ++done;
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
      stop = true;
    }
    const std::lock_guard lock(mutex);
    --running;
    changed.notify_one();
  };
  std::vector<std::thread> pool;
  const int started = running;
  for (int worker = 0; worker < started; ++worker) {
    pool.emplace_back(loop, worker);
  }
  std::unique_lock lock(mutex);
  while (running > 0) {
    changed.wait_for(lock, kTick, [&] { return running == 0; });
    const std::size_t now = done;
    lock.unlock();
    tick(now);
    lock.lock();
  }
  lock.unlock();
  for (std::thread& thread : pool) thread.join();
  if (error) std::rethrow_exception(error);
  ThrowIfInterrupted();
}

}  // namespace tailmark::fetch
