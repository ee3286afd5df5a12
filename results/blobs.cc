#include "results/blobs.h"

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

bool IsThere(const fs::path& blob, std::string_view sha256) {
  std::error_code ignored;
  if (!fs::exists(blob, ignored)) return false;
  try {
    return Sha256File(blob) == sha256;
  } catch (const DataError&) {
    return false;
  }
}

}  // namespace

void KeepBlob(const Store& store, const fs::path& source,
              std::string_view bytes, std::string_view sha256) {
  const fs::path blob = store.Blob(sha256);
  if (IsThere(blob, sha256)) return;
  MakeFolders(blob.parent_path());
  std::error_code failed;
  fs::create_hard_link(source, blob, failed);
  // Not synced: the bundle's own name for these bytes is on the disk already,
  // and a power cut that takes this one is found by a check.
  if (!failed) return;
  // Another file system, no links here, or a blob that needs replacing (one
  // that another process has just made is replaced by the same bytes).
  WriteFileAtomic(blob, bytes);
}

}  // namespace tailmark
