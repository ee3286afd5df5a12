#include "harness/record/grid.h"

#include "harness/base/error.h"
#include "harness/base/options_json.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace {

constexpr std::size_t kMostPoints = 10000;

bool IsList(OptionType type) {
  return type == OptionType::kNumbers || type == OptionType::kWords;
}

/// The values of one axis, checked.
std::vector<OptionValue> Axis(const FieldInfo& field, const Json& written) {
  std::vector<OptionValue> values;
  const auto add = [&](const Json& json) {
    values.push_back(CheckOption(field, OptionFromJson(json, field.name)));
  };
  if (IsList(field.type)) {
    for (const Json& each : written) {
      if (!written.is_array() || !each.is_array()) {
        throw ConfigError(StrCat("option '", field.name, "' = ", written.dump(),
                                 " is list-valued and takes a list of lists; "
                                 "write [",
                                 written.dump(), "] for one value"));
      }
      add(each);
    }
  } else if (written.is_array()) {
    for (const Json& each : written) add(each);
  } else {
    add(written);
  }
  if (values.empty()) {
    throw ConfigError(StrCat("option '", field.name, "' has an empty list"));
  }
  return values;
}

/// Every point with every value of `field`.
std::vector<GridPoint> Times(const std::vector<GridPoint>& points,
                             const std::string& name,
                             const std::vector<OptionValue>& values,
                             const std::string& origin) {
  if (points.size() * values.size() > kMostPoints) {
    throw ConfigError(StrCat("option '", name, "' makes the grid larger than ",
                             kMostPoints, " points"));
  }
  std::vector<GridPoint> out;
  out.reserve(points.size() * values.size());
  for (const GridPoint& point : points) {
    for (const OptionValue& value : values) {
      out.push_back(point);
      out.back().options.insert_or_assign(name, value);
      out.back().origins.insert_or_assign(name, origin);
    }
  }
  return out;
}

}  // namespace

std::vector<GridPoint> ExpandGrid(const FieldTable& fields,
                                  const WrittenOptions& given,
                                  const OptionMap& below,
                                  const std::string& below_origin,
                                  const std::string& owner) {
  GridPoint base{.options = ResolveOptions(fields, below), .origins = {}};
  for (const FieldInfo& field : fields) {
    base.origins[field.name] =
        below.contains(field.name) ? below_origin : "default";
  }
  std::vector<GridPoint> points = {std::move(base)};
  for (const auto& [name, written] : given) {
    try {
      const FieldInfo& field = FindField(fields, name);
      points =
          Times(points, name, Axis(field, written.value), written.origin.text);
    } catch (const ConfigError& error) {
      throw ConfigError(StrCat(written.origin.text, ": ", owner,
                               owner.empty() ? "" : ": ", error.what()));
    }
  }
  return points;
}

std::vector<GridPoint> ExpandMethod(const MethodEntry& method,
                                    const MethodUse& use) {
  OptionMap below;
  std::string origin;
  if (!use.preset.empty()) {
    std::vector<std::string> names;
    const PresetEntry* found = nullptr;
    for (const PresetEntry& preset : method.presets) {
      names.push_back(preset.name);
      if (preset.name == use.preset) found = &preset;
    }
    if (found == nullptr) {
      throw ConfigError(StrCat(
          use.preset_origin.text, ": ",
          UnknownName(StrCat("preset of ", method.name), use.preset, names)));
    }
    below = found->options;
    origin = StrCat(found->kind, " ", use.preset);
  }
  return ExpandGrid(method.options, use.options, below, origin,
                    use.name.empty() ? use.use : use.name);
}

}  // namespace tailmark
