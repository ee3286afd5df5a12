#pragma once

#include <cstddef>
#include <functional>

namespace tailmark::fetch {

/// Calls work(i, worker) for every i < n from `threads` threads, in rising
/// order, and tick(done) now and then from this one. An exception of `work`
/// ends it all and is thrown on; so is Interrupted when a signal arrives.
void RunWorkers(std::size_t n, int threads,
                const std::function<void(std::size_t i, int worker)>& work,
                const std::function<void(std::size_t done)>& tick);

}  // namespace tailmark::fetch
