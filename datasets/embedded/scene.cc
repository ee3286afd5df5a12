#include "datasets/embedded/scene.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>

#include "datasets/embedded/backdrop.h"

namespace tailmark::embedded {
namespace {

// Chebyshev distance between the squares around two bodies; negative: overlap.
int Gap(const Body& a, const Body& b) {
  const int distance = std::max(std::abs(a.x - b.x), std::abs(a.y - b.y));
  return distance - a.half_size - b.half_size;
}

void Place(std::vector<Body>& bodies, std::size_t which, ChanceStream& chance) {
  constexpr int kTries = 6;
  Body& body = bodies[which];
  const int margin = body.half_size * 3 / 4;
  Body best = body;
  int best_gap = std::numeric_limits<int>::min();
  for (int attempt = 0; attempt < kTries && best_gap < 0; ++attempt) {
    Body tried = body;
    tried.x = chance.Range(margin, kCanvas - 1 - margin);
    tried.y = chance.Range(margin, kCanvas - 1 - margin);
    int gap = kCanvas;
    for (std::size_t i = 0; i < which; ++i) {
      gap = std::min(gap, Gap(tried, bodies[i]));
    }
    if (gap <= best_gap) continue;
    best_gap = gap;
    best = tried;
  }
  body = best;
}

std::vector<Body> Shuffled(std::vector<Body> bodies, ChanceStream& chance) {
  for (std::size_t n = bodies.size(); n > 1; --n) {
    const std::uint32_t other = chance.Below(static_cast<std::uint32_t>(n));
    std::swap(bodies[n - 1], bodies[other]);
  }
  return bodies;
}

Finish DrawFinish(const Scene& scene, const Knobs& knobs,
                  ChanceStream& chance) {
  Finish finish;
  const bool blurred = chance.Chance(knobs.blur);
  finish.blur = scene.blurry || blurred;
  finish.gain = 256 + chance.Range(-knobs.dim, knobs.dim / 2);
  finish.lift = chance.Range(-knobs.dim / 6, knobs.dim / 6);
  finish.noise = chance.Range(0, knobs.noise);
  if (knobs.camera) {
    finish.cast = {256, 226, 194};
    finish.odd_rows = 124;
  }
  return finish;
}

}  // namespace

Context ShownContext(Context context, int other, ChanceStream& chance) {
  if (!chance.Chance(other)) return context;
  const auto step = 1 + chance.Below(kContexts - 1);
  return static_cast<Context>((static_cast<std::uint32_t>(context) + step) %
                              kContexts);
}

Body DrawBody(int klass, bool alone, const Knobs& knobs, ChanceStream& chance) {
  Body body{.klass = klass};
  body.colour = kClassTable[static_cast<std::size_t>(klass)].colour;
  if (!chance.Chance(knobs.typical_colour)) {
    body.colour = static_cast<Colour>(chance.Below(kColours));
  }
  body.half_size =
      alone ? chance.Range(knobs.alone_smallest, knobs.alone_largest)
            : chance.Range(knobs.among_smallest, knobs.among_largest);
  return body;
}

void PlaceBodies(std::vector<Body>& bodies, ChanceStream& chance) {
  for (std::size_t i = 0; i < bodies.size(); ++i) Place(bodies, i, chance);
}

Image Paint(const Scene& scene, const Knobs& knobs, ChanceStream& chance) {
  Canvas canvas;
  if (scene.context) {
    PaintContext(*scene.context, canvas, chance);
  } else {
    PaintStudio(scene.studio, canvas, chance);
  }
  const int strokes = chance.Range(0, 1);
  for (int i = 0; i < strokes; ++i) canvas.PaintStroke(9, chance);
  for (const Body& body : Shuffled(scene.bodies, chance)) {
    canvas.PaintBody(body, knobs.tilt, chance);
  }
  if (chance.Chance(knobs.cover)) canvas.PaintStroke(7, chance);
  const Finish finish = DrawFinish(scene, knobs, chance);
  canvas.Apply(finish, chance);
  if (scene.dark) canvas.Scale(5, 9);
  return canvas.ToImage();
}

}  // namespace tailmark::embedded
