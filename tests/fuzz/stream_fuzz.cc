// A tar archive read as its bytes come in: any bytes are one or a DataError,
// and into which pieces they are cut makes no difference.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/fetch/tar_stream.h"
#include "harness/base/error.h"

namespace {

constexpr std::int64_t kMostBytes = 1 << 20;

/// What was seen, and how it ended.
struct Seen {
  std::vector<std::string> words;
  std::int64_t position = 0;

  friend bool operator==(const Seen&, const Seen&) = default;
};

/// With pieces of `step` bytes.
Seen Read(std::string_view bytes, std::size_t step) {
  Seen seen;
  tailmark::fetch::TarStream stream(
      "input",
      {.wanted =
           [&](const std::string& name, std::int64_t size) {
             seen.words.push_back(name + " " + std::to_string(size));
             return name.size() % 3 != 0;
           },
       .file =
           [&](const std::string& name, const std::string& file) {
             if (file.size() > kMostBytes) std::abort();
             seen.words.push_back(name + ": " + file);
           }},
      kMostBytes);
  try {
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      stream.Feed(bytes.substr(at, step));
      if (stream.boundary() > stream.position()) std::abort();
    }
    seen.position = stream.position();
    seen.words.emplace_back(stream.finished() ? "finished" : "more to come");
  } catch (const tailmark::DataError& error) {
    seen.words.emplace_back(error.what());
  }
  return seen;
}

/// A header with a right sum around changes, so that the fuzzer need not learn
/// to add first: of each 4 bytes, place (two), value; the rest is the body.
std::string ArchiveFrom(std::string_view bytes) {
  constexpr std::size_t kBlock = 512;
  std::string file;
  while (bytes.size() > 1) {
    std::string header(kBlock, '\0');
    header.replace(0, 5, "a.jpg");
    header.replace(124, 12, "00000000012", 12);
    header.replace(257, 8, "ustar\00000", 8);
    header[156] = '0';
    const std::size_t changes = std::min<std::size_t>(
        static_cast<unsigned char>(bytes[0]) % 32, (bytes.size() - 1) / 3);
    bytes.remove_prefix(1);
    for (std::size_t i = 0; i < changes; ++i) {
      const std::size_t place =
          static_cast<unsigned char>(bytes[3 * i]) * 2U +
          static_cast<unsigned char>(bytes[3 * i + 1]) % 2U;
      header[place] = bytes[3 * i + 2];
    }
    bytes.remove_prefix(3 * changes);
    header.replace(148, 8, std::string(8, ' '));
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    for (std::size_t i = 0; i < 6; ++i) {
      header[153 - i] = static_cast<char>('0' + (sum >> (3 * i)) % 8);
    }
    header[154] = '\0';
    const auto body = bytes.substr(0, 10);
    bytes.remove_prefix(body.size());
    file += header + std::string(body);
    file.resize((file.size() + kBlock - 1) / kBlock * kBlock);
  }
  return file + std::string(2 * kBlock, '\0');
}

void ReadInPieces(const std::string& bytes) {
  const Seen whole = Read(bytes, std::max<std::size_t>(bytes.size(), 1));
  if (Read(bytes, 7) != whole || Read(bytes, 512) != whole) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  ReadInPieces(bytes);
  ReadInPieces(ArchiveFrom(bytes));
  return 0;
}
