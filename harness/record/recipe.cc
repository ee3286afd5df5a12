#include "harness/record/recipe.h"

#include <algorithm>

#include "harness/base/environment.h"
#include "harness/record/recipe_node.h"
#include "harness/record/recipe_source.h"
#include "harness/record/units.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMany = std::int64_t{1} << 40;

/// ${NAME} replaced by the environment; the first unset name in `unset`.
std::string Expand(const std::string& text, std::string& unset) {
  std::string out;
  std::size_t at = 0;
  while (true) {
    const auto open = text.find("${", at);
    const auto close = text.find('}', open);
    if (open == text.npos || close == text.npos) return out + text.substr(at);
    out += text.substr(at, open - at);
    const std::string name = text.substr(open + 2, close - open - 2);
    const auto value = GetEnv(name);
    if (!value && unset.empty()) unset = name;
    out += value.value_or("");
    at = close + 1;
  }
}

std::vector<std::uint64_t> ReadSeeds(const RecipeNode& node) {
  const Json& json = node.json();
  if (json.is_string()) return ParseSeeds(node.Text(), "seeds");
  if (json.is_number_unsigned()) return {json.get<std::uint64_t>()};
  node.RequireArray();
  std::vector<std::uint64_t> seeds;
  for (const Json& each : json) {
    if (!each.is_number_unsigned()) {
      node.Fail(StrCat("a seed is a whole number from 0, found ", each.dump()));
    }
    seeds.push_back(each.get<std::uint64_t>());
  }
  if (seeds.empty()) node.Fail("at least one seed is needed");
  return seeds;
}

template <class Parse>
auto ReadUnit(const RecipeNode& node, Parse parse, std::string_view what) {
  try {
    const Json& json = node.json();
    return parse(json.is_number() ? json.dump() : node.Text(), what);
  } catch (const ConfigError& error) {
    node.Fail(error.what());
  }
}

void ReadLimits(const RecipeNode& node, Limits& limits) {
  node.RequireObject(
      {"wall", "cpu", "silence", "rss", "gpu_memory", "threads", "retries"});
  if (node.Has("cpu")) {
    limits.cpu_s = ReadUnit(node.At("cpu"), ParseDuration, "cpu");
  }
  if (node.Has("silence")) {
    limits.silence_s = ReadUnit(node.At("silence"), ParseDuration, "silence");
  }
  if (node.Has("wall")) {
    limits.wall_s = ReadUnit(node.At("wall"), ParseDuration, "wall");
  }
  if (node.Has("rss")) {
    limits.rss_bytes = ReadUnit(node.At("rss"), ParseBytes, "rss");
  }
  if (node.Has("gpu_memory")) {
    limits.gpu_bytes =
        ReadUnit(node.At("gpu_memory"), ParseBytes, "gpu_memory");
  }
  if (node.Has("threads")) {
    limits.threads = static_cast<int>(node.At("threads").Count(1, 4096));
  }
  if (node.Has("retries")) {
    const RecipeNode retries = node.At("retries");
    retries.RequireObject({"failed", "killed", "lost", "oom", "timeout"});
    for (const auto& entry : retries.json().items()) {
      limits.retries[entry.key()] =
          static_cast<int>(retries.At(entry.key()).Count(0, 100));
    }
  }
}

WrittenOptions ReadOptions(const RecipeNode& node) {
  if (!node.json().is_object()) {
    node.Fail(
        StrCat("expected an object of options, found ", node.json().dump()));
  }
  WrittenOptions options;
  for (const auto& [name, value] : node.json().items()) {
    options.emplace(name, WrittenValue{value, node.At(name).origin()});
  }
  return options;
}

DatasetUse ReadDataset(const RecipeNode& node) {
  DatasetUse use;
  if (node.json().is_string()) {
    use.use = use.name = node.Text();
    return use;
  }
  node.RequireObject({"use", "name", "options", "root"});
  if (!node.Has("use")) node.Fail("\"use\" is missing: the data set's name");
  use.use = node.At("use").Text();
  use.name = node.Text("name", use.use);
  if (use.name.empty() ||
      use.name.find_first_of(":/,= \t\n") != std::string::npos) {
    node.Fail(StrCat("\"name\" is '", use.name,
                     "'; it may hold no blank, colon, comma, = or slash"));
  }
  if (node.Has("options")) use.options = ReadOptions(node.At("options"));
  if (node.Has("root")) {
    const RecipeNode root = node.At("root");
    std::string unset;
    const std::string text = Expand(root.Text(), unset);
    if (!unset.empty()) {
      use.missing = StrCat("the environment variable ", unset,
                           " is not set; set it or give --set datasets.",
                           use.name, ".root=FOLDER");
    }
    use.root = fs::absolute(root.origin().base / text).lexically_normal();
  }
  return use;
}

