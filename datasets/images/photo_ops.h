#pragma once

#include <array>
#include <cstdint>

#include "datasets/images/image.h"

/// What photographers' tools do to a picture, with the bytes of Pillow 13.0
/// (ImageOps, ImageEnhance, Image.transform, Image.rotate). Each changes its
/// picture, keeps its size and is thread-safe. REQUIRES: at least 1 x 1.
namespace tailmark {

using Colour = std::array<std::uint8_t, 3>;

void Invert(Image& image);
/// Keeps the `bits` high bits. REQUIRES: 0..8.
void Posterize(Image& image, int bits);
/// Inverts what is not below `threshold`.
void Solarize(Image& image, double threshold);
/// Stretches each channel to 0..255.
void AutoContrast(Image& image);
/// Flattens each channel's histogram.
void Equalize(Image& image);

/// Blends with a changed picture: factor 0 is that one, 1 changes nothing,
/// beyond 1 leads away from it. It is grey (Saturate), plain in the mean
/// luminance (Contrast), black (Brighten) or smoothed (Sharpen).
void Saturate(Image& image, double factor);
void Contrast(Image& image, double factor);
void Brighten(Image& image, double factor);
void Sharpen(Image& image, double factor);

/// Where an output pixel's centre (x, y) is read: (a x + b y + c, d x + e y +
/// f).
struct Affine {
  double a = 1, b = 0, c = 0;
  double d = 0, e = 1, f = 0;
};
enum class Sampling : std::uint8_t { kNearest, kBicubic };
/// What lies outside becomes `fill`.
void Transform(Image& image, const Affine& affine, Sampling sampling,
               const Colour& fill);
/// Counter-clockwise around the centre, nearest pixel. REQUIRES: less than a
/// quarter turn, which Pillow does another way.
void Rotate(Image& image, double degrees, const Colour& fill);

/// Fills columns [left, right) of rows [top, bottom), the part that lies in the
/// picture.
void FillBox(Image& image, int left, int top, int right, int bottom,
             const Colour& colour);

}  // namespace tailmark
