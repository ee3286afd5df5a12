#pragma once

#include "datasets/embedded/canvas.h"

namespace tailmark::embedded {

/// A place: two colours that meet at a horizon, grain, and what is typical of
/// it (tiles; bricks and a centre line; waves; speckle).
void PaintContext(Context context, Canvas& canvas, ChanceStream& chance);

/// A plain colour, shaded from top to bottom.
void PaintStudio(Colour colour, Canvas& canvas, ChanceStream& chance);

}  // namespace tailmark::embedded
