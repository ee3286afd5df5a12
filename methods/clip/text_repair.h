#pragma once

#include <string>

namespace tailmark {

/// Undoes what software does to text on its way: UTF-8 read in another code
/// page (RepairEncoding), curly quotes, ligatures, full-width letters, terminal
/// colours, control characters, decomposed letters; line by line. CLIP's
/// captions went through the Python package ftfy (6.3.1 in the goldens), which
/// does the same.
std::u32string RepairText(const std::u32string& text);

}  // namespace tailmark
