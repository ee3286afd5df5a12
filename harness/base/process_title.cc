#include "harness/base/process_title.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace tailmark {

void SetProcessTitle(int argc, char** argv,
                     const std::vector<std::string>& words) {
  if (argc < 1) return;
  // The kernel lays arguments and environment out in one piece.
  char* const begin = argv[0];
  char* end = begin;
  const auto take = [&](char* text) {
    if (text == end) end += std::strlen(text) + 1;
  };
  std::for_each(argv, argv + argc, take);
  for (char** each = environ; *each != nullptr; ++each) {
    if (*each != end) continue;  // Set later, by this program.
    take(*each);
    // Read for as long as the process lives.
    *each = strdup(*each);
  }
  std::string title;
  for (const std::string& word : words) {
    title += (title.empty() ? "" : " ") + word;
  }
  const auto room = static_cast<std::size_t>(end - begin);
  title.resize(std::min(title.size(), room - 1));
  std::memset(begin, 0, room);
  std::copy(title.begin(), title.end(), begin);
}

}  // namespace tailmark
