#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "harness/base/environment.h"
#include "tests/plugins/plugin_program.h"

namespace tailmark {

/// The programs with what the plugin `hostile` (tests/plugins/cxx) wants to
/// reach and to leave behind.
class HostileProgram : public PluginProgram {
 public:
  HostileProgram() {
    program.environment["TM_TEST_OUTSIDE"] = outside().string();
    program.environment["TM_TEST_MARK"] = mark();
    program.environment["TM_TEST_LABELS"] =
        TM_SOURCE_DIR "/datasets/voc_lt/test_labels.txt";
    // A sanitizer would turn a crash or a refused allocation into words of its
    // own before either becomes what is tested here.
    program.environment["ASAN_OPTIONS"] =
        GetEnv("ASAN_OPTIONS").value_or("") +
        ":handle_segv=0:allocator_may_return_null=1";
  }
  std::filesystem::path outside() const { return folder() / "outside.txt"; }
  static std::string mark() { return "tm-left-" + std::to_string(getpid()); }
  static std::string Use() {
    return std::string("plugin:") + TM_PLUGIN_DIR + "/libhostile.so#hostile";
  }
  /// Numbers of the processes of that name.
  static std::vector<std::string> ProcessesCalled(const std::string& name) {
    std::vector<std::string> found;
    std::error_code code;
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc", code)) {
      std::string line;
      std::getline(std::ifstream(entry.path() / "comm"), line);
      if (line == name) found.push_back(entry.path().filename());
    }
    return found;
  }
};

}  // namespace tailmark
