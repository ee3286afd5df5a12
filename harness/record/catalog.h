#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/cost.h"
#include "harness/base/dependency.h"
#include "harness/base/deviation.h"
#include "harness/base/json.h"
#include "harness/base/options.h"
#include "harness/record/build_info.h"

namespace tailmark {

/// A named option set of a method, as MethodInfo declares it.
struct PresetEntry {
  std::string name;
  std::string kind;  ///< "preset" or "profile".
  std::string summary;
  OptionMap options;
};

/// What `tailmark`, which links no LibTorch, knows of a method.
struct MethodEntry {
  std::string name;
  int version = 1;
  std::string summary;
  std::string family;
  std::string cite;
  std::string input;  ///< "images", "features" or "none".
  bool needs_text = false;
  bool needs_captions = false;
  /// Options under which it needs no captions after all; nothing: never.
  std::optional<OptionMap> captions_unless{};
  bool trains = true;
  bool stochastic = true;
  bool partial_labels = false;
  bool batch_invariant = true;
  bool trains_encoder = false;
  std::vector<std::string> precisions = {"fp32"};
  /// Options under which it asks for test scores; nothing: never.
  std::optional<OptionMap> test_feedback;
  FieldTable options;
  std::vector<PresetEntry> presets;
  std::vector<Dependency> depends;  ///< Runs it starts from.
  /// Of a plugin: its file, and the SHA-256 of all it is made of. Not in the
  /// catalogue's JSON: who asked a file for its methods knows which one.
  std::filesystem::path plugin;
  std::string artifact_sha256;
  /// Why the plugin cannot be used; its runs are rows with this reason. "" when
  /// it can.
  std::string broken;
  /// Where its paper and its released code differ.
  std::vector<Deviation> deviations;
  /// What a run is declared to take; nothing: the method does not say.
  std::optional<Cost> cost{};
};

/// Whether the method wants captions with these resolved options.
bool NeedsCaptions(const MethodEntry& method, const OptionMap& resolved);

/// Written by `tailmark-worker catalog FILE` at build time, read by `tailmark`.
struct Catalog {
  BuildInfo build;  ///< Of the worker: the build in every key.
  std::vector<MethodEntry> methods;

  /// Throws ConfigError with the nearest name.
  const MethodEntry& Find(std::string_view name) const;
};

Json ToJson(const Catalog& catalog);
/// Throws DataError when it is not a catalogue of this format.
Catalog CatalogFromJson(const Json& json);

/// The catalogue beside the running program (share/tailmark/catalog.json).
/// Throws DataError saying that the engine was not built when there is none.
Catalog LoadCatalog();

}  // namespace tailmark
