#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "harness/base/npy.h"
#include "harness/base/safetensors.h"

/// The pickle inside of torch's archives, as data and nothing else.
namespace tailmark::pickle {

struct Value;
/// Into the machine's store: a pickle may nest a million deep, or in itself.
using Ref = Value*;
using List = std::vector<Ref>;
struct None {};
struct Mark {};
struct Global {
  std::string name;  // "torch FloatStorage"
};
struct Dict {
  std::vector<std::pair<Ref, Ref>> items;
};
/// An instance of whatever class: only its state counts.
struct Object {
  Ref state = nullptr;
};
struct Storage {
  DType dtype = DType::kFloat32;
  std::span<const std::byte> bytes;
};
struct Value {
  std::variant<None, Mark, bool, std::int64_t, std::string, List, Dict, Global,
               Object, Storage, TensorView>
      it;
};

/// Members of a zip archive.
using Members = std::map<std::string, std::span<const std::byte>, std::less<>>;

/// What a pickle left.
struct Result {
  Ref root = nullptr;
  std::shared_ptr<const void> values;  ///< Keeps them alive.
  /// Tensors that were not dense, copied; views point into these.
  std::vector<std::shared_ptr<const std::string>> copies;
};

/// Runs `program` (protocol 2) of an archive called `name` in messages.
/// Storages are `prefix` data/KEY of `members`. `archive_bytes` bounds how much
/// may be copied. Throws DataError for an instruction or call that weights have
/// no need of, a tensor outside of its storage, and what would take memory or
/// time out of all proportion.
Result Run(std::span<const std::byte> program, const Members& members,
           std::string prefix, std::size_t archive_bytes,
           std::string_view name);

}  // namespace tailmark::pickle
