#include "datasets/images/resize_kernels.h"

// 22-bit weights do not fit the 16-bit multiply-and-add that makes this fast,
// so each is cut in a high and a low half that are summed apart: exact.
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <immintrin.h>

#include <cstring>

#define TM_AVX2 __attribute__((target("avx2")))

namespace tailmark::internal {
namespace {

constexpr int kLowBits = 12;
constexpr int kRowsAtOnce = 4;
/// Four pixels are 12 bytes, read as 16.
constexpr std::size_t kGroupBytes = 12;

TM_AVX2 __m256i Load(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}
TM_AVX2 __m256i LoadTwice(const void* from) {
  return _mm256_broadcastsi128_si256(
      _mm_loadu_si128(static_cast<const __m128i*>(from)));
}

/// High and low sums of eight outputs, joined, rounded, shifted.
TM_AVX2 __m256i Join(__m256i high, __m256i low) {
  const __m256i half = _mm256_set1_epi32(1 << (kWeightBits - 1));
  const __m256i sum = _mm256_add_epi32(
      _mm256_add_epi32(_mm256_slli_epi32(high, kLowBits), low), half);
  return _mm256_srai_epi32(sum, kWeightBits);
}

/// Sums of one output pixel; each 128-bit half has its r, g, b, 0.
struct Sums {
  __m256i high;
  __m256i low;
};

TM_AVX2 inline Sums NoSums() {
  return {_mm256_setzero_si256(), _mm256_setzero_si256()};
}

/// Adds four pixels, of which `spread` makes words r0 r1 g0 g1 b0 b1 0 0 and
/// r2 r3 g2 g3 b2 b3 0 0.
TM_AVX2 inline void AddFour(Sums& sums, const std::uint8_t* pixels,
                            __m256i spread, __m256i k_high, __m256i k_low) {
  const __m256i words = _mm256_shuffle_epi8(LoadTwice(pixels), spread);
  sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(words, k_high));
  sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(words, k_low));
}

TM_AVX2 inline __m128i JoinHalves(const Sums& sums) {
  const __m128i half = _mm_set1_epi32(1 << (kWeightBits - 1));
  const __m256i sum =
      _mm256_add_epi32(_mm256_slli_epi32(sums.high, kLowBits), sums.low);
  return _mm_srai_epi32(
      _mm_add_epi32(_mm_add_epi32(_mm256_castsi256_si128(sum),
                                  _mm256_extracti128_si256(sum, 1)),
                    half),
      kWeightBits);
}

/// All outputs of four rows. (Spelt out: in arrays the sums would live in
/// memory, at a third of the speed.)
TM_AVX2 void FourRows(const Axis& axis, const std::uint8_t* const in[4],
                      std::uint8_t* const out[4]) {
  const __m256i spread = _mm256_setr_epi8(
      0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,  //
      6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
  const __m256i take_high = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
  const __m256i take_low = _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3);
  const std::uint8_t* const in0 = in[0];
  const std::uint8_t* const in1 = in[1];
  const std::uint8_t* const in2 = in[2];
  const std::uint8_t* const in3 = in[3];
  const int groups = axis.taps / 4;
  const std::int32_t* pairs = axis.pairs.data();
  for (std::size_t x = 0; x < axis.first.size(); ++x) {
    std::size_t at = static_cast<std::size_t>(axis.first[x]) * 3;
    Sums sums0 = NoSums(), sums1 = NoSums(), sums2 = NoSums(), sums3 = NoSums();
    for (int g = 0; g < groups; ++g, at += kGroupBytes, pairs += 4) {
      const __m256i both = LoadTwice(pairs);
      const __m256i k_high = _mm256_permutevar8x32_epi32(both, take_high);
      const __m256i k_low = _mm256_permutevar8x32_epi32(both, take_low);
      AddFour(sums0, in0 + at, spread, k_high, k_low);
      AddFour(sums1, in1 + at, spread, k_high, k_low);
      AddFour(sums2, in2 + at, spread, k_high, k_low);
      AddFour(sums3, in3 + at, spread, k_high, k_low);
    }
    const __m128i bytes =
        _mm_packus_epi16(_mm_packs_epi32(JoinHalves(sums0), JoinHalves(sums1)),
                         _mm_packs_epi32(JoinHalves(sums2), JoinHalves(sums3)));
    // The fourth byte is overwritten by the next pixel, or is slack.
    const int pixel[kRowsAtOnce] = {
        _mm_cvtsi128_si32(bytes), _mm_extract_epi32(bytes, 1),
        _mm_extract_epi32(bytes, 2), _mm_extract_epi32(bytes, 3)};
    for (int r = 0; r < kRowsAtOnce; ++r) {
      std::memcpy(out[r] + x * 3, &pixel[r], 4);
    }
  }
}

