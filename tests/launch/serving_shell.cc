// A shell that can also be forked off one that is loaded: as `serving_shell`
// it is /bin/sh; `serving_shell serve SOCKET` answers requests for forks as
// tailmark-worker does, without LibTorch. The word `title` instead of an option
// prints how the process shows itself, and its HOME.

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "harness/base/environment.h"
#include "harness/cli/worker_serve.h"

namespace {

int Shell(const std::vector<std::string>& words) {
  if (words.size() > 1 && words[1] == "title") {
    std::ifstream in("/proc/self/cmdline");
    std::string shown(std::istreambuf_iterator<char>(in), {});
    // One after each word; a fork's has blanks, and the rest of the room.
    shown.erase(shown.find_last_not_of('\0') + 1);
    std::replace(shown.begin(), shown.end(), '\0', ' ');
    std::cout << shown << "\n"
              << tailmark::GetEnv("HOME").value_or("") << std::endl;
    return 0;
  }
  std::vector<char*> argv;
  std::vector<std::string> copy = words;
  for (std::string& word : copy) argv.push_back(word.data());
  argv.push_back(nullptr);
  execv("/bin/sh", argv.data());
  return 127;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && argv[1] == std::string("serve")) {
    return tailmark::ServeForks(std::stoi(argv[2]), argc, argv, Shell);
  }
  return Shell({argv, argv + argc});
}
