#pragma once

#include <concepts>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

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

namespace internal {

template <class T>
concept Letter = std::same_as<T, char> || std::same_as<T, signed char> ||
    std::same_as<T, unsigned char>;

void AppendNumber(std::string& out, long long number);
void AppendNumber(std::string& out, unsigned long long number);
void AppendNumber(std::string& out, double number);

template <class Part>
void Append(std::string& out, const Part& part) {
  if constexpr (std::is_convertible_v<const Part&, std::string_view>) {
    out += std::string_view(part);
  } else if constexpr (Letter<Part>) {
    out += static_cast<char>(part);
  } else if constexpr (std::signed_integral<Part>) {
    AppendNumber(out, static_cast<long long>(part));
  } else if constexpr (std::unsigned_integral<Part>) {
    AppendNumber(out, static_cast<unsigned long long>(part));
  } else if constexpr (std::same_as<Part, double> ||
                       std::same_as<Part, float>) {
    AppendNumber(out, static_cast<double>(part));
  } else {
    std::ostringstream stream;
    stream << part;
    out += std::move(stream).str();
  }
}

}  // namespace internal

/// Concatenates anything that can be streamed, as a stream writes it: six
/// significant digits of a double. (libstdc++ 12 has no <format>.) Text and
/// numbers take no stream, whose locale costs more than a short text does: the
/// ids and paths of a large data set come from here.
template <class... Parts>
std::string StrCat(const Parts&... parts) {
  std::string out;
  (internal::Append(out, parts), ...);
  return out;
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
