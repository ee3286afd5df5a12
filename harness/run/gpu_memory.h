#pragma once

#include <c10/core/Device.h>

#include <cstdint>

namespace tailmark {

/// Bytes that LibTorch's allocator has taken of a device by now; 0 for the CPU
/// and for a device that has not been used yet.
std::int64_t GpuBytes(c10::Device device);
/// The most it ever had.
std::int64_t PeakGpuBytes(c10::Device device);

/// Throws OverGpuLimit when it ever had more than `limit` bytes (0: no limit).
void RequireGpuMemory(c10::Device device, std::int64_t limit);

}  // namespace tailmark
