#pragma once

#include <cstdint>
#include <string_view>

namespace tailmark {

/// The splitmix64 finaliser (Steele, Lea, Flood 2014).
constexpr std::uint64_t Mix64(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

/// A counter-based stream of chance: draw n depends on (seed, domain, index, n)
/// alone, so any sample's draws can be made at any time, on any thread. Integer
/// arithmetic only: the same on every platform.
class ChanceStream {
 public:
  constexpr ChanceStream(std::uint64_t seed, std::uint64_t domain,
                         std::uint64_t index)
      : key_(Mix64(Mix64(Mix64(seed) ^ domain) ^ index)) {}

  constexpr std::uint32_t Bits() {
    ++draws_;
    return static_cast<std::uint32_t>(
        Mix64(key_ + draws_ * 0x632BE59BD9B4E019U) >> 32);
  }
  /// Uniform in [0, m). REQUIRES: m > 0.
  constexpr std::uint32_t Below(std::uint32_t m) {
    return static_cast<std::uint32_t>(
        (static_cast<std::uint64_t>(Bits()) * m) >> 32);
  }
  /// Uniform in [lo, hi], both included.
  constexpr int Range(int lo, int hi) {
    return lo +
           static_cast<int>(Below(static_cast<std::uint32_t>(hi - lo + 1)));
  }
  /// True with `percent` in a hundred.
  constexpr bool Chance(int percent) {
    return static_cast<int>(Below(100)) < percent;
  }
  /// Uniform in [0, 1) with 32 bits.
  constexpr double Unit() { return Bits() * 0x1p-32; }

 private:
  std::uint64_t key_;
  std::uint64_t draws_ = 0;
};

/// The seed of a named stream: DeriveSeed(run_seed, "train/shuffle", epoch).
/// Streams of different names or indices are independent. Fits a non-negative
/// int64, so that it can be written in JSON and given to any generator.
std::uint64_t DeriveSeed(std::uint64_t root, std::string_view name,
                         std::uint64_t index = 0);

}  // namespace tailmark
