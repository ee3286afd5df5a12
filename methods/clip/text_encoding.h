#pragma once

#include <string>

namespace tailmark {

/// Undoes UTF-8 that was read as windows-1252, Latin-1 or a neighbouring code
/// page, once or more often: "cafÃ©" is "café". Characters change only where
/// their bytes in one page are well-formed UTF-8 and where they look wrong: a
/// sign or a control where no language has one, a capital behind a small
/// letter. The whole text is read again when that accounts for every character
/// beyond ASCII, else those parts alone. What could be meant stays: "ERRONÉ…",
/// "VYPÍŠE", "«CAFÉ»". CLIP's captions went through the Python package ftfy,
/// whose pages and order of pages these are; how near the two come:
/// tests/golden/repair.
std::u32string RepairEncoding(const std::u32string& text);

}  // namespace tailmark
