// Holds the source tree to the layer table. A folder that does not exist yet
// is fine; an include that points the wrong way is not. The rules run over a
// list of (file, includes), so each is itself tested on planted violations.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string, std::less<>>;

/// A layer may include from itself and from the layers listed here; "*" is
/// every layer but tests.
const std::map<std::string, Names, std::less<>> kMayInclude = {
    {"harness/base", {}},
    {"harness/record", {"harness/base"}},
    {"harness/metrics", {"harness/base"}},
    {"harness/launch", {"harness/base", "harness/record"}},
    {"harness/api", {"harness/base"}},
    {"harness/run",
     {"harness/base", "harness/record", "harness/api", "datasets"}},
    {"harness/plugin", {"harness/base", "harness/record", "harness/api"}},
    {"harness/cli", {"*"}},
    {"datasets", {"harness/base"}},
    {"methods", {"harness/base", "harness/api"}},
    {"results", {"harness/base", "harness/record", "harness/metrics"}},
    {"reports",
     {"harness/base", "harness/record", "harness/metrics", "results"}},
    {"tests", {"*"}},
};

/// Where third-party headers that start like this may be. A place ending in
/// "/" is a folder. Only `in_headers` ones may be in a .h, where everybody who
/// includes it pays. The first entry that matches an include decides.
struct Fence {
  std::string_view starts;
  std::vector<std::string_view> places;
  bool in_headers = false;
};
/// Precompiled once, so it may name what no other header may.
constexpr std::string_view kTorchPch = "methods/torch_pch.h";

const std::vector<Fence> kFences = {
    {"<torch/torch.h>", {}},  // See methods/torch_pch.h.
    {"<ATen/core/ivalue.h>", {"methods/torch_pch.h"}, true},
    {"<ATen/core/Tensor.h>",
     {"harness/api/", "harness/run/", "harness/plugin/", "methods/", "tests/"},
     true},
    {"<c10/",
     {"harness/api/", "harness/run/", "harness/plugin/", "methods/", "tests/"},
     true},
    {"<ATen/", {"harness/run/", "harness/plugin/", "methods/", "tests/"}},
    {"<torch/", {"harness/run/", "harness/plugin/", "methods/", "tests/"}},
    {"<boost/process", {"harness/launch/spawn.cc"}},
    {"<sqlite3.h>", {"results/"}},
    {"<SQLiteCpp/", {"results/"}},
    {"<nlohmann/", {"harness/base/"}, true},
    {"<CLI/", {"harness/cli/"}},
    {"<openssl/", {"harness/base/"}},
    {"<pcre2.h>", {"methods/"}},
    {"<utf8proc.h>", {"methods/"}},
    {"<dlfcn.h>", {"harness/plugin/", "tests/soak/"}},
    {"<jpeglib.h>", {"datasets/"}},
    {"<turbojpeg.h>", {"datasets/"}},
    {"<png.h>", {"datasets/"}},
    {"<simdjson.h>", {"datasets/"}},
    {"<pugixml.hpp>", {"datasets/"}},
    {"<curl/", {"datasets/"}},
    {"<zlib.h>", {"datasets/", "methods/", "tests/"}},
    {"<gtest/", {"tests/"}, true},
    {"<gmock/", {"tests/"}, true},
    {"<benchmark/", {"tests/"}, true},
};

/// Folders whose sub-folders are plugins, which do not know each other, and
/// the sub-folders that are there to be shared.
const std::map<std::string, Names, std::less<>> kPlugins = {
    {"methods", {"clip", "losses", "nn", "optim", "partition"}},
    {"datasets", {"images", "lists", "loader"}},
};

/// What may reach LibTorch, directly or through our own headers.
const std::vector<std::string_view> kMayReachTorch = {
    "harness/api/", "harness/run/",       "harness/plugin/",
    "methods/",     "harness/cli/worker", "tests/",
};

struct Source {
  std::string path;                   ///< From the repository root.
  std::vector<std::string> includes;  ///< With their quotes or brackets.
};
using Tree = std::vector<Source>;

bool IsHeader(std::string_view path) { return path.ends_with(".h"); }

/// Shared by both programs, so neither it nor its includes may.
constexpr std::string_view kTorchFree = "methods/partition/";

bool IsIn(std::string_view path, const std::vector<std::string_view>& places) {
  for (const auto place : places) {
    if (path.starts_with(place)) return true;
  }
  return false;
}

