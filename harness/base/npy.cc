#include "harness/base/npy.h"

#include <bit>
#include <cctype>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr std::size_t kAlign = 64;

struct TypeRow {
  DType dtype;
  std::size_t size;
  std::string_view name;
  std::string_view descr;  // as .npy spells it; "" where it cannot
};
constexpr TypeRow kTypes[] = {
    {DType::kBool, 1, "bool", "|b1"},
    {DType::kUint8, 1, "uint8", "|u1"},
    {DType::kInt32, 4, "int32", "<i4"},
    {DType::kInt64, 8, "int64", "<i8"},
    {DType::kFloat16, 2, "float16", "<f2"},
    {DType::kBfloat16, 2, "bfloat16", ""},
    {DType::kFloat32, 4, "float32", "<f4"},
    {DType::kFloat64, 8, "float64", "<f8"},
};
const TypeRow& RowOf(DType dtype) {
  return kTypes[static_cast<std::size_t>(dtype)];
}

// Just enough of Python's literals for {'descr': '<f4', 'fortran_order': False,
// 'shape': (2, 3), }.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, std::string_view name)
      : text_(text), name_(name) {}

  void Read(NpyArray& out) {
    Expect('{');
    bool has_type = false;
    bool has_shape = false;
    bool has_order = false;
    while (!Take('}')) {
      const std::string key = Quoted();
      Expect(':');
      if (key == "descr" && !has_type) {
        out.dtype = Type(Quoted());
        has_type = true;
      } else if (key == "fortran_order" && !has_order) {
        if (Word() != "False") Fail("fortran_order must be False");
        has_order = true;
      } else if (key == "shape" && !has_shape) {
        out.shape = Shape();
        has_shape = true;
      } else {
        Fail(StrCat("unexpected key '", key, "'"));
      }
      if (!Take(',') && !Peek('}')) Fail("expected ',' or '}'");
    }
    if (!has_type || !has_shape || !has_order) {
      Fail("descr, fortran_order and shape must be given");
    }
  }

 private:
  [[noreturn]] void Fail(std::string_view what) const {
    throw DataError(StrCat(name_, ": .npy header: ", what));
  }
  void Blanks() {
    while (at_ < text_.size() &&
           std::isspace(static_cast<unsigned char>(text_[at_]))) {
      ++at_;
    }
  }
  bool Peek(char c) {
    Blanks();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool Take(char c) {
    if (!Peek(c)) return false;
    ++at_;
    return true;
  }
  void Expect(char c) {
    if (!Take(c)) Fail(StrCat("expected '", c, "' at byte ", at_));
  }
  std::string Quoted() {
    Blanks();
    if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) {
      Fail(StrCat("expected a quoted word at byte ", at_));
    }
    const char quote = text_[at_++];
    const auto end = text_.find(quote, at_);
    if (end == text_.npos) Fail("a quote is not closed");
    std::string word(text_.substr(at_, end - at_));
    at_ = end + 1;
    return word;
  }
  std::string_view Word() {
    Blanks();
    const std::size_t start = at_;
    while (at_ < text_.size() &&
           std::isalpha(static_cast<unsigned char>(text_[at_]))) {
      ++at_;
    }
    return text_.substr(start, at_ - start);
  }
  DType Type(std::string_view descr) const {
    for (const TypeRow& row : kTypes) {
      if (!row.descr.empty() && row.descr == descr) return row.dtype;
    }
    Fail(StrCat("type '", descr,
                "' is not one of bool, uint8, int32, int64, float16, float32, "
                "float64 (little-endian)"));
  }
  std::vector<std::int64_t> Shape() {
    std::vector<std::int64_t> shape;
    Expect('(');
    while (!Take(')')) {
      Blanks();
      std::int64_t value = 0;
      const std::size_t start = at_;
      while (at_ < text_.size() &&
             std::isdigit(static_cast<unsigned char>(text_[at_]))) {
        if (value > std::numeric_limits<std::int64_t>::max() / 10 - 1) {
          Fail("a dimension is too large");
        }
        value = value * 10 + (text_[at_++] - '0');
      }
      if (at_ == start) Fail("a dimension is not a number");
      shape.push_back(value);
      if (shape.size() > 16) Fail("more than 16 dimensions");
      if (!Take(',') && !Peek(')')) Fail("expected ',' or ')'");
    }
    return shape;
  }

  std::string_view text_;
  std::string_view name_;
  std::size_t at_ = 0;
};

