#pragma once

#include <string>
#include <vector>

#include "harness/record/run_spec.h"

namespace tailmark {

/// A data set as tables name it: "embedded", "embedded-fewshot shots=5". Said
/// are the options in which it differs from one of `beside`, options of data
/// sets of the same name, and always how many shots its episodes have.
std::string DataName(const RunIdentity& identity,
                     const std::vector<OptionMap>& beside = {});

}  // namespace tailmark
