#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tailmark {

/// Base of every error this project throws on purpose. Only the worker's
/// runner and the two mains catch it.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The caller asked for something that does not exist or is out of range. The
/// message names the value, what is allowed, and the nearest right spelling.
/// Exit code 2.
class ConfigError : public Error {
 public:
  using Error::Error;
};

/// A file on disk is missing, truncated, or not what its checksum says. The
/// message names the path, what was expected and what was found. Exit code 2.
class DataError : public Error {
 public:
  using Error::Error;
};

/// The store, or a disk we write to, failed: full, read-only, newer than this
/// program, locked for too long. Exit code 6.
class StoreError : public Error {
 public:
  using Error::Error;
};

/// SIGINT or SIGTERM arrived, or a stop was asked for; what can be resumed has
/// been saved. Exit code 130 or 143.
class Interrupted : public Error {
 public:
  explicit Interrupted(int signal) : Error("interrupted"), signal_(signal) {}
  int signal() const { return signal_; }

 private:
  int signal_;
};

/// Concatenates anything that can be streamed. (libstdc++ 12 has no <format>.)
template <class... Parts>
std::string StrCat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return std::move(out).str();
}

namespace internal {
[[noreturn]] void CheckFailed(const char* file, int line, const char* what,
                              std::string_view message);
}  // namespace internal

/// A broken invariant of our own: prints file and line, aborts. Never for bad
/// input.
#define TM_CHECK(condition, ...)                              \
  do {                                                        \
    if (!(condition)) [[unlikely]] {                          \
      ::tailmark::internal::CheckFailed(                      \
          __FILE__, __LINE__, #condition,                     \
          ::tailmark::StrCat("" __VA_OPT__(, ) __VA_ARGS__)); \
    }                                                         \
  } while (false)

}  // namespace tailmark
