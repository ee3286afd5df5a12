#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/json.h"

namespace tailmark {

/// What a shared object was built with, as it says itself: plain bytes
/// "TAILMARKSTAMP{json}" in the file, read before any of its code can run.
struct PluginStamp {
  std::string kind;           ///< "cxx" or "c".
  std::string abi;            ///< cxx: digest of our headers; c: "1".
  std::string compiler;       ///< "12.2.0", "Debian Clang 14.0.6"
  std::string libstdcxx_abi;  ///< "1" (C++11 strings) or "0".
  std::string torch;          ///< "2.13.0"; "" without LibTorch.
  std::string torch_git;      ///< Its commit.
  std::string cuda;           ///< "CPU" or "CUDA": the flavour of LibTorch.
  std::string build_type;     ///< "release" (NDEBUG) or "debug".
  std::string sanitizer;      ///< "address,undefined"; "" for none.
  std::string source;         ///< Commit of the plugin's tree; only shown.
};

Json ToJson(const PluginStamp& stamp);

/// The stamp of a file. Throws DataError when it is no ELF shared object, has
/// no stamp (saying how one gets in), or two that differ.
PluginStamp ReadStamp(const std::filesystem::path& path);

/// Sentences, one for each member that keeps `plugin` from being loaded by a
/// program of `host`, with both sides and what to do; none when it may be.
std::vector<std::string> StampMismatches(const PluginStamp& plugin,
                                         const PluginStamp& host);

}  // namespace tailmark
