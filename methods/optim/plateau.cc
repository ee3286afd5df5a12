#include "methods/optim/plateau.h"

#include <algorithm>
#include <bit>

#include "harness/base/error.h"

namespace tailmark {

void Plateau::Step(double metric) {
  // PyTorch compares with best * (1 +- threshold), also while best is infinite.
  const bool better = options_.maximise
                          ? metric > best_ * (1.0 + options_.threshold)
                          : metric < best_ * (1.0 - options_.threshold);
  if (better) {
    best_ = metric;
    bad_ = 0;
    return;
  }
  if (++bad_ <= options_.patience) return;
  const double next = std::max(lr_ * options_.factor, options_.min_lr);
  if (lr_ - next > options_.eps) lr_ = next;
  bad_ = 0;
}

void Plateau::Save(StateWriter& out, std::string_view prefix) const {
  out.PutInt(StrCat(prefix, "/lr"), std::bit_cast<std::int64_t>(lr_));
  out.PutInt(StrCat(prefix, "/best"), std::bit_cast<std::int64_t>(best_));
  out.PutInt(StrCat(prefix, "/bad"), bad_);
}

void Plateau::Load(const StateReader& in, std::string_view prefix) {
  lr_ = std::bit_cast<double>(in.GetInt(StrCat(prefix, "/lr")));
  best_ = std::bit_cast<double>(in.GetInt(StrCat(prefix, "/best")));
  bad_ = in.GetInt(StrCat(prefix, "/bad"));
}

}  // namespace tailmark
