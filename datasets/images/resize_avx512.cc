#include "datasets/images/resize_kernels.h"

// As resize_avx2.cc, with vectors of twice the width, one instruction to gather
// the bytes of eight pixels and one to multiply and add.
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <vector>

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

/// A load of 64 bytes: what four neighbouring outputs see lies in one as long
/// as a picture shrinks by less than about four.
constexpr std::size_t kLoad = 64;

/// Four neighbouring outputs, a lane each: no sums over lanes are needed.
struct Four {
  alignas(kLoad) std::uint8_t bytes[kLoad];  ///< Of the first two taps.
  std::size_t from;   ///< Byte of a row that the load begins with.
  std::size_t to;     ///< Byte of the row of outputs.
  std::size_t pairs;  ///< Two taps each.
  std::size_t table;  ///< Where in Fours::weights the first pair is.
};

struct Fours {
  std::vector<Four> all;  ///< Empty: this is not the way.
  /// [pairs, 8]: of the four outputs the high halves, then the low ones.
  std::vector<std::int32_t> weights;
  std::size_t reach = 0;  ///< Bytes of a row that are read.
};

/// Pairs of taps up to the last that weighs something.
std::size_t PairsOf(const Axis& axis, std::size_t output) {
  const auto taps = static_cast<std::size_t>(axis.taps);
  const std::int32_t* weights = axis.weights.data() + output * taps;
  std::size_t used = taps;
  while (used > 0 && weights[used - 1] == 0) --used;
  return (used + 1) / 2;
}

/// False where one load does not hold what `four` sees.
bool AddFour(const Axis& axis, std::size_t output, Fours& fours) {
  const auto first = [&axis](std::size_t i) {
    return static_cast<std::size_t>(axis.first[i]) * 3;
  };
  Four four{};
  four.from = first(output);
  four.to = output * 3;
  four.table = fours.weights.size();
  for (std::size_t i = output; i < output + 4; ++i) {
    four.pairs = std::max(four.pairs, PairsOf(axis, i));
  }
  if (first(output + 3) - four.from + four.pairs * 6 > kLoad) return false;
  for (std::size_t lane = 0; lane < 4; ++lane) {
    for (std::size_t word = 0; word < 6; ++word) {
      four.bytes[lane * 16 + word * 2] = static_cast<std::uint8_t>(
          first(output + lane) - four.from + word % 2 * 3 + word / 2);
    }
  }
  const auto taps = static_cast<std::size_t>(axis.taps);
  for (std::size_t pair = 0; pair < four.pairs; ++pair) {
    for (const std::size_t half : {0U, 2U}) {
      for (std::size_t i = output; i < output + 4; ++i) {
        fours.weights.push_back(
            axis.pairs[i * taps + pair / 2 * 4 + pair % 2 + half]);
      }
    }
  }
  fours.reach = std::max(fours.reach, four.from + kLoad);
  fours.all.push_back(four);
  return true;
}

Fours MakeFours(const Axis& axis) {
  Fours fours;
  const std::size_t size = axis.first.size();
  if (size < 4) return fours;
  for (std::size_t output = 0; output < size; output += 4) {
    // The last four overlap those before where four does not divide.
    if (!AddFour(axis, std::min(output, size - 4), fours)) return {};
  }
  return fours;
}

/// Words of four outputs' next two pixels, times their weights.
TM_AVX512 inline void AddPair(Sums& sums, __m512i pixels, __mmask64 mask,
                              __m512i bytes, const Weights& weights) {
  const __m512i words = _mm512_maskz_permutexvar_epi8(mask, bytes, pixels);
  sums.high = _mm512_dpwssd_epi32(sums.high, words, weights.high);
  sums.low = _mm512_dpwssd_epi32(sums.low, words, weights.low);
}

TM_AVX512 inline __m512i Shifted(const Sums& sums) {
  return _mm512_srai_epi32(Join(sums), kWeightBits);
}

/// Which bytes of four outputs (lanes) of four rows (dwords) make four rows
/// (lanes) of four pixels.
TM_AVX512 __m512i MakeGather() {
  alignas(kLoad) std::uint8_t bytes[kLoad] = {};
  for (std::size_t row = 0; row < 4; ++row) {
    for (std::size_t at = 0; at < 12; ++at) {
      bytes[row * 16 + at] =
          static_cast<std::uint8_t>(at / 3 * 16 + row * 4 + at % 3);
    }
  }
  return _mm512_load_si512(bytes);
}

TM_AVX512 inline __m512i LoadPixels(const std::uint8_t* from) {
  return _mm512_loadu_si512(from);
}

