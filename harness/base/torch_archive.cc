#include "harness/base/torch_archive.h"

#include <utility>
#include <variant>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/stored_zip.h"
#include "harness/base/torch_pickle.h"

namespace tailmark {
namespace {

// Bounds against files made to exhaust memory or stack.
constexpr int kDeepest = 64;
constexpr std::size_t kMostVisits = 1 << 20;
constexpr std::size_t kLongestPath = 4096;
constexpr std::size_t kMostPathBytes = 64 << 20;

/// Finds tensors by their path. A pickle may refer to itself, and to one long
/// dictionary or key a million times: depth, visits and names are bounded.
class Collector {
 public:
  Collector(std::string_view name, Safetensors::Tensors& out)
      : name_(name), out_(out) {}

  /// Those below `value`, whose path is `path`.
  void Collect(pickle::Ref value, const std::string& path, int depth) {
    if (value == nullptr || depth > kDeepest) return;
    if (const auto* tensor = std::get_if<TensorView>(&value->it)) {
      path_bytes_ += path.size();
      if (path_bytes_ > kMostPathBytes) Fail("has too many tensors to name");
      out_.emplace(path, *tensor);
    } else if (const auto* object = std::get_if<pickle::Object>(&value->it)) {
      Visit();
      Collect(object->state, path, depth + 1);
    } else if (const auto* dict = std::get_if<pickle::Dict>(&value->it)) {
      for (const auto& [key, each] : dict->items) {
        Visit();
        const auto* name = std::get_if<std::string>(&key->it);
        if (name == nullptr) continue;
        if (path.size() + name->size() >= kLongestPath) {
          Fail(StrCat("names a tensor with over ", kLongestPath, " bytes"));
        }
        Collect(each, path.empty() ? *name : StrCat(path, ".", *name),
                depth + 1);
      }
    }
  }

 private:
  void Visit() {
    if (++visits_ > kMostVisits) Fail("has too many items");
  }
  [[noreturn]] void Fail(std::string_view what) const {
    throw DataError(StrCat(name_, ": data.pkl ", what));
  }

  std::string_view name_;
  Safetensors::Tensors& out_;
  std::size_t visits_ = 0;
  std::size_t path_bytes_ = 0;
};

}  // namespace

TorchArchive TorchArchive::Open(const std::filesystem::path& path) {
  return Parse(ReadFile(path), path.string());
}

TorchArchive TorchArchive::Parse(std::string bytes, std::string_view name) {
  struct Owned {
    std::string file;
    std::vector<std::shared_ptr<const std::string>> copies;
  };
  auto owned = std::make_shared<Owned>();
  owned->file = std::move(bytes);
  TorchArchive archive;
  archive.name_ = name;
  const auto members =
      ReadStoredZip(std::as_bytes(std::span(owned->file)), name);
  for (const auto& [member, data] : members) {
    constexpr std::string_view kProgram = "/data.pkl";
    if (!member.ends_with(kProgram)) continue;
    const std::string prefix =
        member.substr(0, member.size() - kProgram.size() + 1);
    auto result = pickle::Run(data, members, prefix, owned->file.size(), name);
    Collector(name, archive.tensors_).Collect(result.root, "", 0);
    owned->copies = std::move(result.copies);
    break;
  }
  if (archive.tensors_.empty()) {
    throw DataError(StrCat(name,
                           ": no tensors in it; expected an archive of "
                           "torch.save or torch.jit.save"));
  }
  archive.owner_ = std::move(owned);
  return archive;
}

}  // namespace tailmark
