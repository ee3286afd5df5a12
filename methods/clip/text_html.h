#pragma once

#include <string>

namespace tailmark {

/// HTML 5 character references replaced as browsers do, also those without a
/// semicolon ("&ampx" gives "&x"): html.unescape of Python.
std::u32string UnescapeHtml(const std::u32string& text);

/// Only references that end in a semicolon, but also names shouted in capitals
/// ("&EACUTE;"): what ftfy does before it looks at encodings.
std::u32string UnescapeClearHtml(const std::u32string& text);

}  // namespace tailmark
