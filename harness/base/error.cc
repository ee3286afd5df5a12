#include "harness/base/error.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace tailmark::internal {
namespace {

template <class Number>
void AppendDigits(std::string& out, Number number) {
  std::array<char, 24> digits;  // -2^63 and 2^64 - 1 have twenty.
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

}  // namespace

void AppendNumber(std::string& out, long long number) {
  AppendDigits(out, number);
}

void AppendNumber(std::string& out, unsigned long long number) {
  AppendDigits(out, number);
}

void AppendNumber(std::string& out, double number) {
  std::array<char, 32> text;
  const int length = std::snprintf(text.data(), text.size(), "%g", number);
  out.append(text.data(), static_cast<std::size_t>(length));
}

void CheckFailed(const char* file, int line, const char* what,
                 std::string_view message) {
  std::fprintf(stderr, "%s:%d: check failed: %s %.*s\n", file, line, what,
               static_cast<int>(message.size()), message.data());
  std::abort();
}

}  // namespace tailmark::internal
