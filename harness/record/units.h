#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tailmark {

/// Seconds of "90", "90s", "30m", "4h", "2d" or "1h30m". Throws ConfigError
/// that begins with `what`.
double ParseDuration(std::string_view text, std::string_view what);

/// Bytes of "1024", "512MiB", "48GiB", "2TB" (decimal without the i). Throws
/// ConfigError that begins with `what`.
std::int64_t ParseBytes(std::string_view text, std::string_view what);

/// Seeds of "3", "0-4", "0,2,5" or "0-2,7", in that order, without repeats.
/// Throws ConfigError that begins with `what`; at most 10,000 of them.
std::vector<std::uint64_t> ParseSeeds(std::string_view text,
                                      std::string_view what);

}  // namespace tailmark
