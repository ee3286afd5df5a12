#include "datasets/fetch/zip_member.h"

#include <zlib.h>

#include <algorithm>
#include <fstream>

#include "datasets/fetch/attempts.h"
#include "datasets/fetch/part.h"
#include "datasets/fetch/zip_directory.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/progress.h"

namespace tailmark::fetch {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr std::int64_t kMostDirectory = 64 * kMiB;

/// Unpacks a file as its bytes are handed in, and adds up what comes out.
class Unpacker {
 public:
  Unpacker(const ZipEntry& entry, Part& out) : entry_(entry), out_(out) {
    // Negative: no header of zlib's own.
    good_ = inflateInit2(&stream_, -MAX_WBITS) == Z_OK;
  }
  ~Unpacker() { inflateEnd(&stream_); }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  /// False: what comes is not what the directory promised.
  bool Feed(std::string& packed) {
    if (!entry_.deflated) return Put(packed);
    std::string plain(4 * packed.size() + 64, '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(packed.data());
    stream_.avail_in = static_cast<uInt>(packed.size());
    while (good_ && !ended_) {
      stream_.next_out = reinterpret_cast<Bytef*>(plain.data());
      stream_.avail_out = static_cast<uInt>(plain.size());
      const int code = inflate(&stream_, Z_NO_FLUSH);
      ended_ = code == Z_STREAM_END;
      good_ = ended_ || code == Z_OK || code == Z_BUF_ERROR;
      const std::size_t came = plain.size() - stream_.avail_out;
      good_ = good_ && Put(std::string_view(plain).substr(0, came));
      if (came < plain.size()) break;  // It wants more.
    }
    return good_;
  }
  bool Whole() const {
    return good_ && bytes_ == entry_.bytes && crc_ == entry_.crc;
  }

 private:
  bool Put(std::string_view plain) {
    bytes_ += static_cast<std::int64_t>(plain.size());
    if (bytes_ > entry_.bytes) return good_ = false;
    crc_ = static_cast<std::uint32_t>(
        crc32(crc_, reinterpret_cast<const Bytef*>(plain.data()),
              static_cast<uInt>(plain.size())));
    return out_.Write(plain);
  }

  const ZipEntry& entry_;
  Part& out_;
  z_stream stream_{};
  bool good_ = false;
  bool ended_ = false;
  std::int64_t bytes_ = 0;
  std::uint32_t crc_ = 0;
};

class OneMember {
 public:
  explicit OneMember(const ZipMemberJob& job)
      : job_(job), client_(job.limits) {}

  std::string Get() {
    return AskInTurn(job_.urls, job_.retry,
                     [this](const std::string& url, HttpAnswer& answer) {
                       const std::string failure = Try(url);
                       answer = answer_;
                       return failure;
                     });
  }

 private:
  std::string Try(const std::string& url) {
    try {
      const std::int64_t total = LengthOf(url);
      if (total < 0) return answer_.reason;
      const std::int64_t from = std::max<std::int64_t>(0, total - kZipEndBytes);
      const ZipEnd end =
          ReadZipEnd(Read(url, from, total - from), total, "the archive");
      if (end.directory_bytes > kMostDirectory) return "its directory is huge";
      const ZipEntry entry =
          FindZipEntry(Read(url, end.directory, end.directory_bytes),
                       job_.member, "the archive");
      const std::int64_t content =
          entry.header +
          ZipHeaderLength(Read(url, entry.header, kZipHeaderBytes),
                          "the archive");
      RequireRoomFor(job_.target, entry.packed + entry.bytes);
      return GetContent(url, content, entry);
    } catch (const DataError& error) {
      // Cut off, or no archive at all.
      return answer_.reason.empty() ? error.what() : answer_.reason;
    }
  }

  /// Bytes of the whole archive; -1: see answer_.
  std::int64_t LengthOf(const std::string& url) {
    std::int64_t length = -1;
    answer_ = client_.Get(
        url, 0,
        {.begin = [&](std::int64_t, std::int64_t total) { length = total; },
         .take = [](std::string_view) { return false; }});
    if (length < 0 && answer_.reason.empty()) {
      answer_.reason = "says not how long it is";
    }
    return length;
  }

