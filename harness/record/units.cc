#include "harness/record/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "harness/base/error.h"

namespace tailmark {
namespace {

/// Takes a number off the front of `text`; false when there is none.
template <class T>
bool TakeNumber(std::string_view& text, T& value) {
  const auto [end, code] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

std::string_view TakeLetters(std::string_view& text) {
  const auto size = std::min(text.find_first_of("0123456789. "), text.size());
  const std::string_view letters = text.substr(0, size);
  text.remove_prefix(size);
  return letters;
}

constexpr std::array<std::pair<std::string_view, double>, 4> kTimes = {
    {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}};
constexpr std::array<std::pair<std::string_view, double>, 9> kSizes = {
    {{"B", 1},
     {"KiB", 1024},
     {"MiB", 1048576},
     {"GiB", 1073741824},
     {"TiB", 1099511627776},
     {"KB", 1e3},
     {"MB", 1e6},
     {"GB", 1e9},
     {"TB", 1e12}}};

template <class Table>
double FactorOf(const Table& table, std::string_view unit) {
  for (const auto& [name, factor] : table) {
    if (name == unit) return factor;
  }
  return 0;
}

constexpr std::size_t kMostSeeds = 10000;

}  // namespace

double ParseDuration(std::string_view text, std::string_view what) {
  double seconds = 0;
  std::string_view rest = text;
  bool good = !rest.empty();
  while (good && !rest.empty()) {
    double number = 0;
    good = TakeNumber(rest, number) && std::isfinite(number) && number >= 0;
    const std::string_view unit = TakeLetters(rest);
    const bool bare = unit.empty() && rest.empty() && seconds == 0;
    const double factor = bare ? 1 : FactorOf(kTimes, unit);
    good = good && factor > 0;
    seconds += number * factor;
  }
  if (!good) {
    throw ConfigError(StrCat(what, " = '", text,
                             "' is no time; write 90s, 30m, 4h or 1h30m"));
  }
  return seconds;
}

std::int64_t ParseBytes(std::string_view text, std::string_view what) {
  double number = 0;
  std::string_view rest = text;
  const bool read = TakeNumber(rest, number);
  const std::string_view unit = TakeLetters(rest);
  const double factor = unit.empty() ? 1 : FactorOf(kSizes, unit);
  const double bytes = number * factor;
  if (!read || !rest.empty() || !(factor > 0) ||
      !(bytes >= 0 && bytes < 9e18)) {
    throw ConfigError(
        StrCat(what, " = '", text, "' is no size; write 512MiB or 48GiB"));
  }
  return static_cast<std::int64_t>(bytes);
}

std::vector<std::uint64_t> ParseSeeds(std::string_view text,
                                      std::string_view what) {
  std::vector<std::uint64_t> seeds;
  std::string_view rest = text;
  bool good = !rest.empty();
  while (good && !rest.empty()) {
    std::uint64_t first = 0;
    good = TakeNumber(rest, first);
    std::uint64_t last = first;
    if (good && rest.starts_with('-')) {
      rest.remove_prefix(1);
      good =
          TakeNumber(rest, last) && last >= first && last - first < kMostSeeds;
    }
    for (std::uint64_t seed = first; good; ++seed) {
      if (std::find(seeds.begin(), seeds.end(), seed) == seeds.end()) {
        seeds.push_back(seed);
      }
      if (seed == last) break;
    }
    good = good && seeds.size() <= kMostSeeds;
    if (rest.starts_with(',') && rest.size() > 1) {
      rest.remove_prefix(1);
    } else {
      good = good && rest.empty();
    }
  }
  if (!good) {
    throw ConfigError(StrCat(what, " = '", text,
                             "' is no list of seeds; write 3, 0-4 or 0,2,5"));
  }
  return seeds;
}

}  // namespace tailmark
