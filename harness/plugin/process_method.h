#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/plugin/declaration.h"
#include "harness/plugin/place.h"

namespace tailmark {

/// A method in an external program, as its method.json says it. Format:
/// README.md.
struct ProcessProgram {
  std::filesystem::path file;  ///< method.json
  Declaration declared;
  std::vector<std::string> command;
  /// What the method is made of, beside method.json: relative to it, hashed.
  std::vector<std::string> files;
  std::vector<std::filesystem::path> reads;  ///< More that it has to read.
  double silence_s = 60;
  bool paths = false;  ///< "inputs": "paths": it decodes images by itself.
  std::string text;    ///< "a photo of a {}.": it wants these encoded; "": no.
};

/// Throws DataError for a file that is not one.
ProcessProgram ReadProcessProgram(const std::filesystem::path& path);

/// The entry of its only method; the program is started when one is made and
/// first used. Throws as ReadProcessProgram does.
MethodRegistry::Entry OpenProcess(const std::filesystem::path& path,
                                  const PluginPlace& place);

/// SHA-256 of method.json, the files it lists and tailmark_method.py. Throws
/// DataError when one is missing.
std::string ProcessSha256(const std::filesystem::path& path);

}  // namespace tailmark
