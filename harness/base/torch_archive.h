#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "harness/base/safetensors.h"

namespace tailmark {

/// The tensors of a file written by torch.save or torch.jit.save: a zip archive
/// of stored (not compressed) members, of which data.pkl says what they are.
///
/// Nothing of the file is executed. data.pkl is read by an interpreter of the
/// few instructions that such files use; objects become their attributes, and
/// the only calls it knows are those that rebuild tensors and ordered
/// dictionaries. Code in the archive is never looked at. Immutable, hence
/// thread-safe.
class TorchArchive {
 public:
  /// Throws DataError: not such an archive, an instruction or call that is not
  /// among the known ones, a tensor that is not inside its storage.
  static TorchArchive Open(const std::filesystem::path& path);
  /// The same of bytes in memory; `name` begins every message.
  static TorchArchive Parse(std::string bytes, std::string_view name);

  /// Every tensor by its path through attributes and keys, joined by ".":
  /// "visual.conv1.weight". Dense, in C order.
  const Safetensors::Tensors& tensors() const { return tensors_; }
  const std::string& name() const { return name_; }
  /// Keeps the bytes behind the views alive.
  std::shared_ptr<const void> owner() const { return owner_; }

 private:
  TorchArchive() = default;

  std::shared_ptr<const void> owner_;
  std::string name_;
  Safetensors::Tensors tensors_;
};

}  // namespace tailmark
