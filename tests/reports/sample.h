#pragma once

#include "reports/model.h"

namespace tailmark {

/// Hand-made models that the tests of this folder share. The figures are made
/// up, and the same on every machine.

/// Three classes, three ranked rows, one row per way to be out of the ranking.
ReportModel SmallModel();

/// `methods` rows x 3 seeds over `classes` classes, with curves and phases.
ReportModel LargeModel(int methods, int classes);

/// SmallModel with names that try to break out of every format.
ReportModel HostileModel();

/// A campaign of which no run is done.
ReportModel EmptyModel();

}  // namespace tailmark
