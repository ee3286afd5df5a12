// Any bytes are a zip archive of stored members, and of them the tensors of
// torch.save, all of them readable; or a DataError.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "harness/base/error.h"
#include "harness/base/stored_zip.h"
#include "harness/base/torch_archive.h"

namespace {

using tailmark::TorchArchive;

volatile std::size_t sink;  // so that reading is not optimised away

void Touch(std::span<const std::byte> bytes) {
  std::size_t sum = 0;
  for (const std::byte byte : bytes) sum += static_cast<unsigned>(byte);
  sink = sum;
}

template <class T>
std::string Raw(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

void AddMember(std::string_view name, std::string_view data, std::string& file,
               std::string& directory) {
  const auto size = static_cast<std::uint32_t>(data.size());
  const auto length = static_cast<std::uint16_t>(name.size());
  const auto place = static_cast<std::uint32_t>(file.size());
  file += Raw<std::uint32_t>(0x04034B50) + std::string(14, '\0') + Raw(size) +
          Raw(size) + Raw(length) + Raw<std::uint16_t>(0) + std::string(name) +
          std::string(data);
  directory += Raw<std::uint32_t>(0x02014B50) + std::string(16, '\0') +
               Raw(size) + Raw(size) + Raw(length) + std::string(12, '\0') +
               Raw(place) + std::string(name);
}

/// An archive around `program`, so that the fuzzer need not learn zip first.
std::string ArchiveAround(std::string_view program) {
  std::string file;
  std::string directory;
  AddMember("a/data.pkl", program, file, directory);
  AddMember("a/data/0", std::string(24, '\1'), file, directory);
  const auto at = static_cast<std::uint32_t>(file.size());
  const auto size = static_cast<std::uint32_t>(directory.size());
  return file + directory + Raw<std::uint32_t>(0x06054B50) +
         std::string(4, '\0') + Raw<std::uint16_t>(2) + Raw<std::uint16_t>(2) +
         Raw(size) + Raw(at) + Raw<std::uint16_t>(0);
}

void ReadArchive(std::string bytes) {
  try {
    const auto archive = TorchArchive::Parse(std::move(bytes), "input");
    for (const auto& [name, view] : archive.tensors()) {
      std::size_t size = tailmark::SizeOf(view.dtype);
      for (const std::int64_t side : view.shape) {
        size *= static_cast<std::size_t>(side);
      }
      if (size != view.bytes.size()) std::abort();
      Touch(view.bytes);
    }
  } catch (const tailmark::DataError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    const auto members =
        tailmark::ReadStoredZip(std::as_bytes(std::span(bytes)), "input");
    for (const auto& [name, member] : members) Touch(member);
  } catch (const tailmark::DataError&) {
  }
  ReadArchive(bytes);
  ReadArchive(ArchiveAround(bytes));
  return 0;
}
