#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "harness/base/safetensors.h"

namespace tailmark {

/// The tensors of a weights file or folder as one set. A file: safetensors, or
/// an archive of torch (.pt). A folder: the shards that
/// model.safetensors.index.json lists; else model.safetensors or
/// open_clip_model.safetensors; else its only .pt file.
class WeightFiles {
 public:
  /// Throws DataError.
  explicit WeightFiles(const std::filesystem::path& path);

  const Safetensors::Tensors& tensors() const { return tensors_; }
  const std::string& name() const { return name_; }  ///< For messages.
  std::size_t bytes() const;                         ///< Of all tensors.
  bool openai_names() const { return openai_names_; }

  /// A copy of a tensor of this shape; remembers that it was used. Throws
  /// DataError when it is missing, of another shape, not floating point or not
  /// finite.
  at::Tensor Take(const std::string& name, at::IntArrayRef shape);

  /// A tensor nobody asked for means the configuration is not this file's:
  /// DataError.
  void CheckAllUsed() const;

 private:
  void AddShards(const std::filesystem::path& index);
  void AddSafetensors(const std::filesystem::path& path);
  void AddArchive(const std::filesystem::path& path);

  std::string name_;
  std::vector<std::shared_ptr<const void>> owners_;
  Safetensors::Tensors tensors_;
  std::set<std::string> used_;
  bool openai_names_ = false;
};

}  // namespace tailmark
