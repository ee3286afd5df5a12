#include "harness/run/gpu_memory.h"

#include <c10/core/CachingDeviceAllocator.h>

#include "harness/base/progress.h"
#include "harness/run/run_errors.h"

namespace tailmark {
namespace {

// The allocator's common face: CUDA's own would need its headers.
c10::CachingAllocator::Stat Reserved(c10::Device device) {
  if (device.is_cpu()) return {};
  auto* allocator =
      dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
  if (allocator == nullptr || !allocator->initialized()) return {};
  constexpr auto kAll =
      static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return allocator->getDeviceStats(device.has_index() ? device.index() : 0)
      .reserved_bytes[kAll];
}

}  // namespace

std::int64_t GpuBytes(c10::Device device) { return Reserved(device).current; }
std::int64_t PeakGpuBytes(c10::Device device) { return Reserved(device).peak; }

void RequireGpuMemory(c10::Device device, std::int64_t limit) {
  if (limit == 0) return;
  const std::int64_t peak = PeakGpuBytes(device);
  if (peak <= limit) return;
  throw OverGpuLimit(StrCat("used ", FormatBytes(static_cast<double>(peak)),
                            " of GPU memory, more than its limit of ",
                            FormatBytes(static_cast<double>(limit))));
}

}  // namespace tailmark
