#include "harness/run/catalog.h"

#include <string>

namespace tailmark {
namespace {

MethodEntry EntryOf(const MethodRegistry::Entry& entry) {
  const MethodInfo& info = entry.info;
  MethodEntry out{.name = info.name,
                  .version = info.version,
                  .summary = info.summary,
                  .family = info.family,
                  .cite = info.cite,
                  .input = std::string(NameOf(info.input)),
                  .needs_text = info.needs.text,
                  .needs_captions = info.needs.captions,
                  .captions_unless = info.needs.captions_unless,
                  .trains = info.abilities.trains,
                  .stochastic = info.abilities.stochastic,
                  .partial_labels = info.abilities.partial_labels,
                  .batch_invariant = info.abilities.batch_invariant,
                  .trains_encoder = info.abilities.trains_encoder,
                  .precisions = info.abilities.precisions,
                  .test_feedback = info.needs.test_feedback,
                  .options = entry.options};
  for (const Preset& preset : info.presets) {
    const bool profile = preset.kind == Preset::Kind::kProfile;
    out.presets.push_back({.name = preset.name,
                           .kind = profile ? "profile" : "preset",
                           .summary = preset.summary,
                           .options = preset.options});
  }
  out.depends = info.depends;
  out.deviations = info.deviations;
  out.cost = info.cost;
  return out;
}

}  // namespace

Catalog MakeCatalog(const MethodRegistry& registry, const BuildInfo& build) {
  Catalog catalog{.build = build};
  for (const std::string& name : registry.Names()) {
    catalog.methods.push_back(EntryOf(registry.Find(name)));
  }
  return catalog;
}

}  // namespace tailmark
