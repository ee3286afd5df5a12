#include <sys/vfs.h>

#include <cerrno>
#include <cstring>
#include <iomanip>
#include <sstream>

#include "harness/base/error.h"
#include "results/store.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

struct Known {
  std::uint64_t magic;
  const char* name;
  bool network;
};

// linux/magic.h has most of these; the parallel file systems are not in it.
constexpr Known kKnown[] = {
    {0xEF53, "ext4", false},         {0x58465342, "xfs", false},
    {0x9123683E, "btrfs", false},    {0x2FC12FC1, "zfs", false},
    {0xF2F52010, "f2fs", false},     {0x01021994, "tmpfs", false},
    {0x858458F6, "ramfs", false},    {0x794C7630, "overlay", false},
    {0xCA451A4E, "bcachefs", false}, {0x6969, "nfs", true},
    {0x0BD00BD0, "lustre", true},    {0x47504653, "gpfs", true},
    {0x19830326, "beegfs", true},    {0x65735546, "fuse", true},
    {0x00C36400, "ceph", true},      {0xFF534D42, "cifs", true},
    {0xFE534D42, "smb2", true},      {0x517B, "smb", true},
    {0x01021997, "9p", true},        {0x5346414F, "afs", true},
    {0x7461636F, "ocfs2", true},     {0x01161970, "gfs2", true},
    {0x6B414653, "kafs", true},      {0x20030528, "orangefs", true},
    {0xAAD7AAEA, "panfs", true},     {0x013111A8, "ibrix", true},
    {0xBACBACBC, "vmhgfs", true},    {0x786F4256, "vboxsf", true},
    {0x73757245, "coda", true},
};

}  // namespace

FileSystem FileSystemOfMagic(std::uint64_t magic) {
  // Some 64-bit kernels hand the 32 bits out sign-extended.
  magic &= 0xFFFFFFFFU;
  for (const Known& known : kKnown) {
    if (known.magic == magic) return {known.name, known.network};
  }
  std::ostringstream name;
  name << "unknown (0x" << std::hex << magic << ")";
  // Losing the log's speed costs less than losing the database.
  return {name.str(), true};
}

FileSystem FileSystemKind(const fs::path& path) {
  fs::path place = fs::absolute(path);
  std::error_code ignored;
  while (!fs::exists(place, ignored) && place.has_relative_path()) {
    place = place.parent_path();
  }
  struct statfs info {};
  if (statfs(place.c_str(), &info) != 0) {
    throw StoreError(StrCat(place.string(), ": ", std::strerror(errno)));
  }
  return FileSystemOfMagic(static_cast<std::uint64_t>(info.f_type));
}

}  // namespace tailmark
