#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tailmark {

/// A zip archive of files (name, content), deflated or stored.
std::string ZipArchive(
    const std::vector<std::pair<std::string, std::string>>& files,
    bool deflated);

}  // namespace tailmark
