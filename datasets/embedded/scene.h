#pragma once

#include <optional>
#include <vector>

#include "datasets/embedded/canvas.h"

namespace tailmark::embedded {

/// What differs between pre-training pictures and the benchmark's. Percent
/// where nothing else is said.
struct Knobs {
  int typical_colour = 50;
  /// Half sizes in 1/16 px, of an only object and of one among others.
  int alone_smallest = 150;
  int alone_largest = 290;
  int among_smallest = 110;
  int among_largest = 200;
  int tilt = 25;   ///< Degrees either way.
  int cover = 10;  ///< A stroke over the objects.
  int noise = 6;
  int dim = 30;  ///< Illumination: gain 256 - dim .. 256 + dim / 2.
  int blur = 0;
  bool camera = false;  ///< Dark odd rows and a colour cast.
};
constexpr Knobs WebKnobs() { return {}; }
constexpr Knobs BenchmarkKnobs(bool camera) {
  return {.typical_colour = 80,
          .alone_smallest = 165,
          .alone_largest = 260,
          .among_smallest = 125,
          .among_largest = 195,
          .tilt = 20,
          .cover = 15,
          .noise = 10,
          .dim = 40,
          .blur = 6,
          .camera = camera};
}

/// What a picture shows, decided before a pixel is painted.
struct Scene {
  std::optional<Context> context;  ///< None: a studio.
  Colour studio = Colour::kWhite;
  std::vector<Body> bodies;  ///< In the order of their labels.
  bool blurry = false;       ///< Blurred for certain, whatever the knobs.
  bool dark = false;
};

/// The context of the picture, or with `other` percent a different one.
Context ShownContext(Context context, int other, ChanceStream& chance);

/// A body of the class with colour and size; PlaceBodies gives it its place.
Body DrawBody(int klass, bool alone, const Knobs& knobs, ChanceStream& chance);

/// Puts each body where it covers its predecessors least: best of six tries.
void PlaceBodies(std::vector<Body>& bodies, ChanceStream& chance);

/// Backdrop, strokes, objects in random order, covering stroke, blur,
/// illumination and noise: [48, 48, 3].
Image Paint(const Scene& scene, const Knobs& knobs, ChanceStream& chance);

}  // namespace tailmark::embedded
