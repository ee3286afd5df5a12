#include "datasets/images/photo_ops.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "harness/base/error.h"

namespace tailmark {
namespace {

using Table = std::array<std::uint8_t, 256>;
using Histogram = std::array<std::int64_t, 256>;

std::uint8_t Clipped(double value) {
  if (value <= 0) return 0;
  return value >= 255 ? 255 : static_cast<std::uint8_t>(value);
}

void Look(Image& image, const Table& table) {
  for (std::uint8_t& value : image.rgb) value = table[value];
}

/// Gives each channel the table that `make` finds for its histogram.
template <class Make>
void LookByChannel(Image& image, Make make) {
  for (std::size_t channel = 0; channel < 3; ++channel) {
    Histogram counts{};
    for (std::size_t i = channel; i < image.rgb.size(); i += 3) {
      ++counts[image.rgb[i]];
    }
    const Table table = make(counts);
    for (std::size_t i = channel; i < image.rgb.size(); i += 3) {
      image.rgb[i] = table[image.rgb[i]];
    }
  }
}

Table Identity() {
  Table table;
  for (int i = 0; i < 256; ++i) table[i] = static_cast<std::uint8_t>(i);
  return table;
}

Table Stretched(const Histogram& counts) {
  int low = 0;
  int high = 255;
  while (low < 255 && counts[low] == 0) ++low;
  while (high > 0 && counts[high] == 0) --high;
  if (high <= low) return Identity();
  const double scale = 255.0 / (high - low);
  const double offset = -low * scale;
  Table table;
  for (int i = 0; i < 256; ++i)
    table[i] = Clipped(std::trunc(i * scale + offset));
  return table;
}

Table Flattened(const Histogram& counts) {
  std::int64_t all = 0;
  std::int64_t last = 0;
  int used = 0;
  for (const std::int64_t count : counts) {
    if (count == 0) continue;
    all += count;
    last = count;
    ++used;
  }
  const std::int64_t step = (all - last) / 255;
  if (used <= 1 || step == 0) return Identity();
  Table table;
  std::int64_t before = step / 2;
  for (int i = 0; i < 256; ++i) {
    table[i] =
        static_cast<std::uint8_t>(std::min<std::int64_t>(before / step, 255));
    before += counts[i];
  }
  return table;
}

std::uint8_t Luminance(const std::uint8_t* pixel) {
  return static_cast<std::uint8_t>(
      (pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16);
}

/// base + factor (image - base), in float as Pillow has it.
std::uint8_t Blended(std::uint8_t base, std::uint8_t value, float factor) {
  const int difference = static_cast<int>(value) - static_cast<int>(base);
  const float blended =
      static_cast<float>(base) + factor * static_cast<float>(difference);
  return Clipped(blended);
}

/// The value of a 3 x 3 neighbourhood, its middle weighing 5 of 13; the border
/// stays.
Image Smoothed(const Image& image) {
  Image out = image;
  const auto pitch = static_cast<std::ptrdiff_t>(image.width) * 3;
  for (int y = 1; y + 1 < image.height; ++y) {
    for (int x = 1; x + 1 < image.width; ++x) {
      for (std::ptrdiff_t c = 0; c < 3; ++c) {
        const std::ptrdiff_t at = y * pitch + std::ptrdiff_t{x} * 3 + c;
        int sum = 4 * image.rgb[static_cast<std::size_t>(at)];
        for (const std::ptrdiff_t row : {-pitch, std::ptrdiff_t{0}, pitch}) {
          for (const std::ptrdiff_t column : {-3, 0, 3}) {
            sum += image.rgb[static_cast<std::size_t>(at + row + column)];
          }
        }
        // No multiple of 1/13 lies half-way, so that any rounding will do.
        out.rgb[static_cast<std::size_t>(at)] =
            static_cast<std::uint8_t>((2 * sum + 13) / 26);
      }
    }
  }
  return out;
}

/// Calls set(x, y, pixel) with the pixel that was read for (x, y).
template <class Set>
void SampleNearest(const Image& image, const Affine& t, Set set) {
  const auto read = [&](int x, int y, std::int64_t column, std::int64_t row) {
    if (column < 0 || column >= image.width || row < 0 || row >= image.height)
      return;
    set(x, y, image.Row(static_cast<int>(row)) + column * 3);
  };
  if (t.b == 0 && t.d == 0) {
    double row = t.f + t.e * 0.5;
    for (int y = 0; y < image.height; ++y, row += t.e) {
      double column = t.c + t.a * 0.5;
      for (int x = 0; x < image.width; ++x, column += t.a) {
        read(x, y, column < 0 ? -1 : static_cast<std::int64_t>(column),
             row < 0 ? -1 : static_cast<std::int64_t>(row));
      }
    }
    return;
  }
  // 16.16 fixed point, as Pillow has it for all but huge pictures.
  const auto fixed = [](double value) {
    return static_cast<std::int64_t>(std::floor(value * 65536.0 + 0.5));
  };
  const std::int64_t a = fixed(t.a), b = fixed(t.b);
  const std::int64_t d = fixed(t.d), e = fixed(t.e);
  std::int64_t column = fixed(t.c + t.a * 0.5 + t.b * 0.5);
  std::int64_t row = fixed(t.f + t.d * 0.5 + t.e * 0.5);
  for (int y = 0; y < image.height; ++y, column += b, row += e) {
    for (int x = 0; x < image.width; ++x) {
      read(x, y, (column + a * x) >> 16, (row + d * x) >> 16);
    }
  }
}

double Cubic(double v1, double v2, double v3, double v4, double d) {
  const double p2 = -v1 + v3;
  const double p3 = 2 * (v1 - v2) + v3 - v4;
  const double p4 = -v1 + v2 - v3 + v4;
  return v2 + d * (p2 + d * (p3 + d * p4));
}

/// The picture at (x, y), a = -1; rows past the bottom repeat the one above.
Colour Bicubic(const Image& image, double x, double y) {
  x -= 0.5;
  y -= 0.5;
  const int left = static_cast<int>(std::floor(x));
  const int top = static_cast<int>(std::floor(y));
  const double dx = x - left;
  const double dy = y - top;
  std::array<std::ptrdiff_t, 4> columns;
  for (int i = 0; i < 4; ++i) {
    const std::ptrdiff_t column = std::clamp(left - 1 + i, 0, image.width - 1);
    columns[i] = column * 3;
  }
  Colour out;
  for (std::ptrdiff_t c = 0; c < 3; ++c) {
    std::array<double, 4> rows;
    for (int i = 0; i < 4; ++i) {
      const int at = top - 1 + i;
      if (i > 0 && (at < 0 || at >= image.height)) {
        rows[i] = rows[i - 1];
        continue;
      }
      const std::uint8_t* row =
          image.Row(std::clamp(at, 0, image.height - 1)) + c;
      rows[i] = Cubic(row[columns[0]], row[columns[1]], row[columns[2]],
                      row[columns[3]], dx);
    }
    out[c] = Clipped(Cubic(rows[0], rows[1], rows[2], rows[3], dy));
  }
  return out;
}

Image Plain(const Image& like, const Colour& colour) {
  Image out = like;
  for (std::size_t i = 0; i < out.rgb.size(); ++i) out.rgb[i] = colour[i % 3];
  return out;
}

std::uint8_t* PixelOf(Image& image, int x, int y) {
  return image.rgb.data() +
         (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
          static_cast<std::size_t>(x)) *
             3;
}

}  // namespace

void Invert(Image& image) {
  for (std::uint8_t& value : image.rgb) {
    value = static_cast<std::uint8_t>(255 - value);
  }
}

void Posterize(Image& image, int bits) {
  TM_CHECK(bits >= 0 && bits <= 8);
  const auto mask = static_cast<std::uint8_t>(0xFF00 >> bits);
  for (std::uint8_t& value : image.rgb) value &= mask;
}

void Solarize(Image& image, double threshold) {
  Table table;
  for (int i = 0; i < 256; ++i) {
    table[i] = static_cast<std::uint8_t>(i < threshold ? i : 255 - i);
  }
  Look(image, table);
}

void AutoContrast(Image& image) { LookByChannel(image, Stretched); }
void Equalize(Image& image) { LookByChannel(image, Flattened); }

void Saturate(Image& image, double factor) {
  const auto by = static_cast<float>(factor);
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    const std::uint8_t grey = Luminance(&image.rgb[i]);
    for (std::size_t c = 0; c < 3; ++c) {
      image.rgb[i + c] = Blended(grey, image.rgb[i + c], by);
    }
  }
}

void Contrast(Image& image, double factor) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    sum += Luminance(&image.rgb[i]);
  }
  const double pixels = static_cast<double>(image.rgb.size()) / 3;
  const auto mean = static_cast<std::uint8_t>(
      std::floor(static_cast<double>(sum) / pixels + 0.5));
  for (std::uint8_t& value : image.rgb) {
    value = Blended(mean, value, static_cast<float>(factor));
  }
}

