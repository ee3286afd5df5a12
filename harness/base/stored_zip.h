#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace tailmark {

/// The members of a zip archive (also zip64) whose members are stored, not
/// compressed: views into `bytes`. Sizes and places are checked against the
/// archive. Throws DataError that begins with `name`, also for members that are
/// compressed or encrypted; but those below a folder "code" (of TorchScript)
/// are then empty.
std::map<std::string, std::span<const std::byte>, std::less<>> ReadStoredZip(
    std::span<const std::byte> bytes, std::string_view name);

}  // namespace tailmark
