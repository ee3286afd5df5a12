#include "harness/launch/become_worker.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>

#include "harness/base/error.h"
#include "harness/launch/task_run.h"

namespace tailmark {

void BecomeWorker(const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {WorkerProgram().string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::cout.flush();
  execv(argv[0], argv.data());
  throw StoreError(StrCat(words[0], ": ", std::strerror(errno)));
}

}  // namespace tailmark
