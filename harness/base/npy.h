#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tailmark {

/// Element types of arrays on disk (.npy, safetensors). Little-endian.
enum class DType : std::uint8_t {
  kBool,
  kUint8,
  kInt32,
  kInt64,
  kFloat16,
  kBfloat16,
  kFloat32,
  kFloat64
};
std::size_t SizeOf(DType dtype);
/// "float32", ...: the word recorded beside results.
std::string_view NameOf(DType dtype);

/// A dense C-order array in memory.
struct NpyArray {
  DType dtype = DType::kFloat32;
  std::vector<std::int64_t> shape;
  std::string bytes;

  std::int64_t elements() const;
  /// The elements as they lie. REQUIRES: sizeof(T) fits dtype.
  template <class T>
  std::span<const T> As() const {
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

/// Parses .npy version 1-3, C order, one of the types above but bfloat16.
/// Every size is checked before anything is allocated. Throws DataError that
/// begins with `name`.
NpyArray ParseNpy(std::string bytes, std::string_view name);
NpyArray ReadNpy(const std::filesystem::path& path);

/// The header of an .npy file, padded so that the data is 64-byte aligned.
std::string NpyHeader(DType dtype, std::span<const std::int64_t> shape);

/// Header and data, written by WriteFileAtomic. REQUIRES: the byte count fits
/// the shape.
void WriteNpy(const std::filesystem::path& path, DType dtype,
              std::span<const std::int64_t> shape,
              std::span<const std::byte> data);
template <class T>
void WriteNpy(const std::filesystem::path& path, DType dtype,
              std::span<const std::int64_t> shape, const std::vector<T>& data) {
  WriteNpy(path, dtype, shape, std::as_bytes(std::span(data)));
}

/// The array's values as double, whatever the type (exact for all of them).
std::vector<double> ToDoubles(const NpyArray& array);

/// IEEE half and bfloat16 to float, exact.
float HalfToFloat(std::uint16_t half);
float Bfloat16ToFloat(std::uint16_t bits);

}  // namespace tailmark
