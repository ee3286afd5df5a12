#include "harness/plugin/cxx_host.h"

#include <dlfcn.h>

#include <stdexcept>

#include "harness/base/error.h"

namespace tailmark {
namespace {

std::string LoaderError() {
  const char* text = dlerror();
  return text == nullptr ? "no reason given" : text;
}

}  // namespace

void* LoadSymbol(const std::filesystem::path& path, const char* symbol) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    throw DataError(
        StrCat(path.string(), ": cannot be loaded: ", LoaderError()));
  }
  void* found = dlsym(handle, symbol);
  if (found == nullptr) {
    throw DataError(StrCat(path.string(), ": has no symbol '", symbol,
                           "': ", LoaderError()));
  }
  return found;
}

void OpenCxxPlugin(const std::filesystem::path& path,
                   MethodRegistry& registry) {
  using Register = void (*)(MethodRegistry*);
  const auto add =
      reinterpret_cast<Register>(LoadSymbol(path, "tailmark_plugin_register"));
  try {
    add(&registry);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw ConfigError(StrCat(path.string(), ": ", error.what()));
  }
}

}  // namespace tailmark
