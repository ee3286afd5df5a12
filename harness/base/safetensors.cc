#include "harness/base/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <set>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the data of safetensors files is used as it lies");

constexpr std::size_t kPrefix = 8;
// The format's own limit.
constexpr std::uint64_t kLongestHeader = 100'000'000;
constexpr std::size_t kMostDimensions = 16;
constexpr std::string_view kMetadataKey = "__metadata__";

struct TypeName {
  DType dtype;
  std::string_view name;
};
constexpr TypeName kTypeNames[] = {
    {DType::kBool, "BOOL"},   {DType::kUint8, "U8"},
    {DType::kInt32, "I32"},   {DType::kInt64, "I64"},
    {DType::kFloat16, "F16"}, {DType::kBfloat16, "BF16"},
    {DType::kFloat32, "F32"}, {DType::kFloat64, "F64"},
};

std::string_view TypeNameOf(DType dtype) {
  for (const TypeName& row : kTypeNames) {
    if (row.dtype == dtype) return row.name;
  }
  TM_CHECK(false, "no such type");
}

// Bytes that a shape needs, or nothing when the product does not fit.
std::optional<std::size_t> ByteCount(DType dtype,
                                     std::span<const std::int64_t> shape) {
  std::size_t count = SizeOf(dtype);
  for (const std::int64_t side : shape) {
    const auto length = static_cast<std::size_t>(side);
    if (length != 0 &&
        count > std::numeric_limits<std::size_t>::max() / 2 / length) {
      return std::nullopt;
    }
    count *= length;
  }
  return count;
}

// Reads a header against the number of data bytes that really follow it.
class HeaderParser {
 public:
  HeaderParser(std::span<const std::byte> data, std::string_view name)
      : data_(data), name_(name) {}

  void Read(std::string_view text, Safetensors::Tensors& tensors,
            Safetensors::Metadata& metadata) {
    const Json header = ParseStrictly(text);
    if (!header.is_object()) Fail("the header is not a JSON object");
    for (const auto& [key, value] : header.items()) {
      if (key == kMetadataKey) {
        ReadMetadata(value, metadata);
      } else {
        tensors.emplace(key, ReadTensor(key, value));
      }
    }
    CheckLayout(tensors);
  }

  [[noreturn]] void Fail(std::string_view what) const {
    throw DataError(StrCat(name_, ": safetensors: ", what));
  }

 private:
  [[noreturn]] void FailTensor(std::string_view tensor,
                               std::string_view what) const {
    Fail(StrCat("tensor '", tensor, "': ", what));
  }

  // JSON objects of a parsed value have each key once; a second one in the text
  // would silently win. Depth is bounded while reading, because a value nested
  // a million deep costs far more memory than its text.
  Json ParseStrictly(std::string_view text) const try {
    std::set<std::string> outer;
    std::set<std::string> inner;
    return Json::parse(
        text, [&](int depth, Json::parse_event_t event, const Json& parsed) {
          if (event == Json::parse_event_t::object_start ||
              event == Json::parse_event_t::array_start) {
            if (depth > 2) Fail("the header is nested too deep");
            if (depth == 1) inner.clear();
          }
          if (event == Json::parse_event_t::key) {
            const auto key = parsed.get<std::string>();
            if (!(depth == 1 ? outer : inner).insert(key).second) {
              Fail(StrCat("the header has '", key, "' twice"));
            }
          }
          return true;
        });
  } catch (const Json::parse_error& error) {
    Fail(StrCat("the header is not JSON at byte ", error.byte));
  } catch (const Json::exception& error) {  // a number too large for any type
    Fail(StrCat("the header is not JSON: ", error.what()));
  }