/// "harness/run/runner.h" -> "harness/run"; "" when it is in no layer.
std::string_view LayerOf(std::string_view path) {
  for (const auto& entry : kMayInclude) {
    const std::string& layer = entry.first;
    if (path.starts_with(layer) && path.substr(layer.size()).starts_with("/")) {
      return layer;
    }
  }
  return "";
}

/// "methods/ml_knn/ml_knn.cc" -> {"methods", "ml_knn"}.
std::optional<std::pair<std::string_view, std::string_view>> PluginOf(
    std::string_view path) {
  const auto top = path.substr(0, path.find('/'));
  if (top == path || !kPlugins.contains(top)) return std::nullopt;
  const auto rest = path.substr(top.size() + 1);
  const auto end = rest.find('/');
  if (end == rest.npos) return std::nullopt;
  return std::pair{top, rest.substr(0, end)};
}

/// The path between the quotes or brackets.
std::string_view PathIn(std::string_view include) {
  return include.size() < 2 ? "" : include.substr(1, include.size() - 2);
}

void CheckPlace(const Source& source, std::vector<std::string>& wrong) {
  if (LayerOf(source.path).empty()) {
    wrong.push_back(source.path + " lies in no layer");
  }
  // A plugin in C is there to be no C++.
  const bool c = source.path.starts_with("tests/plugins/c/");
  if (!source.path.ends_with(".h") &&
      !source.path.ends_with(c ? ".c" : ".cc")) {
    wrong.push_back(source.path + ": C++ files end in .h or .cc");
  }
}

void CheckDirection(const Source& source, const std::string& include,
                    std::vector<std::string>& wrong) {
  const auto from = LayerOf(source.path);
  const auto to = LayerOf(PathIn(include));
  if (to.empty()) {
    if (include.starts_with('<')) return;
    wrong.push_back(source.path + " includes " + include +
                    ": write ours from the repository root, others in <>");
    return;
  }
  if (from.empty() || to == from) return;
  const Names& allowed = kMayInclude.find(from)->second;
  if (allowed.contains(to) || (allowed.contains("*") && to != "tests")) return;
  wrong.push_back(source.path + " (" + std::string(from) +
                  ") may not include from " + std::string(to));
}

void CheckFence(const Source& source, const std::string& include,
                std::vector<std::string>& wrong) {
  for (const Fence& fence : kFences) {
    if (!include.starts_with(fence.starts)) continue;
    if (!IsIn(source.path, fence.places)) {
      wrong.push_back(source.path + " includes " + include +
                      ", which belongs elsewhere");
    } else if (IsHeader(source.path) && !fence.in_headers &&
               source.path != kTorchPch) {
      wrong.push_back(source.path + " includes " + include +
                      ": not in a header");
    }
    return;
  }
}

void CheckSiblings(const Source& source, const std::string& include,
                   std::vector<std::string>& wrong) {
  const auto from = PluginOf(source.path);
  const auto to = PluginOf(PathIn(include));
  if (!from || !to || from->first != to->first || from->second == to->second) {
    return;
  }
  if (kPlugins.find(to->first)->second.contains(to->second)) return;
  wrong.push_back(source.path + " includes its sibling " + include);
}

/// Follows our own headers, so that no torch-free file gets LibTorch by a
/// detour that looks harmless at the include itself.
void CheckReach(const Tree& tree, std::vector<std::string>& wrong) {
  std::map<std::string_view, const Source*> by_path;
  for (const Source& source : tree) by_path[source.path] = &source;
  for (const Source& source : tree) {
    if (IsIn(source.path, kMayReachTorch) &&
        !source.path.starts_with(kTorchFree)) {
      continue;
    }
    std::vector<const Source*> todo = {&source};
    std::set<const Source*> seen = {&source};
    while (!todo.empty()) {
      const Source& next = *todo.back();
      todo.pop_back();
      for (const std::string& include : next.includes) {
        if (IsIn(include, {"<torch/", "<ATen/", "<c10/"})) {
          wrong.push_back(source.path + " reaches " + include + " through " +
                          next.path);
        }
        const auto it = by_path.find(PathIn(include));
        if (it != by_path.end() && seen.insert(it->second).second) {
          todo.push_back(it->second);
        }
      }
    }
  }
}

