#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iostream>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/suggest.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/verbs.h"
#include "harness/record/build_info.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

struct NewOptions {
  std::string name;
  std::string kind = "cxx";
  std::string folder;
};

/// "near_mean" -> "NearMean"
std::string ClassName(const std::string& name) {
  std::string out;
  bool upper = true;
  for (const char c : name) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out += upper
               ? static_cast<char>(std::toupper(static_cast<unsigned char>(c)))
               : c;
    upper = false;
  }
  return out;
}

void CheckName(const std::string& name) {
  const bool good =
      !name.empty() && std::islower(static_cast<unsigned char>(name[0])) != 0 &&
      std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_';
      });
  if (!good) {
    throw ConfigError(StrCat("'", name,
                             "' is no name of a method: small letters, digits "
                             "and _, a letter first"));
  }
}

std::string Replaced(std::string text, const std::string& from,
                     const std::string& to) {
  for (auto at = text.find(from); at != text.npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// "method.cc.in" -> "fancy.cc"; what others look for by name keeps it.
std::string FileName(const fs::path& skeleton, const std::string& name) {
  std::string plain = skeleton.stem().string();
  const fs::path path = plain;
  if (path.stem() == "method" && path.extension() != ".json") {
    return name + path.extension().string();
  }
  return plain;
}

/// What a compiler like ours is called where it is on the PATH, best first, as
/// CMake's find_program takes it: "clang++-14 clang++" for "Clang 14.0.6".
std::string CompilerNames() {
  const std::string& ours = ThisBuild().compiler;
  const std::string program = ours.starts_with("Clang") ? "clang++" : "g++";
  const auto version = ours.find(' ') + 1;
  return StrCat(program, "-", ours.substr(version, ours.find('.') - version),
                " ", program);
}

std::vector<std::string> KindsThere() {
  std::vector<std::string> kinds;
  for (const auto& entry :
       fs::directory_iterator(SharedFile("harness/plugin/skeletons"))) {
    if (entry.is_directory()) kinds.push_back(entry.path().filename());
  }
  std::sort(kinds.begin(), kinds.end());
  return kinds;
}

int New(const NewOptions& options) {
  CheckName(options.name);
  const std::vector<std::string> kinds = KindsThere();
  if (std::find(kinds.begin(), kinds.end(), options.kind) == kinds.end()) {
    throw ConfigError(UnknownName("kind", options.kind, kinds));
  }
  const fs::path folder = options.folder.empty() ? fs::path(options.name)
                                                 : fs::path(options.folder);
  if (fs::exists(folder) && !fs::is_empty(folder)) {
    throw ConfigError(StrCat(folder.string(),
                             ": is there and not empty; nothing was written"));
  }
  MakeFolders(folder);
  const fs::path skeletons =
      SharedFile("harness/plugin/skeletons") / options.kind;
  std::vector<std::string> written;
  for (const auto& entry : fs::directory_iterator(skeletons)) {
    std::string text = ReadFile(entry.path());
    text = Replaced(std::move(text), "@NAME@", options.name);
    text = Replaced(std::move(text), "@CLASS@", ClassName(options.name));
    text = Replaced(std::move(text), "@COMPILER@", CompilerNames());
    written.push_back(FileName(entry.path(), options.name));
    WriteFileAtomic(folder / written.back(), text);
  }
  std::sort(written.begin(), written.end());
  for (const std::string& each : written) {
    std::cout << (folder / each).string() << "\n";
  }
  std::cout << "next: cd " << folder.string()
            << " && sh test.sh; README.md says the rest\n";
  return kExitOk;
}

}  // namespace

Verb PluginNewVerb() {
  auto options = std::make_shared<NewOptions>();
  return {.name = "new",
          .summary =
              "Write a method that builds, runs and passes its own test, to "
              "change into yours",
          .example = "tailmark plugin new fancy --kind cxx",
          .declare =
              [options](Args& args) {
                args.Positional("NAME", options->name, true,
                                "Of the method, and of its folder");
                args.Option("--kind", options->kind, "KIND",
                            "cxx, c, process or scores");
                args.Option("--into", options->folder, "FOLDER",
                            "Another folder, new or empty");
              },
          .run = [options] { return New(*options); }};
}

}  // namespace tailmark
