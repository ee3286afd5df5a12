#include "harness/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/base/descriptor.h"
#include "harness/base/error.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

std::string Reason() { return std::strerror(errno); }

}  // namespace

std::string ReadFile(const fs::path& path, std::int64_t limit) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (file.get() < 0 || fstat(file.get(), &info) != 0) {
    throw DataError(StrCat(path.string(), ": ", Reason()));
  }
  if (!S_ISREG(info.st_mode)) {
    throw DataError(StrCat(path.string(), ": not a regular file"));
  }
  if (info.st_size > limit) {
    throw DataError(StrCat(path.string(), ": ", info.st_size,
                           " bytes, expected at most ", limit));
  }
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got =
        read(file.get(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw DataError(StrCat(path.string(), ": read failed after ", done,
                             " of ", bytes.size(), " bytes"));
    }
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

void WriteFileAtomic(const fs::path& path, std::string_view bytes) {
  WriteFileAtomic(path, std::span(&bytes, 1));
}

void WriteFileAtomic(const fs::path& path,
                     std::span<const std::string_view> pieces) {
  const fs::path temporary = path.string() + ".tmp." + std::to_string(getpid());
  const auto fail = [&](std::string_view what) -> StoreError {
    const std::string reason = Reason();
    unlink(temporary.c_str());
    return StoreError(StrCat(path.string(), ": ", what, ": ", reason));
  };
  {
    const Descriptor file(open(temporary.c_str(),
                               O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.get() < 0) throw fail("cannot be created");
    for (std::string_view rest : pieces) {
      while (!rest.empty()) {
        const ssize_t put = write(file.get(), rest.data(), rest.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throw fail("cannot be written");
        rest.remove_prefix(static_cast<std::size_t>(put));
      }
    }
    if (fsync(file.get()) != 0) throw fail("cannot be synced");
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    throw fail("cannot be renamed into place");
  }
  SyncFolder(path.parent_path());
}

void MakeFolders(const fs::path& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code) throw StoreError(StrCat(path.string(), ": ", code.message()));
}

void SyncFolder(const fs::path& folder) {
  const fs::path where = folder.empty() ? fs::path(".") : folder;
  const Descriptor fd(open(where.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot sync a folder (EINVAL); then there is no more to
  // do.
  if (fd.get() < 0 || (fsync(fd.get()) != 0 && errno != EINVAL)) {
    throw StoreError(StrCat(where.string(), ": ", Reason()));
  }
}

}  // namespace tailmark
