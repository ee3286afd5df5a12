#include "harness/launch/slots.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <sstream>

#include "harness/base/error.h"

namespace tailmark {
namespace {

/// A limit of a control group; 0: none.
std::int64_t LimitIn(const char* path) {
  std::ifstream in(path);
  std::int64_t bytes = 0;
  // "max" is no number, and version 1 says "none" by a huge one.
  return in >> bytes && bytes < (std::int64_t{1} << 60) ? bytes : 0;
}

}  // namespace

std::vector<int> AllowedCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

std::vector<Slot> MakeSlots(int workers, std::span<const std::string> devices,
                            std::span<const int> cores) {
  std::vector<Slot> slots(static_cast<std::size_t>(std::max(workers, 1)));
  const std::size_t share = cores.size() / slots.size();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (!devices.empty()) slots[i].device = devices[i % devices.size()];
    // One alone has no neighbour to keep off.
    if (slots.size() == 1 || share == 0) continue;
    const auto mine = cores.subspan(i * share, share);
    slots[i].cores.assign(mine.begin(), mine.end());
  }
  return slots;
}

std::int64_t UsableMemory() {
  std::int64_t bytes = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) *
                       sysconf(_SC_PAGESIZE);
  for (const char* path : {"/sys/fs/cgroup/memory.max",
                           "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    if (const auto limit = LimitIn(path); limit > 0) {
      bytes = std::min(bytes, limit);
    }
  }
  return std::max<std::int64_t>(bytes, 0);
}

std::vector<Gpu> GpusIn(const std::string& listing) {
  std::vector<Gpu> gpus;
  std::istringstream in(listing);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    Gpu gpu;
    char comma = 0;
    std::int64_t mib = 0;
    if (words >> gpu.index >> comma >> mib && comma == ',') {
      gpu.bytes = mib << 20;
      gpus.push_back(gpu);
    }
  }
  return gpus;
}

std::vector<Gpu> DevicesFromText(const std::string& text,
                                 std::span<const Gpu> gpus) {
  if (gpus.empty()) {
    throw ConfigError(StrCat("--devices ", text,
                             ": nvidia-smi names no GPU on this machine"));
  }
  if (text == "all") return {gpus.begin(), gpus.end()};
  std::string known;
  for (const Gpu& gpu : gpus) {
    known += StrCat(known.empty() ? "" : ", ", gpu.index);
  }
  std::vector<Gpu> chosen;
  std::set<int> named;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');) {
    int index = -1;
    const auto [end, error] =
        std::from_chars(word.data(), word.data() + word.size(), index);
    const auto it = std::find_if(gpus.begin(), gpus.end(), [&](const Gpu& gpu) {
      return gpu.index == index;
    });
    if (error != std::errc() || end != word.data() + word.size() ||
        it == gpus.end() || !named.insert(index).second) {
      throw ConfigError(StrCat("--devices ", text, ": '", word,
                               "' is no GPU of this machine, or named twice; "
                               "expected all or some of ",
                               known));
    }
    chosen.push_back(*it);
  }
  if (chosen.empty()) {
    throw ConfigError(StrCat("--devices: expected all or some of ", known));
  }
  return chosen;
}

}  // namespace tailmark
