#include "harness/launch/task_numbers.h"

#include <algorithm>
#include <charconv>

#include "harness/base/error.h"

namespace tailmark {
namespace {

struct Engine {
  std::string_view variable;
  std::size_t first;  ///< What the engine calls the first one.
};
constexpr Engine kEngines[] = {
    {"SLURM_ARRAY_TASK_ID", 0}, {"JOB_COMPLETION_INDEX", 0},
    {"SGE_TASK_ID", 1},         {"PBS_ARRAY_INDEX", 0},
    {"PBS_ARRAYID", 0},         {"LSB_JOBINDEX", 1},
    {"CONDOR_PROCNO", 0},       {"_CONDOR_PROCNO", 0}};

std::optional<std::size_t> Number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::string Auto(const EnvReader& env) {
  std::string names;
  for (const Engine& engine : kEngines) {
    names += (names.empty() ? "" : ", ") + std::string(engine.variable);
    const auto value = env(engine.variable);
    // Outside of an array SGE says "undefined" and LSF 0.
    if (!value || *value == "undefined") continue;
    const auto number = Number(*value);
    if (engine.variable == "LSB_JOBINDEX" && number == 0U) continue;
    if (!number || *number < engine.first) {
      throw ConfigError(StrCat(engine.variable, "=", *value,
                               " is no number of a task, from ", engine.first));
    }
    return std::to_string(*number - engine.first);
  }
  throw ConfigError(
      StrCat("--task auto: no engine says which task this is; none of ", names,
             " is set. Give a number, or --claim"));
}

}  // namespace

std::vector<std::size_t> TaskNumbers(const std::string& text, std::size_t count,
                                     const EnvReader& env) {
  if (text == "auto") return TaskNumbers(Auto(env), count, env);
  std::vector<std::size_t> numbers;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string part = text.substr(at, comma - at);
    const std::size_t dash = part.find('-');
    const auto first = Number(part.substr(0, dash));
    const auto last = dash == part.npos ? first : Number(part.substr(dash + 1));
    if (!first || !last || *last < *first) {
      throw ConfigError(
          StrCat("--task ", text, ": expected 3, 0,4,7, 2-5 or auto"));
    }
    if (*last >= count) {
      throw ConfigError(StrCat("--task ", *last, " is outside [0, ", count,
                               "): that many tasks are in the plan"));
    }
    for (std::size_t i = *first; i <= *last; ++i) numbers.push_back(i);
    at = comma + 1;
  }
  return numbers;
}

}  // namespace tailmark