std::vector<std::string> Violations(const Tree& tree) {
  std::vector<std::string> wrong;
  for (const Source& source : tree) {
    CheckPlace(source, wrong);
    for (const std::string& include : source.includes) {
      CheckDirection(source, include, wrong);
      CheckFence(source, include, wrong);
      CheckSiblings(source, include, wrong);
    }
  }
  CheckReach(tree, wrong);
  return wrong;
}

std::string_view Trim(std::string_view text) {
  const auto start = text.find_first_not_of(" \t");
  return start == text.npos ? "" : text.substr(start);
}

/// `  #  include "a.h"  // why` -> `"a.h"`; "" for any other line. A macro for
/// a name comes back as it is, and is in no layer.
std::string IncludeOn(std::string_view line) {
  line = Trim(line);
  if (!line.starts_with('#')) return "";
  line = Trim(line.substr(1));
  if (!line.starts_with("include")) return "";
  line = Trim(line.substr(std::string_view("include").size()));
  const auto end = line.find_first_of(">\"", 1);
  return std::string(end == line.npos ? line : line.substr(0, end + 1));
}

Tree ReadTree(const fs::path& root) {
  const Names cpp = {".h", ".cc", ".hpp", ".cpp", ".cxx", ".hxx", ".cu", ".c"};
  Tree tree;
  for (const auto& top : fs::directory_iterator(root)) {
    const auto name = top.path().filename().string();
    // Hidden folders and build folders are not ours to judge.
    if (!top.is_directory() || name.starts_with('.') || name == "build" ||
        fs::exists(top.path() / "CMakeCache.txt")) {
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
      if (!entry.is_regular_file() ||
          !cpp.contains(entry.path().extension().string())) {
        continue;
      }
      Source source{entry.path().lexically_relative(root).generic_string(), {}};
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        auto include = IncludeOn(line);
        if (!include.empty()) source.includes.push_back(std::move(include));
      }
      tree.push_back(std::move(source));
    }
  }
  return tree;
}

TEST(Layers, TheTreeKeepsToTheTable) {
  const auto tree = ReadTree(TM_SOURCE_DIR);
  std::size_t includes = 0;
  for (const Source& source : tree) includes += source.includes.size();
  EXPECT_GT(includes, 0u) << "looked in the wrong place: " << TM_SOURCE_DIR;
  for (const std::string& each : Violations(tree)) ADD_FAILURE() << each;
}

TEST(Layers, EveryLayerInTheTableIsALayer) {
  for (const auto& entry : kMayInclude) {
    for (const std::string& other : entry.second) {
      EXPECT_TRUE(other == "*" || kMayInclude.contains(other))
          << entry.first << " names " << other;
    }
  }
}

struct Case {
  const char* what;
  Tree tree;
  const char* says = "";  ///< Part of the only violation; "" means none.
};
void PrintTo(const Case& each, std::ostream* out) { *out << each.what; }
class LayersCase : public ::testing::TestWithParam<Case> {};

TEST_P(LayersCase, IsJudgedAsItShould) {
  const auto wrong = Violations(GetParam().tree);
  const std::string_view says = GetParam().says;
  ASSERT_EQ(wrong.size(), says.empty() ? 0u : 1u)
      << ::testing::PrintToString(wrong);
  if (!says.empty()) {
    EXPECT_NE(wrong[0].find(says), std::string::npos) << wrong[0];
  }
}

constexpr const char* kApi = "\"harness/api/method.h\"";
const Source kMethodH = {"harness/api/method.h", {"<ATen/core/Tensor.h>"}};