/// Only what chooses among epochs can leave some out.
std::int64_t ReadSelectionEvery(const RecipeNode& node,
                                const std::string& selection) {
  if (!node.Has("selection_every")) return 1;
  const RecipeNode every = node.At("selection_every");
  if (selection != "best_on_test") {
    every.Fail("stands beside \"selection\": \"best_on_test\" only");
  }
  return every.Count(1, kMany);
}

MethodUse ReadMethod(const RecipeNode& node,
                     const std::vector<std::uint64_t>& seeds,
                     const Limits& limits) {
  MethodUse use;
  use.seeds = seeds;
  use.limits = limits;
  const auto read_use = [&use](const RecipeNode& at) {
    use.use = at.Text();
    use.plugin = ParsePluginReference(use.use, at.origin().base);
  };
  if (node.json().is_string()) {
    read_use(node);
    use.name = use.use;
    return use;
  }
  node.RequireObject({"use", "name", "preset", "profile", "on", "options",
                      "seeds", "selection", "selection_every", "limits"});
  if (!node.Has("use")) node.Fail("\"use\" is missing: the method's name");
  read_use(node.At("use"));
  use.name = node.Text("name", use.use);
  if (node.Has("preset") && node.Has("profile")) {
    node.Fail("give \"preset\" or \"profile\", not both");
  }
  for (const char* kind : {"preset", "profile"}) {
    if (!node.Has(kind)) continue;
    use.preset = node.At(kind).Text();
    use.preset_origin = node.At(kind).origin();
  }
  if (node.Has("on")) use.on = node.At("on").Words();
  if (node.Has("options")) use.options = ReadOptions(node.At("options"));
  if (node.Has("seeds")) use.seeds = ReadSeeds(node.At("seeds"));
  use.selection = node.Choice("selection", "", {"last", "best_on_test"});
  use.selection_every = ReadSelectionEvery(node, use.selection);
  if (node.Has("limits")) ReadLimits(node.At("limits"), use.limits);
  return use;
}

void ReadWeights(const RecipeNode& node, Recipe& recipe) {
  const bool object = node.json().is_object();
  if (object) {
    node.RequireObject({"path", "name"});
    if (!node.Has("path")) node.Fail("\"path\" is missing");
  }
  const RecipeNode path = object ? node.At("path") : node;
  std::string unset;
  std::string text = Expand(path.Text(), unset);
  if (!unset.empty()) {
    path.Fail(StrCat("the environment variable ", unset, " is not set"));
  }
  // Weights of ours go by name, others by path.
  if (text.find('/') != text.npos) {
    text = fs::absolute(path.origin().base / text).lexically_normal().string();
  }
  recipe.weights = text;
  if (object) recipe.weights_name = node.Text("name", "");
}

void ReadProtocol(const RecipeNode& node, Protocol& protocol) {
  node.RequireObject({"selection", "selection_every", "validation",
                      "definition", "also", "groups"});
  protocol.selection = node.Choice("selection", protocol.selection,
                                   {"last", "validation", "best_on_test"});
  protocol.selection_every = ReadSelectionEvery(node, protocol.selection);
  if (protocol.selection == "validation") protocol.validation = 0.2;
  if (node.Has("validation")) {
    const RecipeNode share = node.At("validation");
    if (!share.json().is_number() || share.json() <= 0 || share.json() > 0.5) {
      share.Fail(
          StrCat("expected a share of the training images in (0, 0.5], "
                 "found ",
                 share.json().dump()));
    }
    protocol.validation = share.json().get<double>();
  }
  protocol.definition = node.Text("definition", protocol.definition);
  if (node.Has("also")) protocol.also = node.At("also").Words();
  // Said in a recipe so that a reader sees it; there is one rule so far.
  node.Choice("groups", "", {"train>=100/20..99/<20"});
}

void ReadNumerics(const RecipeNode& node, Numerics& numerics) {
  node.RequireObject({"device", "precision", "tf32", "deterministic"});
  numerics.device = node.Text("device", numerics.device);
  numerics.precision = node.Choice("precision", numerics.precision,
                                   {"fp32", "bf16", "fp16", "fp16-state"});
  numerics.tf32 = node.Bool("tf32", numerics.tf32);
  numerics.deterministic =
      node.Choice("deterministic", numerics.deterministic, {"strict", "off"});
}

std::string FullName(const DatasetUse& use) { return use.FullName(); }
std::string FullName(const MethodUse& use) { return use.name; }

