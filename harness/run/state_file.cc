#include "harness/run/state_file.h"

#include <ATen/ATen.h>

#include <cstring>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/safetensors.h"
#include "harness/base/suggest.h"
#include "harness/run/tensors.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kFormat = "tailmark-state/2";
const std::string kBest = "best/";

template <class Map>
const typename Map::mapped_type& Find(const Map& map, std::string_view key) {
  if (const auto it = map.find(key); it != map.end()) return it->second;
  std::vector<std::string> names;
  for (const auto& entry : map) names.push_back(entry.first);
  throw DataError(StrCat("checkpoint: ", UnknownName("entry", key, names)));
}

const std::string& Member(const Safetensors& file, std::string_view name) {
  const auto it = file.metadata().find(name);
  if (it == file.metadata().end()) {
    throw DataError(
        StrCat(file.name(), ": not a checkpoint, it has no '", name, "'"));
  }
  return it->second;
}

}  // namespace

void MemoryState::Put(std::string_view key, const at::Tensor& value) {
  // clone: OnHost() of a tensor that is there already is that tensor.
  tensors_.insert_or_assign(std::string(key), OnHost(value).clone());
}
void MemoryState::PutInt(std::string_view key, std::int64_t value) {
  ints_.insert_or_assign(std::string(key), value);
}
bool MemoryState::Has(std::string_view key) const {
  return tensors_.contains(key) || ints_.contains(key);
}
at::Tensor MemoryState::Get(std::string_view key) const {
  return Find(tensors_, key);
}
std::int64_t MemoryState::GetInt(std::string_view key) const {
  return Find(ints_, key);
}

void Checkpoint::Write(const fs::path& path) const {
  Safetensors::Tensors views;
  Json ints = state.ints_;
  const auto add = [&](const std::string& name, const at::Tensor& tensor) {
    views.emplace(name, TensorView{.dtype = FileTypeOf(tensor),
                                   .shape = tensor.sizes().vec(),
                                   .bytes = BytesOf(tensor)});
  };
  for (const auto& [name, tensor] : state.tensors_) add(name, tensor);
  Json extended = run;
  extended["best"] = best.has_value();
  if (best) {
    for (const auto& [name, tensor] : best->tensors_) add(kBest + name, tensor);
    for (const auto& [name, value] : best->ints_) ints[kBest + name] = value;
  }
  WriteSafetensors(path, views,
                   {{"format", std::string(kFormat)},
                    {"key", key},
                    {"ints", Canonical(ints)},
                    {"run", Canonical(extended)}});
}

Checkpoint Checkpoint::Read(const fs::path& path) try {
  const Safetensors file = Safetensors::Open(path);
  if (Member(file, "format") != kFormat) {
    throw DataError(StrCat(path.string(), ": format is '",
                           Member(file, "format"), "', expected '", kFormat,
                           "'"));
  }
  Checkpoint out;
  out.key = Member(file, "key");
  out.run = ParseJson(Member(file, "run"), path.string());
  if (out.run.at("best").get<bool>()) out.best.emplace();
  out.run.erase("best");
  /// Where an entry belongs; `name` loses the mark.
  const auto owner = [&](std::string& name) -> MemoryState& {
    if (!out.best || !name.starts_with(kBest)) return out.state;
    name.erase(0, kBest.size());
    return *out.best;
  };
  const Json ints = ParseJson(Member(file, "ints"), path.string());
  for (const auto& [key, value] : ints.items()) {
    std::string name = key;
    MemoryState& to = owner(name);
    to.ints_.emplace(name, value.get<std::int64_t>());
  }
  for (const auto& [key, view] : file.tensors()) {
    // Copied: the bytes of the file need not be aligned, and the file will be
    // replaced while this lives.
    at::Tensor tensor = at::empty(view.shape, TensorTypeOf(view.dtype));
    if (!view.bytes.empty()) {  // of nothing there is no address
      std::memcpy(tensor.mutable_data_ptr(), view.bytes.data(),
                  view.bytes.size());
    }
    std::string name = key;
    MemoryState& to = owner(name);
    to.tensors_.emplace(name, std::move(tensor));
  }
  return out;
} catch (const Json::exception& error) {
  throw DataError(StrCat(path.string(), ": not a checkpoint: ", error.what()));
}

}  // namespace tailmark