/// All outputs of four rows.
TM_AVX512 void FourRowsByFours(const Fours& fours,
                               const std::uint8_t* const in[4],
                               std::uint8_t* const out[4]) {
  const __mmask64 mask = MakeSpread().mask;
  const __m512i gather = MakeGather();
  const __m512i take_high = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1,  //
                                              2, 2, 2, 2, 3, 3, 3, 3);
  const __m512i take_low = _mm512_add_epi32(take_high, _mm512_set1_epi32(4));
  const __m512i next = _mm512_set1_epi8(6);
  const Sums half = {_mm512_setzero_si512(),
                     _mm512_set1_epi32(1 << (kWeightBits - 1))};
  for (const Four& four : fours.all) {
    const __m512i pixels0 = LoadPixels(in[0] + four.from);
    const __m512i pixels1 = LoadPixels(in[1] + four.from);
    const __m512i pixels2 = LoadPixels(in[2] + four.from);
    const __m512i pixels3 = LoadPixels(in[3] + four.from);
    Sums sums0 = half, sums1 = half, sums2 = half, sums3 = half;
    __m512i bytes = _mm512_load_si512(four.bytes);
    const std::int32_t* table = fours.weights.data() + four.table;
    for (std::size_t pair = 0; pair < four.pairs; ++pair, table += 8) {
      const __m512i both = _mm512_castsi256_si512(
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(table)));
      const Weights weights = {_mm512_permutexvar_epi32(take_high, both),
                               _mm512_permutexvar_epi32(take_low, both)};
      AddPair(sums0, pixels0, mask, bytes, weights);
      AddPair(sums1, pixels1, mask, bytes, weights);
      AddPair(sums2, pixels2, mask, bytes, weights);
      AddPair(sums3, pixels3, mask, bytes, weights);
      bytes = _mm512_add_epi8(bytes, next);
    }
    const __m512i rows = _mm512_permutexvar_epi8(
        gather, _mm512_packus_epi16(
                    _mm512_packs_epi32(Shifted(sums0), Shifted(sums1)),
                    _mm512_packs_epi32(Shifted(sums2), Shifted(sums3))));
    // The last four bytes are overwritten by the next pixels, or are slack.
    const auto put = [&four](std::uint8_t* row, __m128i pixels) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(row + four.to), pixels);
    };
    put(out[0], _mm512_castsi512_si128(rows));
    put(out[1], _mm512_extracti32x4_epi32(rows, 1));
    put(out[2], _mm512_extracti32x4_epi32(rows, 2));
    put(out[3], _mm512_extracti32x4_epi32(rows, 3));
  }
}

TM_AVX512 inline __m512i LoadColumns(const std::uint8_t* from) {
  return _mm512_cvtepu8_epi16(
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}

/// 32 columns of one output row, of which `used` pairs of taps weigh something.
TM_AVX512 inline __m256i Columns(const std::int32_t* pairs, std::size_t used,
                                 const std::uint8_t* row, std::size_t stride) {
  Sums left = NoSums(), right = NoSums();
  for (std::size_t pair = 0; pair < used; ++pair, row += 2 * stride) {
    const std::int32_t* four = pairs + pair / 2 * 4 + pair % 2;
    const __m512i k_high = _mm512_set1_epi32(four[0]);
    const __m512i k_low = _mm512_set1_epi32(four[2]);
    const __m512i a = LoadColumns(row);
    const __m512i b = LoadColumns(row + stride);
    const __m512i ab_left = _mm512_unpacklo_epi16(a, b);
    const __m512i ab_right = _mm512_unpackhi_epi16(a, b);
    left.high = _mm512_dpwssd_epi32(left.high, ab_left, k_high);
    left.low = _mm512_dpwssd_epi32(left.low, ab_left, k_low);
    right.high = _mm512_dpwssd_epi32(right.high, ab_right, k_high);
    right.low = _mm512_dpwssd_epi32(right.low, ab_right, k_low);
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
    const std::size_t used = PairsOf(axis, y);
    for (std::size_t x = 0; x < columns; x += 32) {
      const std::size_t left = columns - x;
      const __mmask32 mask =
          left >= 32 ? 0xFFFFFFFFU : (std::uint32_t{1} << left) - 1;
      _mm256_mask_storeu_epi8(out + x, mask,
                              Columns(pairs, used, top + x, in_stride));
    }
  }
}

void Horizontal(const Axis& axis, const std::uint8_t* in, std::size_t in_stride,
                std::size_t readable, int rows, std::uint8_t* out,
                std::size_t out_stride) {
  using From = const std::uint8_t* const*;
  using To = std::uint8_t* const*;
  const Fours fours = MakeFours(axis);
  if (!fours.all.empty()) {
    InFours(axis, in, in_stride, readable, fours.reach, rows, out, out_stride,
            [&](From from, To to) { FourRowsByFours(fours, from, to); });
    return;
  }
  // Groups of eight may pass the last tap by four; a load is 32 bytes.
  const std::size_t reach = static_cast<std::size_t>(axis.reach + 4) * 3 + 8;
  InFours(axis, in, in_stride, readable, reach, rows, out, out_stride,
          [&](From from, To to) { FourRows(axis, from, to); });
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