void Brighten(Image& image, double factor) {
  for (std::uint8_t& value : image.rgb) {
    value = Blended(0, value, static_cast<float>(factor));
  }
}

void Sharpen(Image& image, double factor) {
  const Image smooth = Smoothed(image);
  for (std::size_t i = 0; i < image.rgb.size(); ++i) {
    image.rgb[i] =
        Blended(smooth.rgb[i], image.rgb[i], static_cast<float>(factor));
  }
}

void Transform(Image& image, const Affine& affine, Sampling sampling,
               const Colour& fill) {
  Image out = Plain(image, fill);
  if (sampling == Sampling::kNearest) {
    SampleNearest(image, affine, [&](int x, int y, const std::uint8_t* pixel) {
      std::copy_n(pixel, 3, PixelOf(out, x, y));
    });
  } else {
    const Affine& t = affine;
    for (int row = 0; row < image.height; ++row) {
      for (int column = 0; column < image.width; ++column) {
        const double x = t.a * (column + 0.5) + t.b * (row + 0.5) + t.c;
        const double y = t.d * (column + 0.5) + t.e * (row + 0.5) + t.f;
        if (x < 0 || x >= image.width || y < 0 || y >= image.height) continue;
        const Colour colour = Bicubic(image, x, y);
        std::copy_n(colour.data(), 3, PixelOf(out, column, row));
      }
    }
  }
  image = std::move(out);
}

void Rotate(Image& image, double degrees, const Colour& fill) {
  TM_CHECK(std::abs(degrees) < 90);
  const double angle = -degrees * std::numbers::pi / 180.0;
  // Pillow rounds to 15 digits.
  const auto digits = [](double value) {
    return std::round(value * 1e15) / 1e15;
  };
  Affine t{.a = digits(std::cos(angle)),
           .b = digits(std::sin(angle)),
           .d = digits(-std::sin(angle)),
           .e = digits(std::cos(angle))};
  const double x = image.width / 2.0;
  const double y = image.height / 2.0;
  t.c = t.a * -x + t.b * -y + x;
  t.f = t.d * -x + t.e * -y + y;
  Transform(image, t, Sampling::kNearest, fill);
}

void FillBox(Image& image, int left, int top, int right, int bottom,
             const Colour& colour) {
  const int end_x = std::min(right, image.width);
  const int end_y = std::min(bottom, image.height);
  for (int y = std::max(top, 0); y < end_y; ++y) {
    for (int x = std::max(left, 0); x < end_x; ++x) {
      std::copy_n(colour.data(), 3, PixelOf(image, x, y));
    }
  }
}

}  // namespace tailmark
