#pragma once

#include <string>

namespace tailmark {

/// Undoes what software does to text on its way: characters read in the wrong
/// encoding ("cafÃ©"), curly quotes, ligatures, full-width letters, terminal
/// colours, control characters, decomposed letters. Gives what version 6.3.1 of
/// the Python package ftfy gives with its defaults, because CLIP's captions
/// went through it; line by line, as there.
std::u32string RepairText(const std::u32string& text);

}  // namespace tailmark
