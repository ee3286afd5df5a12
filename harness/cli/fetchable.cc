#include "harness/cli/fetchable.h"

#include <algorithm>
#include <unordered_set>

#include "datasets/builtin.h"
#include "datasets/episodes.h"
#include "harness/base/error.h"
#include "harness/base/suggest.h"
#include "harness/cli/data_access.h"
#include "harness/cli/settings.h"
#include "harness/cli/tables.h"

namespace tailmark {
namespace {

DatasetRegistry Builtins() {
  DatasetRegistry registry;
  RegisterBuiltinDatasets(registry);
  return registry;
}

const DatasetInfo& RequireFetchable(const DatasetRegistry& registry,
                                    const std::string& name) {
  const DatasetInfo& info = registry.Find(name).info;
  if (info.fetchable) return info;
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

/// Ids of splits, each once.
class Paths {
 public:
  explicit Paths(std::vector<std::string>& into) : into_(into) {}
  void Add(const Split& split) {
    for (const std::string& id : split.ids) {
      if (seen_.insert(id).second) into_.push_back(id);
    }
  }

 private:
  std::vector<std::string>& into_;
  std::unordered_set<std::string> seen_;
};

constexpr const char* kAnnotations = "annotations";
constexpr std::string_view kPictures = "/JPEGImages/";

/// "VOCdevkit/VOC2012/JPEGImages/x.jpg" is annotated in
/// "VOCdevkit/VOC2012/Annotations/x.xml".
void AddVocAnnotations(std::vector<std::string>& paths) {
  const std::size_t pictures = paths.size();
  for (std::size_t i = 0; i < pictures; ++i) {
    const auto at = paths[i].find(kPictures);
    if (at == std::string::npos) continue;
    const auto name = at + kPictures.size();
    paths.push_back(StrCat(paths[i].substr(0, at), "/Annotations/",
                           paths[i].substr(name, paths[i].rfind('.') - name),
                           ".xml"));
  }
}

}  // namespace

std::vector<fetch::PackedFile> PackedOf(const FetchableArgs& args,
                                        const fetch::Mirrors& mirrors) {
  std::vector<std::string> known;
  if (!mirrors.archives.empty()) known.emplace_back(kAnnotations);
  for (const fetch::PackedFile& each : mirrors.packed) {
    // What the lists are made of is annotations too.
    const std::string what = each.what == "lists" ? kAnnotations : each.what;
    if (std::find(known.begin(), known.end(), what) == known.end()) {
      known.push_back(what);
    }
  }
  const auto asked = [&](const std::string& what) {
    return std::find(args.with.begin(), args.with.end(), what) !=
           args.with.end();
  };
  for (const std::string& what : args.with) {
    if (std::find(known.begin(), known.end(), what) == known.end()) {
      throw ConfigError(StrCat("--with: ", UnknownName("addition", what, known),
                               " for ", args.name));
    }
  }
  std::vector<fetch::PackedFile> out;
  for (const fetch::PackedFile& each : mirrors.packed) {
    if (asked(each.what == "lists" ? kAnnotations : each.what)) {
      out.push_back(each);
    }
  }
  return out;
}

void FetchableArgs::Declare(Args& args) {
  args.Positional("NAME", name, true, "A data set");
  args.Option("--root", root, "DIR", "Where its images lie");
  args.Repeated("--set", set, "OPTION=VALUE",
                "An option of the data set, such as shots=5 or base=with");
}

void FetchableArgs::DeclareWith(Args& args) {
  args.Repeated("--with", with, "WHAT",
                "Also the official annotations, or captions (coco-lt)");
}

std::filesystem::path RootOf(const FetchableArgs& args) {
  const DatasetRegistry registry = Builtins();
  const DatasetInfo& info = RequireFetchable(registry, args.name);
  const auto root = args.root.empty() ? DefaultDataRoot(info)
                                      : std::filesystem::absolute(args.root);
  if (root.empty()) {
    throw ConfigError("give --root DIR: neither TAILMARK_DATA nor HOME is set");
  }
  return root;
}

Fetchable OpenFetchable(const FetchableArgs& args) {
  const DatasetRegistry registry = Builtins();
  const DatasetInfo& info = RequireFetchable(registry, args.name);
  Fetchable out{.name = args.name, .root = RootOf(args)};
  out.dataset = registry.Find(args.name).open(
      {.name = args.name,
       .options = OptionsOfSet(info.options, args.set),
       .root = out.root});
  Paths paths(out.paths);
  try {
    if (const Episodes* all = out.dataset->episodes()) {
      for (const Episode& each : all->episodes) paths.Add(each.support);
    }
  } catch (const DataError& error) {
    out.lacking = error.what();
  }
  paths.Add(out.dataset->train());
  paths.Add(out.dataset->test());
  if (std::find(args.with.begin(), args.with.end(), kAnnotations) !=
      args.with.end()) {
    AddVocAnnotations(out.paths);
  }
  return out;
}

std::string ProblemTable(const std::vector<fetch::Problem>& problems,
                         std::size_t most) {
  std::vector<std::vector<std::string>> table = {{"FILE", "WHAT IS WRONG"}};
  for (const fetch::Problem& each : problems) {
    if (most > 0 && table.size() > most) break;
    table.push_back({each.path, each.what});
  }
  std::string text = TextTable(table);
  if (most > 0 && problems.size() > most) {
    text += StrCat("and ", problems.size() - most, " more\n");
  }
  return text;
}

OrderedJson ProblemsJson(const std::vector<fetch::Problem>& problems) {
  OrderedJson out = OrderedJson::array();
  for (const fetch::Problem& each : problems) {
    out.push_back({{"path", each.path}, {"what", each.what}});
  }
  return out;
}

}  // namespace tailmark
