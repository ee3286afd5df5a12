#pragma once

#include <span>
#include <string>

#include "harness/base/options.h"

namespace tailmark {

/// "seed=2" of --set, against a table of options; VALUE is JSON, or else a
/// word. Every field is present in the answer. Throws ConfigError.
OptionMap OptionsOfSet(const FieldTable& fields,
                       std::span<const std::string> settings);

}  // namespace tailmark
