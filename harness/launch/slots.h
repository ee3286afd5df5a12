#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tailmark {

/// Where one worker at a time runs.
struct Slot {
  std::string device;      ///< "cuda:1"; "": as the recipe says.
  std::vector<int> cores;  ///< It may use these alone; empty: any.
};

/// Numbers of the cores that this process may use.
std::vector<int> AllowedCores();

/// One slot for each worker, the devices dealt out in turn, the cores divided
/// equally; when there are fewer cores than slots, nobody is tied to any.
std::vector<Slot> MakeSlots(int workers, std::span<const std::string> devices,
                            std::span<const int> cores);

/// Memory that processes here may use, bytes: of the machine or, when that is
/// less, of our control group. 0 when it cannot be told.
std::int64_t UsableMemory();

/// A GPU as its driver names it.
struct Gpu {
  int index = 0;
  std::int64_t bytes = 0;
};
/// Of "0, 81559" lines: what nvidia-smi says of index and MiB. Anything else is
/// left out.
std::vector<Gpu> GpusIn(const std::string& listing);

/// "all" or "0,2" as numbers of those there are. Throws ConfigError for any
/// other text, a number that is not there, or one named twice.
std::vector<Gpu> DevicesFromText(const std::string& text,
                                 std::span<const Gpu> gpus);

}  // namespace tailmark
