#include "datasets/images/resize_kernels.h"

// As resize_avx2.cc, with vectors of twice the width, one instruction to gather
// the bytes of eight pixels and one to multiply and add.
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <immintrin.h>

#include <cstring>

#define TM_AVX512 \
  __attribute__(( \
      target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vnni,avx2")))

namespace tailmark::internal {
namespace {

constexpr int kLowBits = 12;
constexpr int kRowsAtOnce = 4;

struct Sums {
  __m512i high;
  __m512i low;
};

TM_AVX512 inline Sums NoSums() {
  return {_mm512_setzero_si512(), _mm512_setzero_si512()};
}

TM_AVX512 inline __m512i Join(const Sums& sums) {
  return _mm512_add_epi32(_mm512_slli_epi32(sums.high, kLowBits), sums.low);
}

/// Weights of one group of eight taps, spread as the pixels are.
struct Weights {
  __m512i high;
  __m512i low;
};

/// Which bytes of eight pixels r g b make the words r0 r1 g0 g1 b0 b1 0 0 | r2
/// r3 ... 0 0 | r4 ... | r6 ..., and the places of those that are not 0.
struct Spread {
  __m512i bytes;
  __mmask64 mask = 0;
};

TM_AVX512 Spread MakeSpread() {
  alignas(64) std::uint8_t bytes[64] = {};
  std::uint64_t mask = 0;
  for (int lane = 0; lane < 4; ++lane) {
    for (int word = 0; word < 6; ++word) {
      const int at = lane * 16 + word * 2;
      const int pixel = lane * 2 + word % 2;
      bytes[at] = static_cast<std::uint8_t>(pixel * 3 + word / 2);
      mask |= std::uint64_t{1} << at;
    }
  }
  return {_mm512_load_si512(bytes), mask};
}

TM_AVX512 inline void AddEight(Sums& sums, const std::uint8_t* pixels,
                               const Spread& spread, const Weights& weights) {
  const __m256i loaded =
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(pixels));
  const __m512i words = _mm512_maskz_permutexvar_epi8(
      spread.mask, spread.bytes, _mm512_castsi256_si512(loaded));
  sums.high = _mm512_dpwssd_epi32(sums.high, words, weights.high);
  sums.low = _mm512_dpwssd_epi32(sums.low, words, weights.low);
}

/// The sums over the four lanes of a, b, c and d, in a lane each.
TM_AVX512 inline __m512i AddLanes(__m512i a, __m512i b, __m512i c, __m512i d) {
  const __m512i ab = _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x44),
                                      _mm512_shuffle_i32x4(a, b, 0xEE));
  const __m512i cd = _mm512_add_epi32(_mm512_shuffle_i32x4(c, d, 0x44),
                                      _mm512_shuffle_i32x4(c, d, 0xEE));
  return _mm512_add_epi32(_mm512_shuffle_i32x4(ab, cd, 0x88),
                          _mm512_shuffle_i32x4(ab, cd, 0xDD));
}

TM_AVX512 inline __m512i Rounded(__m512i sums) {
  const __m512i half = _mm512_set1_epi32(1 << (kWeightBits - 1));
  return _mm512_max_epi32(
      _mm512_srai_epi32(_mm512_add_epi32(sums, half), kWeightBits),
      _mm512_setzero_si512());
}

/// All outputs of four rows.
TM_AVX512 void FourRows(const Axis& axis, const std::uint8_t* const in[4],
                        std::uint8_t* const out[4]) {
  const Spread spread = MakeSpread();
  const __m512i take_high = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1,  //
                                              4, 4, 4, 4, 5, 5, 5, 5);
  const __m512i take_low = _mm512_add_epi32(take_high, _mm512_set1_epi32(2));
  const std::uint8_t* const in0 = in[0];
  const std::uint8_t* const in1 = in[1];
  const std::uint8_t* const in2 = in[2];
  const std::uint8_t* const in3 = in[3];
  const int taps = axis.taps;
  const std::int32_t* pairs = axis.pairs.data();
  for (std::size_t x = 0; x < axis.first.size(); ++x) {
    std::size_t at = static_cast<std::size_t>(axis.first[x]) * 3;
    Sums sums0 = NoSums(), sums1 = NoSums(), sums2 = NoSums(), sums3 = NoSums();
    for (int tap = 0; tap < taps; tap += 8, at += 24) {
      const __mmask8 there = taps - tap >= 8 ? 0xFF : 0x0F;
      const __m512i both =
          _mm512_castsi256_si512(_mm256_maskz_loadu_epi32(there, pairs));
      const Weights weights = {_mm512_permutexvar_epi32(take_high, both),
                               _mm512_permutexvar_epi32(take_low, both)};
      AddEight(sums0, in0 + at, spread, weights);
      AddEight(sums1, in1 + at, spread, weights);
      AddEight(sums2, in2 + at, spread, weights);
      AddEight(sums3, in3 + at, spread, weights);
      pairs += taps - tap >= 8 ? 8 : 4;
    }
    const __m128i bytes = _mm512_cvtusepi32_epi8(
        Rounded(AddLanes(Join(sums0), Join(sums1), Join(sums2), Join(sums3))));
    // The fourth byte is overwritten by the next pixel, or is slack.
    const int pixel[kRowsAtOnce] = {
        _mm_cvtsi128_si32(bytes), _mm_extract_epi32(bytes, 1),
        _mm_extract_epi32(bytes, 2), _mm_extract_epi32(bytes, 3)};
    for (int r = 0; r < kRowsAtOnce; ++r) {
      std::memcpy(out[r] + x * 3, &pixel[r], 4);
    }
  }
}