  /// `bytes` bytes from `first` on, or fewer: then answer_ has the reason.
  std::string Read(const std::string& url, std::int64_t first,
                   std::int64_t bytes) {
    std::string out;
    Stream(url, first, bytes, [&](std::string_view more) {
      out += more;
      return true;
    });
    return out;
  }

  /// Hands `take` what Read() would give. `take` may want no more.
  template <class Take>
  void Stream(const std::string& url, std::int64_t first, std::int64_t bytes,
              const Take& take) {
    std::int64_t skip = 0;
    std::int64_t left = bytes;
    bool enough = false;
    answer_ = client_.Get(
        url, first,
        {.begin = [&](std::int64_t at, std::int64_t) { skip = first - at; },
         .take =
             [&](std::string_view more) {
               const auto size = static_cast<std::int64_t>(more.size());
               const std::int64_t dropped = std::min(skip, size);
               skip -= dropped;
               more.remove_prefix(static_cast<std::size_t>(dropped));
               more = more.substr(0, static_cast<std::size_t>(left));
               left -= static_cast<std::int64_t>(more.size());
               enough = !more.empty() && !take(more);
               return left > 0 && !enough;
             }});
    if (left == 0) answer_ = {.outcome = HttpAnswer::Outcome::kDone};
    if (left > 0 && answer_.outcome == HttpAnswer::Outcome::kDone) {
      answer_ = {.outcome = HttpAnswer::Outcome::kTryAgain,
                 .reason = "ends before its length"};
    }
  }

  std::string GetContent(const std::string& url, std::int64_t content,
                         const ZipEntry& entry) {
    const fs::path part_path = job_.target.string() + ".part";
    Part part(part_path);
    std::int64_t done = part.size();
    if (done > entry.packed) part.Remove();
    if (done > entry.packed) done = 0;
    if (done < entry.packed) {
      Progress progress("fetch " + job_.title, entry.packed / kMiB, "MiB");
      part.OpenAt(done);
      Stream(url, content + done, entry.packed - done,
             [&](std::string_view more) {
               done += static_cast<std::int64_t>(more.size());
               progress.Update(done / kMiB);
               return part.Write(more);
             });
      part.Close();
      part.RequireWritten();
      if (done < entry.packed) return answer_.reason;
      progress.Finish();
    }
    if (Unpack(part_path, entry)) return "";
    part.Remove();  // Its beginning must not be gone on with.
    answer_.outcome = HttpAnswer::Outcome::kTryAgain;
    return StrCat("what came is not ", job_.member,
                  ": its size or CRC-32 is another");
  }

  bool Unpack(const fs::path& packed, const ZipEntry& entry) const {
    const fs::path made = job_.target.string() + ".tmp";
    Part out(made);
    out.OpenAt(0);
    Unpacker unpacker(entry, out);
    std::ifstream in(packed, std::ios::binary);
    std::string piece;
    bool good = true;
    while (good) {
      piece.resize(static_cast<std::size_t>(kMiB));
      in.read(piece.data(), kMiB);
      piece.resize(static_cast<std::size_t>(in.gcount()));
      if (piece.empty()) break;
      good = unpacker.Feed(piece);
    }
    out.Close();
    out.RequireWritten();
    if (!unpacker.Whole()) {
      out.Remove();
      return false;
    }
    fs::rename(made, job_.target);
    SyncFolder(job_.target.parent_path());
    std::error_code ignored;
    fs::remove(packed, ignored);
    return true;
  }

  const ZipMemberJob& job_;
  HttpClient client_;
  HttpAnswer answer_;
};

}  // namespace

FileReport FetchZipMember(const ZipMemberJob& job) {
  MakeFolders(job.target.parent_path());
  OneMember member(job);
  const std::string wrong = member.Get();
  return {.state = wrong.empty() ? FileState::kCame : FileState::kDidNot,
          .what = wrong};
}

}  // namespace tailmark::fetch
