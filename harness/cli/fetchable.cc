#include "harness/cli/fetchable.h"

#include "datasets/builtin.h"
#include "harness/base/error.h"
#include "harness/cli/data_access.h"

namespace tailmark {

Fetchable OpenFetchable(const std::string& name, const std::string& root) {
  DatasetRegistry registry;
  RegisterBuiltinDatasets(registry);
  const DatasetRegistry::Entry& entry = registry.Find(name);
  if (!entry.info.fetchable) {
    std::string others;
    for (const std::string& other : registry.Names()) {
      if (!registry.Find(other).info.fetchable) continue;
      others += StrCat(others.empty() ? "" : ", ", other);
    }
    throw ConfigError(StrCat("data set '", name,
                             "' has no files of Tailmark's lists; those that "
                             "do: ",
                             others));
  }
  Fetchable out{.name = name,
                .root = root.empty() ? DefaultDataRoot(entry.info)
                                     : std::filesystem::absolute(root)};
  if (out.root.empty()) {
    throw ConfigError("give --root DIR: neither TAILMARK_DATA nor HOME is set");
  }
  out.dataset = entry.open({.name = name,
                            .options = ResolveOptions(entry.info.options, {}),
                            .root = out.root});
  for (const Split* split : {&out.dataset->train(), &out.dataset->test()}) {
    out.paths.insert(out.paths.end(), split->ids.begin(), split->ids.end());
  }
  return out;
}

}  // namespace tailmark
