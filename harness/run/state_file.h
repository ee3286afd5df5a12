#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "harness/api/state.h"
#include "harness/base/json.h"

namespace tailmark {

/// A method's state in memory. Put() copies, so that later steps change
/// nothing; Get() hands out what was put.
class MemoryState final : public StateWriter, public StateReader {
 public:
  void Put(std::string_view key, const at::Tensor& value) override;
  void PutInt(std::string_view key, std::int64_t value) override;
  bool Has(std::string_view key) const override;
  at::Tensor Get(std::string_view key) const override;
  std::int64_t GetInt(std::string_view key) const override;

 private:
  friend struct Checkpoint;
  std::map<std::string, at::Tensor, std::less<>> tensors_;
  std::map<std::string, std::int64_t, std::less<>> ints_;
};

/// state.safetensors of a bundle: the tensors of a method, its numbers as JSON
/// in the metadata entry "ints", the same of `best` under names that begin with
/// "best/", and what the runner needs to go on in "run".
/// Equal state gives equal bytes.
struct Checkpoint {
  std::string key;  ///< RunKey of the run that wrote it.
  MemoryState state;
  std::optional<MemoryState> best;  ///< What selection has chosen so far.
  Json run = Json::object();

  /// Atomically. Throws StoreError.
  void Write(const std::filesystem::path& path) const;
  /// Throws DataError when the file is not a checkpoint.
  static Checkpoint Read(const std::filesystem::path& path);
};

}  // namespace tailmark
