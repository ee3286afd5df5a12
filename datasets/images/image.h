#pragma once

#include <cstdint>
#include <vector>

namespace tailmark {

/// An 8-bit RGB picture, rows top to bottom, interleaved: [height, width, 3].
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;

  const std::uint8_t* Row(int y) const {
    return rgb.data() +
           static_cast<std::size_t>(y) * static_cast<std::size_t>(width) * 3;
  }
};

}  // namespace tailmark