TM_AVX2 void Horizontal(const Axis& axis, const std::uint8_t* in,
                        std::size_t in_stride, std::size_t readable, int rows,
                        std::uint8_t* out, std::size_t out_stride) {
  // Four pixels are read as 16 bytes.
  const std::size_t reach = static_cast<std::size_t>(axis.reach) * 3 + 4;
  InFours(axis, in, in_stride, readable, reach, rows, out, out_stride,
          [&axis](const std::uint8_t* const from[4],
                  std::uint8_t* const to[4]) { FourRows(axis, from, to); });
}

TM_AVX2 void Vertical(const Axis& axis, const std::uint8_t* in,
                      std::size_t in_stride, std::size_t columns,
                      std::uint8_t* out, std::size_t out_stride) {
  const __m256i zero = _mm256_setzero_si256();
  const int groups = axis.taps / 4;
  for (std::size_t y = 0; y < axis.first.size(); ++y, out += out_stride) {
    const std::uint8_t* top =
        in + static_cast<std::size_t>(axis.first[y]) * in_stride;
    const std::int32_t* all_pairs =
        axis.pairs.data() + y * static_cast<std::size_t>(axis.taps);
    for (std::size_t x = 0; x < columns; x += 32) {
      __m256i high[4] = {zero, zero, zero, zero};
      __m256i low[4] = {zero, zero, zero, zero};
      const std::uint8_t* row = top + x;
      const std::int32_t* pairs = all_pairs;
      for (int g = 0; g < groups; ++g, pairs += 4) {
        for (int p = 0; p < 2; ++p, row += 2 * in_stride) {
          const __m256i k_high = _mm256_set1_epi32(pairs[p]);
          const __m256i k_low = _mm256_set1_epi32(pairs[2 + p]);
          const __m256i a = Load(row);
          const __m256i b = Load(row + in_stride);
          const __m256i ab[2] = {_mm256_unpacklo_epi8(a, b),
                                 _mm256_unpackhi_epi8(a, b)};
          for (std::size_t h = 0; h < 2; ++h) {
            const __m256i left = _mm256_unpacklo_epi8(ab[h], zero);
            const __m256i right = _mm256_unpackhi_epi8(ab[h], zero);
            const std::size_t i = 2 * h;
            high[i] =
                _mm256_add_epi32(high[i], _mm256_madd_epi16(left, k_high));
            low[i] = _mm256_add_epi32(low[i], _mm256_madd_epi16(left, k_low));
            high[i + 1] =
                _mm256_add_epi32(high[i + 1], _mm256_madd_epi16(right, k_high));
            low[i + 1] =
                _mm256_add_epi32(low[i + 1], _mm256_madd_epi16(right, k_low));
          }
        }
      }
      const __m256i bytes = _mm256_packus_epi16(
          _mm256_packs_epi32(Join(high[0], low[0]), Join(high[1], low[1])),
          _mm256_packs_epi32(Join(high[2], low[2]), Join(high[3], low[3])));
      if (x + 32 <= columns) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + x), bytes);
      } else {
        alignas(32) std::uint8_t last[32];
        _mm256_store_si256(reinterpret_cast<__m256i*>(last), bytes);
        std::memcpy(out + x, last, columns - x);
      }
    }
  }
}

}  // namespace

const ResizeKernels* Avx2Kernels() {
  static constexpr ResizeKernels kKernels = {&Horizontal, &Vertical};
  return __builtin_cpu_supports("avx2") ? &kKernels : nullptr;
}

}  // namespace tailmark::internal

#else

namespace tailmark::internal {

const ResizeKernels* Avx2Kernels() { return nullptr; }

}  // namespace tailmark::internal

#endif
