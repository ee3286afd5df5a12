#include "harness/plugin/kind.h"

#include <array>
#include <fstream>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/plugin/stamp.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

bool IsElf(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::array<char, 4> start{};
  in.read(start.data(), start.size());
  return std::string_view(start.data(), 4) ==
         "\x7f"
         "ELF";
}

}  // namespace

PluginKind KindOfPlugin(const fs::path& path) {
  if (!fs::is_regular_file(path)) {
    throw DataError(path.string() + ": no such file");
  }
  if (IsElf(path)) return {.name = ReadStamp(path).kind + "_plugin"};
  if (path.extension() != ".json") {
    throw DataError(
        StrCat(path.string(),
               ": is no plugin; one is a shared object, the method.json of an "
               "external program, or the model.json of an exported model"));
  }
  const Json json = ReadJson(path);
  const std::string schema =
      json.is_object() ? json.value("schema", Json("")).dump() : "";
  if (schema == "\"tailmark-process/1\"") {
    return {.name = "process",
            .foreign = json.value("inputs", Json()) == "paths"};
  }
  if (schema == "\"tailmark-model/1\"") {
    const auto file = json.value("file", Json(""));
    const bool package =
        file.is_string() && file.get<std::string>().ends_with(".pt2");
    return {.name = package ? "aoti" : "torchscript"};
  }
  throw DataError(StrCat(path.string(), ": its schema is ", schema,
                         ", not \"tailmark-process/1\" or "
                         "\"tailmark-model/1\""));
}

}  // namespace tailmark