INSTANTIATE_TEST_SUITE_P(
    , LayersCase,
    ::testing::Values(
        Case{"Down", {{"methods/a/a.cc", {kApi}}, kMethodH}},
        Case{"Up",
             {{"harness/base/x.cc", {"\"harness/record/catalog.h\""}}},
             "may not include from harness/record"},
        Case{"MethodSeesNoDataset",
             {{"methods/a/a.cc", {"\"datasets/split.h\""}}},
             "may not include from datasets"},
        Case{"DatasetSeesNoMethod",
             {{"datasets/d/d.cc", {"\"methods/builtin.h\""}}},
             "may not include from methods"},
        Case{"RunnerSeesNoMethod",
             {{"harness/run/runner.cc", {"\"methods/builtin.h\""}}},
             "may not include from methods"},
        Case{"RunSeesDatasets",
             {{"harness/run/runner.cc", {"\"datasets/builtin.h\""}}}},
        Case{"ReportsSeeNoRun",
             {{"reports/table.cc", {"\"harness/run/runner.h\""}}},
             "may not include from harness/run"},
        Case{"NobodySeesTests",
             {{"harness/cli/main.cc", {"\"tests/support/tiny.h\""}}},
             "may not include from tests"},
        Case{"TestsSeeAll",
             {{"tests/a_test.cc", {"\"results/store.h\"", "<gtest/gtest.h>"}}}},
        Case{"AngleBracketsAreNoWayRound",
             {{"harness/base/x.cc", {"<harness/api/method.h>"}}},
             "may not include from harness/api"},
        Case{"RelativePath",
             {{"harness/base/x.cc", {"\"../api/method.h\""}}},
             "from the repository root"},
        Case{"BareName",
             {{"harness/base/x.cc", {"\"x.h\""}}},
             "from the repository root"},
        Case{"MacroForAName",
             {{"harness/base/x.cc", {"TM_HEADER"}}},
             "from the repository root"},
        Case{"FolderNotInTheTable",
             {{"harness/utils/x.cc", {}}},
             "lies in no layer"},
        Case{"TopFolderNotInTheTable", {{"src/x.cc", {}}}, "lies in no layer"},
        Case{"SourceInCi", {{"ci/x.cc", {}}}, "lies in no layer"},
        Case{"SourceBesideTheLayers",
             {{"harness/x.cc", {}}},
             "lies in no layer"},
        Case{"OtherSuffix", {{"methods/a/a.cpp", {}}}, "end in .h or .cc"},
        Case{"TorchThroughThePch",
             {{"methods/torch_pch.h", {"<ATen/ATen.h>"}}}},
        Case{"TorchElsewhere",
             {{"methods/a/a.cc", {"<torch/torch.h>"}}},
             "belongs elsewhere"},
        Case{"TorchInAMethodsHeader",
             {{"methods/nn/tower.h", {"<torch/nn.h>"}}},
             "not in a header"},
        Case{"TorchInTheApi",
             {{"harness/api/method.h", {"<torch/types.h>"}}},
             "belongs elsewhere"},
        Case{"SerializeInRun",
             {{"harness/run/checkpoint_file.cc", {"<torch/serialize.h>"}}}},
        Case{"ProcessElsewhere",
             {{"harness/run/runner.cc", {"<boost/process.hpp>"}}},
             "belongs elsewhere"},
        Case{"SqlInAReport",
             {{"reports/table.cc", {"<SQLiteCpp/SQLiteCpp.h>"}}},
             "belongs elsewhere"},
        Case{"JsonInAHeader",
             {{"harness/record/r.h", {"<nlohmann/json.hpp>"}}},
             "belongs elsewhere"},
        Case{"JsonAtItsOneEntry",
             {{"harness/base/json.h", {"<nlohmann/json.hpp>"}}}},
        Case{"SiblingMethod",
             {{"methods/a/a.cc", {"\"methods/b/b.h\""}}},
             "its sibling"},
        Case{"SharedPartOfMethods",
             {{"methods/a/a.cc", {"\"methods/losses/asymmetric.h\""}}}},
        Case{"SharedPartSeesNoMethod",
             {{"methods/losses/l.cc", {"\"methods/b/b.h\""}}},
             "its sibling"},
        Case{"SiblingDataset",
             {{"datasets/a/a.cc", {"\"datasets/b/b.h\""}}},
             "its sibling"},
        Case{"WorkerMainReachesTorch",
             {{"harness/cli/worker_main.cc", {kApi}}, kMethodH}},
        Case{"PartitionReachesTorch",
             {{"methods/partition/p.cc", {kApi}}, kMethodH},
             "reaches <ATen/core/Tensor.h> through harness/api/method.h"},
        Case{"MainReachesTorchByADetour",
             {{"harness/cli/main.cc", {kApi}}, kMethodH},
             "reaches <ATen/core/Tensor.h> through harness/api/method.h"}),
    [](const auto& each) { return each.param.what; });

TEST(Layers, AnIncludeIsSeenHoweverItIsSpaced) {
  EXPECT_EQ(IncludeOn("  #  include \"a.h\"  // why"), "\"a.h\"");
  EXPECT_EQ(IncludeOn("#include<a>"), "<a>");
  EXPECT_EQ(IncludeOn("// #include <a>"), "");
  EXPECT_EQ(IncludeOn("#define include"), "");
}

}  // namespace
}  // namespace tailmark
