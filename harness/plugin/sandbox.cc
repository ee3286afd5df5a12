#include "harness/plugin/sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "harness/base/environment.h"
#include "harness/base/error.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

// Not in every kernel's headers yet: interface 3.
constexpr std::uint64_t kTruncate = std::uint64_t{1} << 14;
constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_EXECUTE |
                                LANDLOCK_ACCESS_FS_READ_FILE |
                                LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kMake =
    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
    LANDLOCK_ACCESS_FS_MAKE_SYM;
constexpr std::uint64_t kWrite = LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;
// All that a rule on a plain file may say.
constexpr std::uint64_t kOfFiles =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | kWrite;

long Interface() {
  static const long kFound = syscall(SYS_landlock_create_ruleset, nullptr, 0,
                                     LANDLOCK_CREATE_RULESET_VERSION);
  return kFound;
}

bool IsBelow(const fs::path& path, const fs::path& folder) {
  const auto end =
      std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end.first == folder.end();
}

/// `path`, or, when something hidden lies below it, whatever else does.
void Expand(const fs::path& path, const std::vector<fs::path>& hidden,
            std::vector<fs::path>& out) {
  std::vector<fs::path> inside;
  for (const fs::path& each : hidden) {
    if (IsBelow(path, each)) return;
    if (IsBelow(each, path)) inside.push_back(each);
  }
  std::error_code code;
  if (inside.empty()) {
    out.push_back(path);
    return;
  }
  for (const auto& entry : fs::directory_iterator(path, code)) {
    // A link leads elsewhere, which has a rule of its own or none.
    if (!entry.is_symlink(code)) Expand(entry.path(), inside, out);
  }
}

std::vector<fs::path> Canonical(const std::vector<fs::path>& paths) {
  std::vector<fs::path> found;
  std::error_code code;
  for (const fs::path& path : paths) {
    const fs::path real = fs::canonical(path, code);
    if (!code) found.push_back(real);
  }
  return found;
}

}  // namespace

Sandbox::Sandbox(const Allowed& allowed) {
  if (allowed.everything() || Interface() < 1) return;
  handled_ = kRead | kMake | kWrite;
  if (Interface() < 3) handled_ &= ~kTruncate;
  const landlock_ruleset_attr attributes{.handled_access_fs = handled_};
  const auto made = static_cast<int>(
      syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  if (made < 0) return;
  // Out of the way of the numbers that a child is given.
  ruleset_ = fcntl(made, F_DUPFD_CLOEXEC, 10);
  close(made);
  const std::vector<fs::path> hidden = Canonical(allowed.hidden);
  std::vector<fs::path> readable;
  for (const fs::path& path : Canonical(allowed.readable)) {
    Expand(path, hidden, readable);
  }
  for (const fs::path& path : readable) Add(path, kRead);
  // Seeing what lies in a folder shows no label.
  Add("/", LANDLOCK_ACCESS_FS_READ_DIR);
  for (const char* device : {"/dev", "/proc"}) Add(device, kRead | kWrite);
  Add("/dev/shm", kRead | kWrite | kMake);
  for (const fs::path& path : Canonical(allowed.writable)) {
    Add(path, kRead | kWrite | kMake);
  }
}

Sandbox::~Sandbox() {
  if (ruleset_ >= 0) close(ruleset_);
}

void Sandbox::Add(const fs::path& path, std::uint64_t rights) {
  const int at = open(path.c_str(), O_PATH | O_CLOEXEC);
  if (at < 0) return;
  struct stat status {};
  if (fstat(at, &status) == 0 && !S_ISDIR(status.st_mode)) rights &= kOfFiles;
  const landlock_path_beneath_attr rule{.allowed_access = rights & handled_,
                                        .parent_fd = at};
  syscall(SYS_landlock_add_rule, ruleset_, LANDLOCK_RULE_PATH_BENEATH, &rule,
          0);
  close(at);
}

bool Sandbox::Enter() const {
  if (ruleset_ < 0) return true;
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall(SYS_landlock_restrict_self, ruleset_, 0) == 0;
}

std::string SandboxName() {
  return Interface() < 1 ? "none" : StrCat("landlock-", Interface());
}

std::vector<fs::path> SystemFolders(const fs::path& program) {
  std::set<fs::path> found = {
      "/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32",
      "/etc", "/opt", "/proc", "/sys", "/dev",   "/run/systemd/resolve"};
  const auto home = GetEnv("HOME").value_or("/");
  found.insert(fs::path(home) / ".local/lib");
  const auto add = [&](const fs::path& file, bool with_prefix) {
    const fs::path folder = file.parent_path();
    found.insert(folder);
    // PREFIX/bin/python has its libraries in PREFIX.
    const fs::path prefix = folder.parent_path();
    const bool wide = prefix == "/" || prefix == fs::path(home);
    if (with_prefix && !wide) found.insert(prefix);
  };
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const auto at = line.find('/');
    if (at != line.npos) add(line.substr(at), /*with_prefix=*/false);
  }
  std::error_code code;
  if (!program.empty()) {
    add(program, /*with_prefix=*/true);
    add(fs::canonical(program, code), /*with_prefix=*/true);
  }
  return {found.begin(), found.end()};
}

}  // namespace tailmark
