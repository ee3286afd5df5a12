#pragma once

#include <filesystem>
#include <string_view>

#include "results/store.h"

namespace tailmark {

/// Puts a file of known content among the blobs, unless it is there: a hard
/// link to `source` where the file system allows one, else a copy of `bytes`.
/// A blob that is there but is not what its name says is replaced. Throws
/// StoreError. REQUIRES: `sha256` is that of `bytes`, which are `source`'s.
void KeepBlob(const Store& store, const std::filesystem::path& source,
              std::string_view bytes, std::string_view sha256);

}  // namespace tailmark