  void ReadMetadata(const Json& value, Safetensors::Metadata& metadata) const {
    if (!value.is_object()) Fail("__metadata__ is not an object");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) {
        Fail(StrCat("__metadata__ '", key, "' is not a string"));
      }
      metadata.emplace(key, text.get<std::string>());
    }
  }

  TensorView ReadTensor(std::string_view key, const Json& value) const {
    if (!value.is_object() || !value.contains("dtype") ||
        !value.contains("shape") || !value.contains("data_offsets") ||
        value.size() != 3) {
      FailTensor(key, "expected exactly dtype, shape and data_offsets");
    }
    TensorView view;
    view.dtype = ReadType(key, value["dtype"]);
    view.shape = ReadShape(key, value["shape"]);
    const Json& offsets = value["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 ||
        !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned()) {
      FailTensor(key, "data_offsets are not two whole numbers");
    }
    const auto begin = offsets[0].get<std::uint64_t>();
    const auto end = offsets[1].get<std::uint64_t>();
    if (begin > end || end > data_.size()) {
      FailTensor(
          key, StrCat("data_offsets [", begin, ", ", end, "] lie outside the ",
                      data_.size(), " bytes of data"));
    }
    const auto want = ByteCount(view.dtype, view.shape);
    if (!want || *want != end - begin) {
      FailTensor(key,
                 StrCat(TypeNameOf(view.dtype), " ", ShapeText(view.shape),
                        " needs ", want ? StrCat(*want) : "impossibly many",
                        " bytes, but data_offsets give ", end - begin));
    }
    view.bytes = data_.subspan(begin, end - begin);
    return view;
  }

  DType ReadType(std::string_view key, const Json& value) const {
    std::string known;
    for (const TypeName& row : kTypeNames) {
      if (value.is_string() &&
          value.get_ref<const std::string&>() == row.name) {
        return row.dtype;
      }
      known += StrCat(known.empty() ? "" : ", ", row.name);
    }
    FailTensor(key, StrCat("dtype ", value.is_string() ? value.dump() : "",
                           " is not one of ", known));
  }

  std::vector<std::int64_t> ReadShape(std::string_view key,
                                      const Json& value) const {
    if (!value.is_array() || value.size() > kMostDimensions) {
      FailTensor(key, StrCat("shape is not a list of at most ", kMostDimensions,
                             " numbers"));
    }
    std::vector<std::int64_t> shape;
    for (const Json& side : value) {
      if (!side.is_number_unsigned() ||
          side.get<std::uint64_t>() >
              static_cast<std::uint64_t>(
                  std::numeric_limits<std::int64_t>::max())) {
        FailTensor(key, "a dimension is not a whole number of 63 bits");
      }
      shape.push_back(side.get<std::int64_t>());
    }
    return shape;
  }

  // Back to back from the first byte to the last: two tensors never share
  // bytes, and no byte is hidden from whoever hashes or shows the tensors.
  void CheckLayout(const Safetensors::Tensors& tensors) const {
    std::vector<const Safetensors::Tensors::value_type*> order;
    for (const auto& entry : tensors) order.push_back(&entry);
    const auto begin = [&](const auto* entry) {
      return static_cast<std::size_t>(entry->second.bytes.data() -
                                      data_.data());
    };
    std::sort(order.begin(), order.end(), [&](const auto* a, const auto* b) {
      return std::pair(begin(a), a->second.bytes.size()) <
             std::pair(begin(b), b->second.bytes.size());
    });
    std::size_t at = 0;
    for (const auto* entry : order) {
      if (begin(entry) != at) {
        FailTensor(entry->first,
                   begin(entry) < at
                       ? StrCat("its data overlaps another tensor's")
                       : StrCat(begin(entry) - at,
                                " bytes before its data belong to no tensor"));
      }
      at += entry->second.bytes.size();
    }
    if (at != data_.size()) {
      Fail(StrCat("the tensors use ", at, " bytes, but the file has ",
                  data_.size(), " bytes of data"));
    }
  }

  std::span<const std::byte> data_;
  std::string_view name_;
};

// A file mapped read-only, unmapped when the last view's owner goes.
class Mapping {
 public:
  explicit Mapping(const std::filesystem::path& path) {
    const auto fail = [&](std::string_view what) {
      return DataError(StrCat(path.string(), ": ", what));
    };
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) throw fail(std::strerror(errno));
    struct stat info {};
    const bool regular = fstat(file, &info) == 0 && S_ISREG(info.st_mode);
    if (regular && info.st_size > 0) {
      size_ = static_cast<std::size_t>(info.st_size);
      start_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    }
    const int error = errno;
    close(file);  // the mapping outlives the descriptor
    if (!regular) throw fail("not a regular file");
    if (start_ == MAP_FAILED) throw fail(std::strerror(error));
  }
  ~Mapping() {
    if (start_ != nullptr && start_ != MAP_FAILED) munmap(start_, size_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(start_), size_};
  }

 private:
  void* start_ = nullptr;
  std::size_t size_ = 0;
};