/// "method=lmpt" keeps what is named; several of one kind add up.
void ApplyOnly(const std::vector<std::string>& only, Recipe& recipe) {
  std::vector<std::string> methods;
  std::vector<std::string> datasets;
  for (const std::string& each : only) {
    const auto equals = each.find('=');
    const std::string kind = each.substr(0, equals);
    if (equals == each.npos || (kind != "method" && kind != "dataset")) {
      throw ConfigError(StrCat("--only ", each,
                               ": write --only method=NAME or dataset=NAME"));
    }
    (kind == "method" ? methods : datasets).push_back(each.substr(equals + 1));
  }
  const auto keep = [](auto& uses, const std::vector<std::string>& names,
                       std::string_view kind) {
    if (names.empty()) return;
    std::vector<std::string> known;
    for (const auto& use : uses) {
      known.push_back(use.name);
      known.push_back(use.use);
      known.push_back(FullName(use));
    }
    for (const std::string& name : names) {
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        throw ConfigError(
            StrCat("--only ", kind, "=", name, ": ",
                   UnknownName(StrCat(kind, " of this recipe"), name, known)));
      }
    }
    // An entry's own name first: "coco-lt" is not also "coco-lt-4952", which
    // uses it. A name that no entry bears stands for all that use it.
    std::vector<std::string> own;
    for (const auto& use : uses) own.push_back(use.name);
    const auto is_own = [&own](const std::string& name) {
      return std::find(own.begin(), own.end(), name) != own.end();
    };
    std::erase_if(uses, [&](const auto& use) {
      return std::none_of(names.begin(), names.end(), [&](const auto& name) {
        return name == use.name || name == FullName(use) ||
               (name == use.use && !is_own(name));
      });
    });
  };
  keep(recipe.methods, methods, "method");
  keep(recipe.datasets, datasets, "dataset");
}

/// A data set that the recipe does not have would be a row that never runs.
void CheckOn(const RecipeNode& method, const MethodUse& use,
             const Recipe& recipe) {
  std::vector<std::string> known;
  for (const DatasetUse& each : recipe.datasets) known.push_back(each.name);
  for (const std::string& name : use.on) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      method.Fail(
          UnknownName("data set of this recipe in \"on\"", name, known));
    }
  }
}

Recipe ReadRecipe(const RecipeNode& root, const RecipeOverrides& overrides) {
  root.RequireObject({"campaign", "summary", "datasets", "methods", "weights",
                      "pipeline", "protocol", "numerics", "limits", "limit",
                      "seeds"});
  Recipe recipe;
  recipe.campaign = root.Text("campaign", "");
  if (recipe.campaign.empty() ||
      recipe.campaign.find_first_of("/\\ \t\n") != std::string::npos ||
      recipe.campaign.starts_with('.')) {
    root.Fail("\"campaign\" must be a name without blanks and slashes");
  }
  Limits limits;
  if (root.Has("limits")) ReadLimits(root.At("limits"), limits);
  std::vector<std::uint64_t> seeds = {0};
  if (root.Has("seeds")) seeds = ReadSeeds(root.At("seeds"));
  for (const char* member : {"datasets", "methods"}) {
    if (!root.Has(member) || root.At(member).json().empty()) {
      root.Fail(StrCat("\"", member, "\" is missing or empty"));
    }
    root.At(member).RequireArray();
  }
  for (std::size_t i = 0; i < root.At("datasets").json().size(); ++i) {
    recipe.datasets.push_back(ReadDataset(root.At("datasets").At(i)));
  }
  for (std::size_t i = 0; i < root.At("methods").json().size(); ++i) {
    recipe.methods.push_back(
        ReadMethod(root.At("methods").At(i), seeds, limits));
    CheckOn(root.At("methods").At(i), recipe.methods.back(), recipe);
    if (!overrides.seeds.empty()) {
      recipe.methods.back().seeds = ParseSeeds(overrides.seeds, "--seeds");
    }
  }
  if (root.Has("weights")) ReadWeights(root.At("weights"), recipe);
  recipe.pipeline = root.Text("pipeline", "");
  if (root.Has("protocol")) ReadProtocol(root.At("protocol"), recipe.protocol);
  if (root.Has("numerics")) ReadNumerics(root.At("numerics"), recipe.numerics);
  if (root.Has("limit")) recipe.limit = root.At("limit").Count(0, kMany);
  return recipe;
}

}  // namespace

Recipe LoadRecipe(const fs::path& path, const RecipeOverrides& overrides) {
  SourcedJson source = ReadRecipeSource(path);
  ApplySet(source, overrides.set);
  Recipe recipe = ReadRecipe(RecipeNode(source, source.json()), overrides);
  ApplyOnly(overrides.only, recipe);
  if (!overrides.device.empty()) recipe.numerics.device = overrides.device;
  if (overrides.limit) recipe.limit = *overrides.limit;
  if (recipe.limit < 0) {
    throw ConfigError(StrCat("--limit ", recipe.limit, ": must be 0 or more"));
  }
  recipe.source = std::move(source);
  return recipe;
}

}  // namespace tailmark
