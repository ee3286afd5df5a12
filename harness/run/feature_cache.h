#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "harness/base/json.h"

namespace tailmark {

/// Everything a frozen encoder's features of one split are a function of. Where
/// two keys differ, a bit may.
struct FeatureKey {
  std::string weights_sha256;
  std::string pipeline;  ///< "clip-224"
  int pipeline_version = 1;
  std::string dtype = "float32";
  std::string ids_sha256;
  std::string manifest_sha256;
  std::string view = "plain";  ///< or "flip"
  std::string device_type = "cpu";
  std::string encoder_settings;
  Json numerics;  ///< ReadNumerics() and what else of the machine moves bits.
  std::int64_t batch_size = 64;

  Json ToJson() const;
  std::string Id() const;  ///< Hash of ToJson(): names the file.
};

/// A folder of feature matrices, one file a key, shared by any number of
/// processes: files appear whole (atomic rename), equal keys have equal bytes,
/// and nobody changes a file. Format: harness/run/README.md.
class FeatureCache {
 public:
  /// "" keeps nothing and finds nothing.
  explicit FeatureCache(std::filesystem::path folder);

  /// The matrix [rows, D] float32 of this key, mapped into memory, or nothing.
  /// A file that holds another key, another number of rows, or not the bytes it
  /// was written with is left alone with a warning: that is nothing too.
  std::optional<at::Tensor> Load(const FeatureKey& key,
                                 std::int64_t rows) const;

  /// Keeps `features` [N, D] float32 on the CPU. Throws StoreError.
  void Store(const FeatureKey& key, const at::Tensor& features) const;

  std::filesystem::path PathOf(const FeatureKey& key) const;

  /// The turn to compute these features, until it goes out of scope. Others who
  /// want the same wait for it and then find the file; `tick` is called as they
  /// do, and may throw. Where files cannot be locked everybody has the turn at
  /// once: that costs time and nothing else.
  class Turn {
   public:
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    friend class FeatureCache;
    Turn(std::filesystem::path path, int fd);
    std::filesystem::path path_;
    int fd_;
  };
  std::unique_ptr<Turn> WaitForTurn(const FeatureKey& key,
                                    const std::function<void()>& tick) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace tailmark