// Names in the order their data has in the file.
std::vector<const Safetensors::Tensors::value_type*> FileOrder(
    const Safetensors::Tensors& tensors) {
  std::vector<const Safetensors::Tensors::value_type*> order;
  for (const auto& entry : tensors) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) {
                     return SizeOf(a->second.dtype) > SizeOf(b->second.dtype);
                   });
  return order;
}

std::string HeaderBytes(const Safetensors::Tensors& tensors,
                        const Safetensors::Metadata& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header[std::string(kMetadataKey)] = metadata;
  std::size_t at = 0;
  for (const auto* entry : FileOrder(tensors)) {
    const auto& [name, view] = *entry;
    TM_CHECK(name != kMetadataKey);
    TM_CHECK(ByteCount(view.dtype, view.shape) == view.bytes.size(), name);
    header[name] = {{"dtype", TypeNameOf(view.dtype)},
                    {"shape", view.shape},
                    {"data_offsets", {at, at + view.bytes.size()}}};
    at += view.bytes.size();
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // keeps the data aligned
  const std::uint64_t length = text.size();
  std::string bytes(kPrefix, '\0');
  std::memcpy(bytes.data(), &length, kPrefix);
  return bytes + text;
}

std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::string ShapeText(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t side : shape) {
    text += StrCat(text.size() > 1 ? ", " : "", side);
  }
  return text + "]";
}

Safetensors::Safetensors(std::shared_ptr<const void> owner,
                         std::span<const std::byte> bytes,
                         std::string_view name)
    : owner_(std::move(owner)), name_(name) {
  std::uint64_t length = 0;
  if (bytes.size() < kPrefix) {
    throw DataError(StrCat(name, ": safetensors: ", bytes.size(),
                           " bytes are too few for a header"));
  }
  std::memcpy(&length, bytes.data(), kPrefix);
  if (length > kLongestHeader || length > bytes.size() - kPrefix) {
    throw DataError(
        StrCat(name, ": safetensors: the header would have ", length,
               " bytes, but ", bytes.size() - kPrefix,
               " follow (not a safetensors file, or a truncated one)"));
  }
  HeaderParser(bytes.subspan(kPrefix + length), name_)
      .Read(AsText(bytes.subspan(kPrefix, length)), tensors_, metadata_);
}

Safetensors Safetensors::Open(const std::filesystem::path& path) {
  auto mapping = std::make_shared<const Mapping>(path);
  const auto bytes = mapping->bytes();
  return Safetensors(std::move(mapping), bytes, path.string());
}

Safetensors Safetensors::Parse(std::string bytes, std::string_view name) {
  auto owned = std::make_shared<const std::string>(std::move(bytes));
  const auto view = std::as_bytes(std::span(*owned));
  return Safetensors(std::move(owned), view, name);
}

const TensorView& Safetensors::At(std::string_view tensor) const {
  const auto found = tensors_.find(tensor);
  if (found != tensors_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [key, view] : tensors_) names.push_back(key);
  const std::string nearest = Nearest(tensor, names);
  throw DataError(StrCat(
      name_, ": tensor '", tensor, "' is missing",
      nearest.empty() ? "" : StrCat("; the nearest name is '", nearest, "'")));
}

std::string SafetensorsBytes(const Safetensors::Tensors& tensors,
                             const Safetensors::Metadata& metadata) {
  std::string bytes = HeaderBytes(tensors, metadata);
  for (const auto* entry : FileOrder(tensors)) {
    bytes += AsText(entry->second.bytes);
  }
  return bytes;
}

void WriteSafetensors(const std::filesystem::path& path,
                      const Safetensors::Tensors& tensors,
                      const Safetensors::Metadata& metadata) {
  const std::string header = HeaderBytes(tensors, metadata);
  std::vector<std::string_view> pieces{header};
  for (const auto* entry : FileOrder(tensors)) {
    pieces.push_back(AsText(entry->second.bytes));
  }
  WriteFileAtomic(path, pieces);
}

}  // namespace tailmark
