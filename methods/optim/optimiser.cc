#include "methods/optim/optimiser.h"

#include <string>

#include "harness/base/error.h"
#include "harness/base/options.h"
#include "harness/base/suggest.h"
#include "methods/optim/adam.h"
#include "methods/optim/sgd.h"
#include "methods/torch_pch.h"

namespace tailmark {

std::unique_ptr<Optimiser> MakeOptimiser(std::string_view name) {
  if (name == "sgd") return std::make_unique<Sgd>(Sgd::Options{});
  if (name == "adam") {
    return std::make_unique<Adam>(Adam::Options{.decoupled = false});
  }
  if (name == "adamw") return std::make_unique<Adam>(Adam::Options{});
  throw ConfigError(UnknownName("optimiser", std::string(name),
                                internal::SplitWords(kOptimiserNames)));
}

at::Tensor internal::LoadLike(const StateReader& in, std::string_view key,
                              const at::Tensor& like) {
  const at::Tensor value = in.Get(key);
  if (value.sizes() != like.sizes()) {
    throw DataError(StrCat("checkpoint: '", key, "' has shape ", value.sizes(),
                           ", expected ", like.sizes()));
  }
  return value.to(like.options(), /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace tailmark
