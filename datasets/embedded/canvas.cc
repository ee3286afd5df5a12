#include "datasets/embedded/canvas.h"

#include <algorithm>
#include <cstdlib>

#include "datasets/embedded/shapes.h"

namespace tailmark::embedded {
namespace {

constexpr Rgb kNearBlack = {24, 24, 28};
constexpr Rgb kNearWhite = {246, 246, 242};
constexpr int kJitter = 26;

std::uint8_t Clamp(int value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0, 255));
}

std::size_t Offset(int x, int y) {
  return static_cast<std::size_t>(y * kSide + x) * 3;
}

int Towards(int from, int to, int weight) {
  return from + (to - from) * weight / 256;
}

// The second colour stands out from the first one: dark on bright, bright on
// dark.
Rgb Second(Rgb main, int contrast) {
  const Rgb target = main.r + main.g + main.b > 380 ? kNearBlack : kNearWhite;
  return {Towards(main.r, target.r, contrast),
          Towards(main.g, target.g, contrast),
          Towards(main.b, target.b, contrast)};
}

/// Two linear forms, canvas offset from a centre -> object coordinates (u, v),
/// with kShift fractional bits.
struct Frame {
  static constexpr int kShift = 24;
  std::int64_t u_x = 0;
  std::int64_t u_y = 0;
  std::int64_t v_x = 0;
  std::int64_t v_y = 0;

  int U(int dx, int dy) const {
    return static_cast<int>((dx * u_x + dy * u_y) >> kShift);
  }
  int V(int dx, int dy) const {
    return static_cast<int>((dx * v_x + dy * v_y) >> kShift);
  }
};

// Sine and cosine bring 14 fractional bits, the factors the other 10.
Frame FrameOf(int half_size, int degrees, int stretch, bool mirror) {
  const std::int64_t sine = Sine(degrees);
  const std::int64_t cosine = Cosine(degrees);
  std::int64_t across =
      (std::int64_t{256} * 256 * 1024) / (std::int64_t{half_size} * stretch);
  const std::int64_t along =
      std::int64_t{stretch} * 1024 / std::int64_t{half_size};
  if (mirror) across = -across;
  return {.u_x = cosine * across,
          .u_y = sine * across,
          .v_x = -sine * along,
          .v_y = cosine * along};
}

/// Sums the samples of one pixel.
struct Samples {
  int n = 0;
  int r = 0;
  int g = 0;
  int b = 0;

  void Add(Rgb colour) {
    ++n;
    r += colour.r;
    g += colour.g;
    b += colour.b;
  }
};

/// First and last pixel within `reach` of a centre, clipped to the canvas.
struct Span {
  int first;
  int last;
};
Span Near(int centre, int reach) {
  return {std::max(0, (centre - reach) / kUnit),
          std::min(kSide - 1, (centre + reach) / kUnit)};
}

// Calls `colour_at(dx, dy, samples)` for the 2x2 samples of each pixel around a
// centre and mixes what it added into the picture by coverage.
template <class ColourAt>
void PaintSamples(Canvas& canvas, int x, int y, int reach,
                  ColourAt&& colour_at) {
  const Span columns = Near(x, reach);
  const Span rows = Near(y, reach);
  for (int row = rows.first; row <= rows.last; ++row) {
    for (int column = columns.first; column <= columns.last; ++column) {
      Samples sum;
      for (int sample = 0; sample < 4; ++sample) {
        const int dx = column * kUnit + 4 + 8 * (sample % 2) - x;
        const int dy = row * kUnit + 4 + 8 * (sample / 2) - y;
        colour_at(dx, dy, sum);
      }
      if (sum.n == 0) continue;
      const Rgb under = canvas.At(column, row);
      const int rest = 4 - sum.n;
      canvas.Set(column, row,
                 {(under.r * rest + sum.r) / 4, (under.g * rest + sum.g) / 4,
                  (under.b * rest + sum.b) / 4});
    }
  }
}

}  // namespace

int Sine(int degrees) {
  const int turn = ((degrees % 360) + 360) % 360;
  const int d = turn % 180;
  const int q = d * (180 - d);
  const int sine = 4 * q * 16384 / (40500 - q);
  return turn < 180 ? sine : -sine;
}

int Cosine(int degrees) { return Sine(degrees + 90); }

Rgb Jitter(Colour colour, int amount, ChanceStream& chance) {
  const Rgb base = kPalette[static_cast<std::size_t>(colour)];
  const int common = chance.Range(-amount, amount);
  const int r = chance.Range(-amount / 2, amount / 2);
  const int g = chance.Range(-amount / 2, amount / 2);
  const int b = chance.Range(-amount / 2, amount / 2);
  return {Clamp(base.r + common + r), Clamp(base.g + common + g),
          Clamp(base.b + common + b)};
}