// Bytes of an array, or nothing when the product does not fit.
std::optional<std::size_t> ByteCount(DType dtype,
                                     std::span<const std::int64_t> shape) {
  std::size_t count = SizeOf(dtype);
  for (const std::int64_t side : shape) {
    if (side < 0) return std::nullopt;
    const auto length = static_cast<std::size_t>(side);
    if (length != 0 &&
        count > std::numeric_limits<std::size_t>::max() / 2 / length) {
      return std::nullopt;
    }
    count *= length;
  }
  return count;
}

}  // namespace

std::size_t SizeOf(DType dtype) { return RowOf(dtype).size; }
std::string_view NameOf(DType dtype) { return RowOf(dtype).name; }

std::int64_t NpyArray::elements() const {
  return static_cast<std::int64_t>(bytes.size() / SizeOf(dtype));
}

NpyArray ParseNpy(std::string bytes, std::string_view name) {
  if (bytes.size() < 10 || std::string_view(bytes).substr(0, 6) != kMagic) {
    throw DataError(StrCat(name, ": not an .npy file"));
  }
  const auto byte = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
  };
  const std::size_t major = byte(6);
  const bool wide = major >= 2;
  if (major < 1 || major > 3 || (wide && bytes.size() < 12)) {
    throw DataError(StrCat(name, ": .npy version ", major, ", expected 1-3"));
  }
  const std::size_t start = wide ? 12 : 10;
  const std::size_t length =
      wide ? byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24
           : byte(8) | byte(9) << 8;
  if (length > bytes.size() - start) {
    throw DataError(StrCat(name, ": .npy header says ", length,
                           " bytes, but the file has ", bytes.size() - start));
  }
  NpyArray out;
  HeaderReader(std::string_view(bytes).substr(start, length), name).Read(out);
  const std::size_t have = bytes.size() - start - length;
  const auto want = ByteCount(out.dtype, out.shape);
  if (!want || *want != have) {
    throw DataError(StrCat(name, ": .npy shape needs ",
                           want ? StrCat(*want) : "impossibly many",
                           " bytes of data, found ", have));
  }
  bytes.erase(0, start + length);
  out.bytes = std::move(bytes);
  return out;
}

NpyArray ReadNpy(const std::filesystem::path& path) {
  return ParseNpy(ReadFile(path), path.string());
}

std::string NpyHeader(DType dtype, std::span<const std::int64_t> shape) {
  TM_CHECK(!RowOf(dtype).descr.empty(), ".npy has no ", NameOf(dtype));
  std::string dict = StrCat("{'descr': '", RowOf(dtype).descr,
                            "', 'fortran_order': False, 'shape': (");
  for (const std::int64_t side : shape) dict += StrCat(side, ",");
  dict += "), }";
  const std::size_t used = kMagic.size() + 4 + dict.size() + 1;
  dict.append((kAlign - used % kAlign) % kAlign, ' ');
  dict += '\n';
  std::string header(kMagic);
  header += '\x01';
  header += '\x00';
  header += static_cast<char>(dict.size() & 0xFF);
  header += static_cast<char>(dict.size() >> 8);
  return header + dict;
}

void WriteNpy(const std::filesystem::path& path, DType dtype,
              std::span<const std::int64_t> shape,
              std::span<const std::byte> data) {
  TM_CHECK(ByteCount(dtype, shape) == data.size(), path.string());
  std::string bytes = NpyHeader(dtype, shape);
  bytes.append(reinterpret_cast<const char*>(data.data()), data.size());
  WriteFileAtomic(path, bytes);
}

float HalfToFloat(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 31U;
  const std::uint32_t mantissa = half & 1023U;
  if (exponent == 0) {
    const float value = std::ldexp(static_cast<float>(mantissa), -24);
    return sign != 0 ? -value : value;
  }
  const std::uint32_t wide = exponent == 31 ? 255U : exponent + 112U;
  return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

float Bfloat16ToFloat(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

std::vector<double> ToDoubles(const NpyArray& array) {
  std::vector<double> out;
  out.reserve(static_cast<std::size_t>(array.elements()));
  const auto widen = [&]<class T>(T /*type*/) {
    for (const T value : array.As<T>())
      out.push_back(static_cast<double>(value));
  };
  switch (array.dtype) {
    case DType::kBool:
    case DType::kUint8:
      widen(std::uint8_t{});
      break;
    case DType::kInt32:
      widen(std::int32_t{});
      break;
    case DType::kInt64:
      widen(std::int64_t{});
      break;
    case DType::kFloat32:
      widen(float{});
      break;
    case DType::kFloat64:
      widen(double{});
      break;
    case DType::kFloat16:
      for (const auto h : array.As<std::uint16_t>())
        out.push_back(HalfToFloat(h));
      break;
    case DType::kBfloat16:
      for (const auto b : array.As<std::uint16_t>()) {
        out.push_back(Bfloat16ToFloat(b));
      }
      break;
  }
  return out;
}

}  // namespace tailmark
