#include "harness/metrics/definition_json.h"

#include <string>

namespace tailmark {

Json ToJson(const Definition& definition) {
  const LabelPolicy& policy = definition.policy;
  return {{"id", IdOf(definition)},
          {"name", ShortId(definition)},
          {"family", std::string(NameOf(definition.family))},
          {"ties", std::string(NameOf(definition.ties))},
          {"bins", definition.bins},
          {"eps", definition.eps},
          {"difficult", std::string(NameOf(policy.difficult))},
          {"empty", std::string(NameOf(policy.empty))},
          {"nopos", std::string(NameOf(policy.no_positive))},
          {"version", definition.version},
          {"summary", InfoOf(definition).summary},
          {"higher_is_better", true}};
}

}  // namespace tailmark
