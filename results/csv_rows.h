#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tailmark {

/// Cells of a CSV file line by line (RFC 4180: quotes, doubled quotes, commas
/// and line ends inside them); blanks around unquoted cells and empty lines are
/// dropped. Throws DataError when the file cannot be read or a quote is left
/// open.
std::vector<std::vector<std::string>> ReadCsvRows(
    const std::filesystem::path& file);

}  // namespace tailmark
