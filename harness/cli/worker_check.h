#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tailmark {

/// `tailmark-worker check FILE --method NAME`: holds one method, of the file
/// `plugin` ("": a builtin), to `checks` (empty: all) and appends to `out`, a
/// JSON object a line, first what promises there are, then how each was kept.
/// Stops without a word at one that is broken after others: it may owe that to
/// them. Throws ConfigError for a method or promise that there is none of,
/// StoreError.
void CheckMethod(const std::filesystem::path& out,
                 const std::filesystem::path& plugin, const std::string& method,
                 std::vector<std::string> checks);

}  // namespace tailmark
