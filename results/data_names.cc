#include "results/data_names.h"

#include <algorithm>

#include "harness/base/error.h"

namespace tailmark {

namespace {

bool SaysOtherwise(const OptionMap& other, const OptionMap::value_type& said) {
  const auto at = other.find(said.first);
  return at == other.end() || at->second != said.second;
}

}  // namespace

std::string DataName(const RunIdentity& identity,
                     const std::vector<OptionMap>& beside) {
  std::string name = identity.dataset;
  for (const auto& said : identity.dataset_options) {
    const bool differs = std::any_of(
        beside.begin(), beside.end(),
        [&](const OptionMap& other) { return SaysOtherwise(other, said); });
    const bool shots =
        said.first == "shots" && !identity.episodes_sha256.empty();
    if (differs || shots) {
      name += StrCat(" ", said.first, "=", ToText(said.second));
    }
  }
  return name;
}

}  // namespace tailmark
