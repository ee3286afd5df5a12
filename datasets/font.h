#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "datasets/images/image.h"

namespace tailmark {

/// Glyphs of 5 x 7 dots on a grid of 6 x 10: enough for names under pictures.
inline constexpr int kGlyphAdvance = 6;
inline constexpr int kLineHeight = 10;

using Ink = std::array<std::uint8_t, 3>;

/// Writes `text` with its top left corner at (x, y), each dot `scale` pixels
/// wide. What lies outside the image is left out. ASCII; any other character is
/// a small box.
void DrawText(Image& image, int x, int y, std::string_view text, int scale,
              Ink ink);

/// Width of `text` in pixels.
int TextWidth(std::string_view text, int scale);

/// `text`, or its beginning and ".." when it is wider than `width`.
std::string FitText(std::string_view text, int width, int scale);

}  // namespace tailmark
