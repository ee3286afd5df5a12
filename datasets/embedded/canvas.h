#pragma once

#include <array>
#include <cstdint>

#include "datasets/embedded/classes.h"
#include "datasets/embedded/web_pairs.h"
#include "datasets/images/image.h"
#include "harness/base/seeds.h"

namespace tailmark::embedded {

/// Positions and sizes are in 1/16 pixel.
inline constexpr int kUnit = 16;
inline constexpr int kCanvas = kSide * kUnit;

/// 16384 times the sine of whole degrees, by Bhaskara's rational formula: no
/// floating point, so every platform draws the same bytes.
int Sine(int degrees);
int Cosine(int degrees);

/// The palette colour with one common offset within +-amount and another within
/// +-amount / 2 for each channel.
Rgb Jitter(Colour colour, int amount, ChanceStream& chance);

/// One object as it is to be drawn.
struct Body {
  int klass = 0;
  Colour colour = Colour::kRed;
  int half_size = 0;  ///< 1/16 px.
  int x = 0;          ///< Of the centre, 1/16 px.
  int y = 0;
};

/// How one picture comes out of the camera.
struct Finish {
  bool blur = false;
  int gain = 256;                          ///< Of 256.
  int lift = 0;                            ///< Added after the gain.
  std::array<int, 3> cast{256, 256, 256};  ///< Of 256, by channel.
  int odd_rows = 256;                      ///< Of 256.
  int noise = 0;                           ///< Triangular, within +-noise.
};

/// A square picture being painted; integers only.
class Canvas {
 public:
  void Set(int x, int y, Rgb colour);
  Rgb At(int x, int y) const;
  /// Adds `amount` to each channel.
  void Lighten(int x, int y, int amount);

  /// A bar of a random colour. `longest` is its largest half length in pixels.
  void PaintStroke(int longest, ChanceStream& chance);
  /// The object with random rotation within +-tilt degrees, mirror, stretch,
  /// shades and texture contrast; edges smoothed by 2x2 samples a pixel.
  void PaintBody(const Body& body, int tilt, ChanceStream& chance);
  void Apply(const Finish& finish, ChanceStream& chance);
  /// Every value times numerator / denominator.
  void Scale(int numerator, int denominator);

  Image ToImage() const;

 private:
  void Blur();

  std::array<std::uint8_t, std::size_t{kSide} * kSide * 3> rgb_{};
};

}  // namespace tailmark::embedded