TM_AVX512 inline __m512i LoadColumns(const std::uint8_t* from) {
  return _mm512_cvtepu8_epi16(
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}

/// 32 columns of one output row.
TM_AVX512 inline __m256i Columns(const Axis& axis, const std::int32_t* pairs,
                                 const std::uint8_t* row, std::size_t stride) {
  Sums left = NoSums(), right = NoSums();
  for (int tap = 0; tap < axis.taps; tap += 4, pairs += 4) {
    for (int p = 0; p < 2; ++p, row += 2 * stride) {
      const __m512i k_high = _mm512_set1_epi32(pairs[p]);
      const __m512i k_low = _mm512_set1_epi32(pairs[2 + p]);
      const __m512i a = LoadColumns(row);
      const __m512i b = LoadColumns(row + stride);
      const __m512i ab_left = _mm512_unpacklo_epi16(a, b);
      const __m512i ab_right = _mm512_unpackhi_epi16(a, b);
      left.high = _mm512_dpwssd_epi32(left.high, ab_left, k_high);
      left.low = _mm512_dpwssd_epi32(left.low, ab_left, k_low);
      right.high = _mm512_dpwssd_epi32(right.high, ab_right, k_high);
      right.low = _mm512_dpwssd_epi32(right.low, ab_right, k_low);
    }
  }
  // Packing undoes what unpacking did to the order.
  return _mm512_cvtusepi16_epi8(
      _mm512_packus_epi32(Rounded(Join(left)), Rounded(Join(right))));
}

TM_AVX512 void Vertical(const Axis& axis, const std::uint8_t* in,
                        std::size_t in_stride, std::size_t columns,
                        std::uint8_t* out, std::size_t out_stride) {
  for (std::size_t y = 0; y < axis.first.size(); ++y, out += out_stride) {
    const std::uint8_t* top =
        in + static_cast<std::size_t>(axis.first[y]) * in_stride;
    const std::int32_t* pairs =
        axis.pairs.data() + y * static_cast<std::size_t>(axis.taps);
    for (std::size_t x = 0; x < columns; x += 32) {
      const std::size_t left = columns - x;
      const __mmask32 mask =
          left >= 32 ? 0xFFFFFFFFU : (std::uint32_t{1} << left) - 1;
      _mm256_mask_storeu_epi8(out + x, mask,
                              Columns(axis, pairs, top + x, in_stride));
    }
  }
}

TM_AVX512 void Horizontal(const Axis& axis, const std::uint8_t* in,
                          std::size_t in_stride, std::size_t readable, int rows,
                          std::uint8_t* out, std::size_t out_stride) {
  // Groups of eight may pass the last tap by four; a load is 32 bytes.
  const std::size_t reach = static_cast<std::size_t>(axis.reach + 4) * 3 + 8;
  InFours(axis, in, in_stride, readable, reach, rows, out, out_stride,
          &FourRows);
}

}  // namespace

const ResizeKernels* Avx512Kernels() {
  static constexpr ResizeKernels kKernels = {&Horizontal, &Vertical};
  const bool has = __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512vbmi") &&
                   __builtin_cpu_supports("avx512vnni");
  return has ? &kKernels : nullptr;
}

}  // namespace tailmark::internal

#else

namespace tailmark::internal {

const ResizeKernels* Avx512Kernels() { return nullptr; }

}  // namespace tailmark::internal

#endif
