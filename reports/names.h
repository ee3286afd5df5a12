#pragma once

#include <string>
#include <string_view>

namespace tailmark {

/// "HP-DVAL" of "hp_dval", "Linear probe" of "linear_probe".
std::string HumanName(std::string_view method);

/// A row's names for people from its label in the plan: the method, or the name
/// that the recipe gave it, then grid options.
struct RowNames {
  std::string label;        ///< "Linear probe, db, lr=0.1".
  std::string short_label;  ///< "Linear probe db 0.1".
};
RowNames NamesOfRow(std::string_view label, std::string_view method);

/// Every absolute path in `text` cut to its last part: reports name no machine.
std::string WithoutPaths(std::string_view text);

}  // namespace tailmark
