#include "harness/base/deviation.h"

namespace tailmark {

void CheckDeviation(const Deviation& deviation, const FieldTable& fields) {
  for (const OptionMap* side : {&deviation.paper, &deviation.released}) {
    for (const auto& [name, value] : *side) {
      if (name.find('.') != std::string::npos) continue;
      CheckOption(FindField(fields, name), value);
    }
  }
}

}  // namespace tailmark
