#pragma once

#include "datasets/embedded/classes.h"

namespace tailmark::embedded {

/// Whether (u, v) lies in the outline; u right, v down, in 1/256 of the half
/// size. REQUIRES: |u|, |v| <= 1024.
bool InShape(Shape shape, int u, int v);

/// Whether a point of the outline shows the object's second colour.
bool ShowsSecond(Texture texture, Shape shape, int u, int v);

}  // namespace tailmark::embedded
