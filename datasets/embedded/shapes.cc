#include "datasets/embedded/shapes.h"

#include <cstdlib>

namespace tailmark::embedded {
namespace {

constexpr bool Disc(int u, int v, int a, int b, int r) {
  return (u - a) * (u - a) + (v - b) * (v - b) <= r * r;
}

constexpr bool Box(int u, int v, int u0, int u1, int v0, int v1) {
  return u >= u0 && u <= u1 && v >= v0 && v <= v1;
}

bool InBottle(int u, int v) {
  const int width = std::abs(u);
  return Box(u, v, -70, 70, -250, -90) ||
         (width <= 140 && v >= -110 && v <= 250) ||
         (v > -150 && v <= -90 && width <= 70 + 7 * (v + 150) / 6);
}

bool InCar(int u, int v) {
  return Box(u, v, -250, 250, -20, 120) ||
         (v >= -150 && v < -20 && std::abs(u) <= 90 + 3 * (v + 150) / 5) ||
         Disc(u, v, -140, 130, 75) || Disc(u, v, 140, 130, 75);
}

bool InHull(int u, int v) {
  const bool hull = v >= 60 && v <= 190 && std::abs(u) <= 250 - (v - 60);
  const bool sail =
      u >= 20 && v >= -250 && v <= 30 && u - 20 <= 3 * (v + 250) / 4;
  return hull || sail || Box(u, v, -20, 0, -250, 60);
}

bool InFish(int u, int v) {
  const bool body = u <= 200 && 9 * u * u / 16 + 9 * v * v / 4 <= 150 * 150;
  return body || (u >= 120 && u <= 250 && std::abs(v) <= u - 110);
}

}  // namespace

bool InShape(Shape shape, int u, int v) {
  switch (shape) {
    case Shape::kPerson:
      return Disc(u, v, 0, -165, 88) ||
             (v >= -80 && v <= 250 && std::abs(u) <= 60 + (v + 80) / 3);
    case Shape::kCar:
      return InCar(u, v);
    case Shape::kHull:
      return InHull(u, v);
    case Shape::kMug:
      return Box(u, v, -220, 110, -190, 210) ||
             (Disc(u, v, 110, 0, 130) && !Disc(u, v, 110, 0, 70));
    case Shape::kStar:
      return Disc(u, v, 0, 0, 105) ||
             (std::abs(u) <= 250 && std::abs(v) <= 250 &&
              std::abs(u * v) <= 4200);
    case Shape::kFish:
      return InFish(u, v);
    case Shape::kBottle:
      return InBottle(u, v);
    case Shape::kLolly:
      return Disc(u, v, 0, -120, 130) || Box(u, v, -38, 38, 0, 255);
    case Shape::kUmbrella:
      return (v <= 10 && Disc(u, v, 0, 10, 245)) || Box(u, v, -32, 32, 0, 250);
    case Shape::kDisc:
      return Disc(u, v, 0, 0, 240);
    case Shape::kMoon:
      return Disc(u, v, 0, 0, 245) && !Disc(u, v, 95, -60, 190);
    case Shape::kRing:
      return Disc(u, v, 0, 0, 245) && !Disc(u, v, 0, 0, 120);
  }
  return false;
}

bool ShowsSecond(Texture texture, Shape shape, int u, int v) {
  switch (texture) {
    case Texture::kSolid:
      return false;
    case Texture::kSplit:
      return v > 10;
    case Texture::kRim:
      return !InShape(shape, 5 * u / 4, 5 * v / 4);
    case Texture::kStripes:
      return (v + 1024) / 96 % 2 != 0;
    case Texture::kChecker:
      return ((u + 1024) / 128 + (v + 1024) / 128) % 2 != 0;
    case Texture::kDots: {
      const int a = (u + 1024) % 150 - 75;
      const int b = (v + 1024) % 150 - 75;
      return a * a + b * b < 52 * 52;
    }
  }
  return false;
}

}  // namespace tailmark::embedded
