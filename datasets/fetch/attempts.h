#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "datasets/fetch/http.h"

namespace tailmark::fetch {

/// Asks one address once. "" when what is wanted came, else why not; `answer`
/// says whether asking again may help.
using TryOnce =
    std::function<std::string(const std::string& url, HttpAnswer& answer)>;

/// Asks the addresses in turn, each as often and as patiently as `rules` say,
/// until one gives what is wanted: "". Else what each said, "URL: why; URL:
/// why". A signal ends it.
std::string AskInTurn(std::span<const std::string> urls,
                      const RetryRules& rules, const TryOnce& try_once);

/// Throws StoreError when `bytes` more do not fit beside `target`, whose folder
/// is there.
void RequireRoomFor(const std::filesystem::path& target, std::int64_t bytes);

}  // namespace tailmark::fetch
