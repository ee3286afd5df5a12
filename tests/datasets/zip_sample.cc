#include "tests/datasets/zip_sample.h"

#include <zlib.h>

#include <cstdint>
#include <stdexcept>

namespace tailmark {
namespace {
using std::string;

string Bytes(std::uint64_t number, int width) {
  string out;
  for (int i = 0; i < width; ++i) {
    out += static_cast<char>(number >> (8 * i));
  }
  return out;
}

string Deflate(const string& plain) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::runtime_error("zlib");
  }
  string out(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

string ZipArchive(const std::vector<std::pair<string, string>>& files,
                  bool deflated) {
  string archive;
  string directory;
  for (const auto& [name, plain] : files) {
    const string packed = deflated ? Deflate(plain) : plain;
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(plain.data()),
                           static_cast<uInt>(plain.size()));
    // Version, flags, way, time, date, CRC, sizes, lengths of name and extra.
    const string common = Bytes(20, 2) + Bytes(0, 2) +
                          Bytes(deflated ? 8 : 0, 2) + Bytes(0, 4) +
                          Bytes(crc, 4) + Bytes(packed.size(), 4) +
                          Bytes(plain.size(), 4) + Bytes(name.size(), 2);
    const std::size_t header = archive.size();
    // An extra field that the directory does not have, as real ones do.
    archive += "PK\x03\x04" + common + Bytes(4, 2) + name + "UT" + Bytes(0, 2) +
               packed;
    directory += "PK\x01\x02" + Bytes(20, 2) + common + Bytes(0, 2) +
                 Bytes(0, 2) + Bytes(0, 2) + Bytes(0, 2) + Bytes(0, 4) +
                 Bytes(header, 4) + name;
  }
  const std::size_t first = archive.size();
  return archive + directory + "PK\x05\x06" + Bytes(0, 4) +
         Bytes(files.size(), 2) + Bytes(files.size(), 2) +
         Bytes(directory.size(), 4) + Bytes(first, 4) + Bytes(0, 2);
}

}  // namespace tailmark
