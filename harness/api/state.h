#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>

namespace tailmark {

/// Named tensors and numbers on their way to or from a checkpoint file.
class StateWriter {
 public:
  virtual ~StateWriter() = default;
  virtual void Put(std::string_view key, const at::Tensor& value) = 0;
  virtual void PutInt(std::string_view key, std::int64_t value) = 0;
};

/// Throws DataError naming the key when it is absent.
class StateReader {
 public:
  virtual ~StateReader() = default;
  virtual bool Has(std::string_view key) const = 0;
  virtual at::Tensor Get(std::string_view key) const = 0;
  virtual std::int64_t GetInt(std::string_view key) const = 0;
};

}  // namespace tailmark
