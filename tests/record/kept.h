#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/base/json.h"

namespace tailmark {

/// A file that takes long to make and whose bytes follow from `from` alone (the
/// code, what it is given): made once for a build folder and found there by the
/// next test run. `make` writes it to the path it is given; when it throws or
/// writes nothing, nothing is kept. Another `from` under the same `name`
/// replaces it. With TAILMARK_AFRESH set it is always made.
///
/// The path of the file, in `folder`; "" when there is none.
std::filesystem::path Kept(
    const std::filesystem::path& folder, const std::string& name,
    const Json& from,
    const std::function<void(const std::filesystem::path&)>& make);

/// What scores follow from, besides a run's own spec: the bytes of the programs
/// that make them, by name in `bin`, and the LibTorch they load. Whatever in
/// them changes, a parser or the launcher too, is tried anew.
Json WhatMovesScores(const std::filesystem::path& bin,
                     const std::vector<std::string>& programs);

/// A folder for $TAILMARK_CACHE that all tests of one worker share, so that the
/// same scenes are not encoded by each of them, nor the same plugin asked what
/// it is: below `bin`'s kept files, of
/// the worker that lies in `bin` now; what an earlier one made is removed. ""
/// with TAILMARK_AFRESH: every test then has what it has by itself.
std::filesystem::path KeptFeatures(const std::filesystem::path& bin);

}  // namespace tailmark
