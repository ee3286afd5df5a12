// Any text is a recipe, or an error of ours; so is any --set on top of one. The
// first byte that is 0 ends the recipe, and settings follow, 0 between them.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "harness/base/error.h"
#include "harness/record/recipe.h"
#include "tests/fuzz/scratch_file.h"

namespace {

void Write(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

void Load(const std::filesystem::path& path,
          const tailmark::RecipeOverrides& overrides) {
  try {
    (void)tailmark::LoadRecipe(path, overrides);
  } catch (const tailmark::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const auto kFolder = tailmark::ScratchFor("recipe_fuzz");
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto take = [&rest] {
    const std::string_view part = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    return part;
  };
  const std::string_view text = take();
  tailmark::RecipeOverrides overrides;
  while (!rest.empty()) overrides.set.emplace_back(take());
  Write(kFolder / "recipe.json", text);
  Load(kFolder / "recipe.json", overrides);
  // Again inside of a right one, so that the fuzzer need not learn it first.
  Write(kFolder / "around.json",
        "{\"schema\": \"tailmark-campaign/1\", \"campaign\": \"c\", "
        "\"datasets\": [\"embedded\"], \"methods\": [\"label_prior\"], " +
            std::string(text) + "}");
  Load(kFolder / "around.json", overrides);
  return 0;
}
