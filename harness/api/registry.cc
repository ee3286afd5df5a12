#include "harness/api/registry.h"

#include <array>
#include <stdexcept>

#include "harness/base/error.h"
#include "harness/base/suggest.h"

namespace tailmark {

std::string_view NameOf(InputKind kind) {
  constexpr std::array<std::string_view, 3> kNames = {"images", "features",
                                                      "none"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view NameOf(ScoreScale scale) {
  constexpr std::array<std::string_view, 3> kNames = {"logit", "probability",
                                                      "cosine"};
  return kNames[static_cast<std::size_t>(scale)];
}

double FitObserver::TestFeedback(const Method& /*method*/) {
  throw ConfigError(
      "this fit asks how good it is on the test split after each epoch, and "
      "there is nobody to answer: a worker started by hand knows no test "
      "label. Run it with tailmark run, or choose options that do not ask");
}

const StateReader& FitContext::Input(std::string_view role) const {
  if (const auto it = inputs.find(role); it != inputs.end()) return *it->second;
  std::vector<std::string> roles;
  for (const auto& entry : inputs) roles.push_back(entry.first);
  throw ConfigError(UnknownName("input", role, roles));
}

InputKind InputOf(const MethodInfo& info, const FieldTable& fields,
                  const OptionMap& resolved) {
  for (const OptionMap& when : info.images_when) {
    if (AllHold(when, fields, resolved)) return InputKind::kImages;
  }
  return info.input;
}

PromptedFeatures Encoder::EncodePrompted(const at::Tensor& /*pixels*/,
                                         const at::Tensor& /*prompts*/,
                                         bool /*apart*/) {
  throw ConfigError(
      "this image encoder has no place for visual prompts; they need a vision "
      "transformer");
}

void MethodRegistry::Insert(Entry entry) {
  ResolveOptions(entry.options, {});  // the defaults
  for (const Preset& preset : entry.info.presets) {
    CheckGiven(entry.options, preset.options);
  }
  for (const Dependency& each : entry.info.depends) {
    CheckDependency(each, entry.options);
  }
  for (const OptionMap& when : entry.info.images_when) {
    CheckGiven(entry.options, when);
  }
  for (const Deviation& each : entry.info.deviations) {
    CheckDeviation(each, entry.options);
  }
  if (entry.info.cost) CheckCost(*entry.info.cost, entry.options);
  for (const auto& when :
       {entry.info.needs.captions_unless, entry.info.needs.test_feedback,
        entry.info.needs.base_fit}) {
    if (when) CheckGiven(entry.options, *when);
  }
  std::string name = entry.info.name;
  if (!entries_.emplace(name, std::move(entry)).second) {
    throw std::logic_error(StrCat("method '", name, "' registered twice"));
  }
}

const MethodRegistry::Entry& MethodRegistry::Find(std::string_view name) const {
  if (const auto it = entries_.find(name); it != entries_.end()) {
    return it->second;
  }
  throw ConfigError(UnknownName("method", name, Names()));
}

std::vector<std::string> MethodRegistry::Names() const {
  std::vector<std::string> names;
  for (const auto& entry : entries_) names.push_back(entry.first);
  return names;
}

}  // namespace tailmark