void Canvas::Set(int x, int y, Rgb colour) {
  const std::size_t at = Offset(x, y);
  rgb_[at] = Clamp(colour.r);
  rgb_[at + 1] = Clamp(colour.g);
  rgb_[at + 2] = Clamp(colour.b);
}

Rgb Canvas::At(int x, int y) const {
  const std::size_t at = Offset(x, y);
  return {rgb_[at], rgb_[at + 1], rgb_[at + 2]};
}

void Canvas::Lighten(int x, int y, int amount) {
  const Rgb old = At(x, y);
  Set(x, y, {old.r + amount, old.g + amount, old.b + amount});
}

void Canvas::PaintStroke(int longest, ChanceStream& chance) {
  const auto colour = static_cast<Colour>(chance.Below(kColours));
  const Rgb shade = Jitter(colour, kJitter, chance);
  const int x = chance.Range(0, kCanvas - 1);
  const int y = chance.Range(0, kCanvas - 1);
  const int half_length = chance.Range(2 * kUnit, longest * kUnit);
  const int half_width = chance.Range(8, 26);
  const int degrees = chance.Range(0, 179);
  const int sine = Sine(degrees);
  const int cosine = Cosine(degrees);
  PaintSamples(
      *this, x, y, half_length + half_width, [&](int dx, int dy, Samples& sum) {
        const int along = (dx * cosine + dy * sine) / 16384;
        const int across = (dy * cosine - dx * sine) / 16384;
        if (std::abs(along) <= half_length && std::abs(across) <= half_width) {
          sum.Add(shade);
        }
      });
}

void Canvas::PaintBody(const Body& body, int tilt, ChanceStream& chance) {
  const ClassSpec& spec = kClassTable[static_cast<std::size_t>(body.klass)];
  const Rgb main = Jitter(body.colour, kJitter, chance);
  const int contrast = chance.Range(160, 230);
  const Rgb second = Second(main, contrast);
  const int degrees = chance.Range(-tilt, tilt);
  const bool mirror = chance.Chance(50);
  const int stretch = chance.Range(215, 300);
  const Frame frame = FrameOf(body.half_size, degrees, stretch, mirror);
  // No point of a shape is farther out: sqrt(2) times the largest stretch.
  const int reach = body.half_size * 7 / 4;
  PaintSamples(*this, body.x, body.y, reach, [&](int dx, int dy, Samples& sum) {
    const int u = frame.U(dx, dy);
    const int v = frame.V(dx, dy);
    if (std::abs(u) > 256 || std::abs(v) > 256 || !InShape(spec.shape, u, v)) {
      return;
    }
    sum.Add(ShowsSecond(spec.texture, spec.shape, u, v) ? second : main);
  });
}

void Canvas::Blur() {
  const auto before = rgb_;
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      for (std::size_t channel = 0; channel < 3; ++channel) {
        int sum = 0;
        for (int dy = -1; dy <= 1; ++dy) {
          const int row = std::clamp(y + dy, 0, kSide - 1);
          for (int dx = -1; dx <= 1; ++dx) {
            const int column = std::clamp(x + dx, 0, kSide - 1);
            sum += before[Offset(column, row) + channel];
          }
        }
        rgb_[Offset(x, y) + channel] = static_cast<std::uint8_t>(sum / 9);
      }
    }
  }
}

void Canvas::Apply(const Finish& finish, ChanceStream& chance) {
  if (finish.blur) Blur();
  const auto levels = static_cast<std::uint32_t>(finish.noise + 1);
  for (int y = 0; y < kSide; ++y) {
    const int row = y % 2 != 0 ? finish.odd_rows : 256;
    for (int x = 0; x < kSide; ++x) {
      for (std::size_t channel = 0; channel < 3; ++channel) {
        // The difference of two uniform numbers, from the halves of one draw.
        const std::uint32_t bits = chance.Bits();
        const int noise = static_cast<int>((bits >> 16) * levels >> 16) -
                          static_cast<int>((bits & 0xFFFF) * levels >> 16);
        std::uint8_t& value = rgb_[Offset(x, y) + channel];
        const int lit = value * finish.gain / 256 + finish.lift;
        value = Clamp(lit * finish.cast[channel] / 256 * row / 256 + noise);
      }
    }
  }
}

void Canvas::Scale(int numerator, int denominator) {
  for (std::uint8_t& value : rgb_) {
    value = Clamp(value * numerator / denominator);
  }
}

Image Canvas::ToImage() const {
  return {.width = kSide, .height = kSide, .rgb = {rgb_.begin(), rgb_.end()}};
}

}  // namespace tailmark::embedded
