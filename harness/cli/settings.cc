#include "harness/cli/settings.h"

#include "harness/base/error.h"
#include "harness/base/json_depth.h"
#include "harness/base/options_json.h"

namespace tailmark {

OptionMap OptionsOfSet(const FieldTable& fields,
                       std::span<const std::string> settings) {
  OptionMap given;
  for (const std::string& each : settings) {
    const auto equals = each.find('=');
    if (equals == each.npos) {
      throw ConfigError(StrCat("--set ", each, ": write --set OPTION=VALUE"));
    }
    const std::string text = each.substr(equals + 1);
    const bool deep = FindTooDeep(text) != text.npos;
    const Json value = Json::parse(deep ? "" : text, nullptr,
                                   /*allow_exceptions=*/false);
    const std::string name = each.substr(0, equals);
    FindField(fields, name);
    given[name] =
        OptionFromJson(value.is_discarded() ? Json(text) : value, name);
  }
  return ResolveOptions(fields, given);
}

}  // namespace tailmark
