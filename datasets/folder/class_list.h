#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tailmark::folder {

/// A class with its number of training positives, where a file states it.
struct CountedClass {
  std::string name;
  std::int64_t count = 0;
};

/// `class,count` with that header, one class a line, in the order that indices
/// refer to. Throws DataError with line and column.
std::vector<CountedClass> ParseCounts(std::string_view text,
                                      const std::string& name);

/// One class name a line, no header; blank lines are skipped. Throws DataError
/// with line and column.
std::vector<std::string> ParseClassNames(std::string_view text,
                                         const std::string& name);

/// Text of "builtin:coco-lt", "builtin:voc-lt", or of a file below `root`.
/// Throws ConfigError for an unknown builtin, DataError for a missing file.
std::string ReadListFile(const std::string& where,
                         const std::filesystem::path& root);

/// Why a name cannot be a class, or "".
std::string WhatIsWrongWithClass(std::string_view name);

}  // namespace tailmark::folder
