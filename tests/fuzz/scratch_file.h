#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace tailmark {

/// A folder of this process, for parsers that want a path. Left behind when the
/// process dies of a find.
inline std::filesystem::path ScratchFor(std::string_view target) {
  auto folder =
      std::filesystem::temp_directory_path() /
      ("tailmark_" + std::string(target) + "_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  return folder;
}

inline void WriteScratch(const std::filesystem::path& path,
                         std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace tailmark
