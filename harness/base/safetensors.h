#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/npy.h"

/// The safetensors format: 8 bytes with the length of a JSON header, the header
/// {"name": {"dtype", "shape", "data_offsets"}, "__metadata__": {...}}, the
/// data. Used for weights, checkpoints and feature caches.
namespace tailmark {

/// One tensor as it lies in the file: dense, C order, little-endian. The bytes
/// need not be aligned.
struct TensorView {
  DType dtype = DType::kFloat32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;

  std::int64_t elements() const {
    return static_cast<std::int64_t>(bytes.size() / SizeOf(dtype));
  }
};

/// "[2, 3]", as error messages spell a shape.
std::string ShapeText(std::span<const std::int64_t> shape);

/// A checked safetensors file. Every name, type, shape and offset was validated
/// on opening: views are inside the file, do not overlap, leave no gap and have
/// exactly the bytes their shape needs. Copies share the bytes. Immutable,
/// hence thread-safe. The file must not be changed in place while it is open
/// (files written by WriteFileAtomic are replaced, not changed).
class Safetensors {
 public:
  using Tensors = std::map<std::string, TensorView, std::less<>>;
  using Metadata = std::map<std::string, std::string, std::less<>>;

  /// Maps the file into memory; only what is looked at gets read. Throws
  /// DataError when it cannot be opened or its header is not true.
  static Safetensors Open(const std::filesystem::path& path);
  /// The same of bytes in memory; `name` begins every message.
  static Safetensors Parse(std::string bytes, std::string_view name);

  const Tensors& tensors() const { return tensors_; }
  /// The file's "__metadata__"; empty when it has none.
  const Metadata& metadata() const { return metadata_; }
  /// Path or name, for messages.
  const std::string& name() const { return name_; }

  bool Has(std::string_view tensor) const { return tensors_.contains(tensor); }
  /// Throws DataError naming the tensor and the nearest present name.
  const TensorView& At(std::string_view tensor) const;

  /// Keeps the bytes behind the views alive.
  std::shared_ptr<const void> owner() const { return owner_; }

 private:
  Safetensors(std::shared_ptr<const void> owner,
              std::span<const std::byte> bytes, std::string_view name);

  std::shared_ptr<const void> owner_;
  std::string name_;
  Tensors tensors_;
  Metadata metadata_;
};

/// Header and data for `tensors`, the widest types first and then by name, so
/// that every tensor is aligned. Equal input gives equal bytes.
/// REQUIRES: byte counts fit the shapes; names are UTF-8 and not
/// "__metadata__".
std::string SafetensorsBytes(const Safetensors::Tensors& tensors,
                             const Safetensors::Metadata& metadata = {});

/// SafetensorsBytes written by WriteFileAtomic, without a second copy of the
/// data in memory. Throws StoreError.
void WriteSafetensors(const std::filesystem::path& path,
                      const Safetensors::Tensors& tensors,
                      const Safetensors::Metadata& metadata = {});

}  // namespace tailmark
