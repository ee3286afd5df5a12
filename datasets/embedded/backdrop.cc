#include "datasets/embedded/backdrop.h"

#include <cstdlib>

namespace tailmark::embedded {
namespace {

constexpr int kJitter = 26;

// Value noise: random heights on a lattice of 8 px, bilinear in between.
void PaintGrain(Canvas& canvas, ChanceStream& chance) {
  constexpr int kSpacing = 8;
  constexpr int kNodes = 8;
  const int amplitude = chance.Range(6, 26);
  std::array<std::array<int, kNodes>, kNodes> heights{};
  for (auto& row : heights) {
    for (int& height : row) height = chance.Range(-amplitude, amplitude);
  }
  for (int y = 0; y < kSide; ++y) {
    const auto node = static_cast<std::size_t>(y / kSpacing);
    const auto& above = heights[node];
    const auto& below = heights[node + 1];
    const int fy = y % kSpacing;
    for (int x = 0; x < kSide; ++x) {
      const auto left = static_cast<std::size_t>(x / kSpacing);
      const int fx = x % kSpacing;
      const int top = above[left] * (kSpacing - fx) + above[left + 1] * fx;
      const int bottom = below[left] * (kSpacing - fx) + below[left + 1] * fx;
      canvas.Lighten(
          x, y, (top * (kSpacing - fy) + bottom * fy) / (kSpacing * kSpacing));
    }
  }
}

/// Sky or wall above the horizon, ground below it.
struct Ground {
  Colour above;
  Colour below;
};

Ground GroundOf(Context context) {
  switch (context) {
    case Context::kKitchen:
      return {Colour::kWhite, Colour::kBrown};
    case Context::kStreet:
      return {Colour::kGrey, Colour::kBlack};
    case Context::kSea:
      return {Colour::kTeal, Colour::kBlue};
    case Context::kMeadow:
      return {Colour::kTeal, Colour::kGreen};
  }
  return {Colour::kGrey, Colour::kGrey};
}

void PaintTiles(Canvas& canvas, int horizon, ChanceStream& chance) {
  const int step = chance.Range(7, 13);
  const int phase = chance.Range(0, step - 1);
  for (int y = 0; y < horizon; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const bool line = (x + phase) % step == 0 || (y + phase) % step == 0;
      if (line) canvas.Lighten(x, y, -40);
    }
  }
}

void PaintBricks(Canvas& canvas, int horizon, ChanceStream& chance) {
  const int height = chance.Range(4, 6);
  const int width = chance.Range(7, 11);
  for (int y = 0; y < horizon; ++y) {
    const int shift = y / height % 2 != 0 ? width / 2 : 0;
    for (int x = 0; x < kSide; ++x) {
      const bool line = y % height == 0 || (x + shift) % width == 0;
      if (line) canvas.Lighten(x, y, -30);
    }
  }
}

void PaintCentreLine(Canvas& canvas, int horizon, ChanceStream& chance) {
  const int y = chance.Range(horizon + 4, kSide - 4);
  const int phase = chance.Range(0, 7);
  for (int x = 0; x < kSide; ++x) {
    if ((x + phase) / 4 % 2 != 0) continue;
    canvas.Lighten(x, y, 120);
    canvas.Lighten(x, y + 1, 120);
  }
}

void PaintStreet(Canvas& canvas, int horizon, ChanceStream& chance) {
  if (chance.Chance(50)) PaintBricks(canvas, horizon, chance);
  PaintCentreLine(canvas, horizon, chance);
}

// Zigzag lines, each with its own phase.
void PaintWaves(Canvas& canvas, int horizon, ChanceStream& chance) {
  const int step = chance.Range(4, 7);
  for (int base = horizon + 2; base < kSide - 2; base += step) {
    const int phase = chance.Range(0, 7);
    for (int x = 0; x < kSide; ++x) {
      const int y = base + std::abs((x + phase) % 8 - 4) / 2;
      if (y < kSide) canvas.Lighten(x, y, 45);
    }
  }
}

void PaintSpeckle(Canvas& canvas, int horizon, ChanceStream& chance) {
  const int blades = chance.Range(60, 120);
  for (int blade = 0; blade < blades; ++blade) {
    const int x = chance.Range(0, kSide - 1);
    const int y = chance.Range(horizon, kSide - 1);
    const int amount = chance.Range(-45, 45);
    canvas.Lighten(x, y, amount);
  }
}

}  // namespace

void PaintContext(Context context, Canvas& canvas, ChanceStream& chance) {
  const Ground ground = GroundOf(context);
  const Rgb above = Jitter(ground.above, kJitter, chance);
  const Rgb below = Jitter(ground.below, kJitter, chance);
  const int horizon = chance.Range(kSide / 4, kSide * 3 / 4);
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      canvas.Set(x, y, y < horizon ? above : below);
    }
  }
  PaintGrain(canvas, chance);
  switch (context) {
    case Context::kKitchen:
      PaintTiles(canvas, horizon, chance);
      break;
    case Context::kStreet:
      PaintStreet(canvas, horizon, chance);
      break;
    case Context::kSea:
      PaintWaves(canvas, horizon, chance);
      break;
    case Context::kMeadow:
      PaintSpeckle(canvas, horizon, chance);
      break;
  }
}

void PaintStudio(Colour colour, Canvas& canvas, ChanceStream& chance) {
  const Rgb plain = Jitter(colour, kJitter, chance);
  const int slope = chance.Range(-30, 30);
  for (int y = 0; y < kSide; ++y) {
    const int shade = slope * (2 * y - kSide) / kSide;
    for (int x = 0; x < kSide; ++x) {
      canvas.Set(x, y, {plain.r + shade, plain.g + shade, plain.b + shade});
    }
  }
}

}  // namespace tailmark::embedded
