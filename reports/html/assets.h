#pragma once

#include <string_view>

namespace tailmark::html {

/// page.css, page.js and the colour tokens, built in by CMake.
extern const std::string_view kPageCss;
extern const std::string_view kPageJs;
extern const std::string_view kLightTokens;
extern const std::string_view kDarkTokens;

}  // namespace tailmark::html
