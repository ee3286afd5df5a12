#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "results/store.h"

namespace tailmark {

/// Bundles of finished runs that `export` and `pack` give away, in the order of
/// their keys, each once: `runs` (keys, or how they begin), or all of a
/// campaign ("": the newest) when `runs` is empty. Throws ConfigError when
/// there is no such run or campaign, DataError when a bundle is not in the
/// store any more.
std::vector<std::filesystem::path> ChosenBundles(
    const Store& store, const std::vector<std::string>& runs,
    const std::string& campaign);

}  // namespace tailmark
