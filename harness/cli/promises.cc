#include "harness/cli/promises.h"

#include <algorithm>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/base/suggest.h"
#include "harness/base/temporary_folder.h"
#include "harness/cli/plugins.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

constexpr double kPatience = 300;  // Seconds for one promise.

std::string WhyNone(const ProcessEnd& end) {
  std::string why = end.cause == EndCause::kSilence
                        ? StrCat("it did not end within ", kPatience, " s")
                    : end.signal ? StrCat("it crashed: signal ", *end.signal)
                                 : StrCat("it ended the process with code ",
                                          end.exit_code.value_or(0));
  if (!end.tail.empty()) why += "; its last words: " + end.tail;
  return why;
}

/// The lines of a file that another process appends to, each once.
class AppendedLines {
 public:
  explicit AppendedLines(fs::path path) : path_(std::move(path)) {}

  std::vector<Json> New() {
    std::vector<Json> lines;
    if (!fs::exists(path_)) return lines;
    const std::string text = ReadFile(path_);
    for (std::size_t end = text.find('\n', taken_); end != text.npos;
         end = text.find('\n', taken_)) {
      lines.push_back(
          ParseJson(text.substr(taken_, end - taken_), path_.string()));
      taken_ = end + 1;
    }
    return lines;
  }

 private:
  fs::path path_;
  std::size_t taken_ = 0;
};

class Checking {
 public:
  Checking(const CheckedMethod& checked, const std::vector<std::string>& only,
           const std::function<void(const PromiseKept&)>& tell)
      : checked_(checked), tell_(tell), left_(only) {}

  void Run() {
    do {
      std::size_t answered = 0;
      const ProcessEnd end = Ask(answered);
      if (promises_.empty()) {
        throw ConfigError(StrCat("'", checked_.name, "': ", WhyNone(end)));
      }
      // Whatever went wrong after another promise is asked again alone.
      const bool blamed = answered == 0 || end.cause == EndCause::kSilence;
      if (!left_.empty() && blamed) {
        Tell({{"check", left_.front()},
              {"outcome", "broken"},
              {"detail", WhyNone(end)}});
      }
    } while (!left_.empty());
  }

 private:
  /// One process, asked all that is left.
  ProcessEnd Ask(std::size_t& answered) {
    TemporaryFolder scratch;
    const fs::path file = scratch.path() / "answers.jsonl";
    std::vector<std::string> words = {"check", file.string(), "--method",
                                      checked_.name};
    for (const std::string& name : left_) {
      words.insert(words.end(), {"--check", name});
    }
    if (!checked_.plugin.empty()) {
      words.insert(words.end(), {"--plugin", checked_.plugin.string()});
    }
    AppendedLines lines(file);
    const auto take = [&] {
      for (const Json& line : lines.New()) {
        if (line.contains("promises")) {
          TakeList(line["promises"]);
        } else {
          ++answered;
          Tell(line);
        }
      }
    };
    const ProcessEnd end =
        RunWorker(words, {.silence_s = kPatience, .life = file}, take);
    take();
    return end;
  }

  /// What promises there are, which each process says first.
  void TakeList(const Json& list) {
    if (!promises_.empty()) return;
    promises_ = list;
    std::vector<std::string> names;
    for (const Json& each : list) names.push_back(each["check"]);
    for (const std::string& name : left_) {
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        throw ConfigError(UnknownName("check", name, names));
      }
    }
    if (left_.empty()) left_ = names;
  }

  void Tell(const Json& result) {
    PromiseKept kept{.check = result["check"],
                     .meaning = "",
                     .outcome = result["outcome"],
                     .detail = result["detail"]};
    for (const Json& each : promises_) {
      if (each["check"] == kept.check) kept.meaning = each["meaning"];
    }
    left_.erase(left_.begin());
    tell_(kept);
  }

  const CheckedMethod& checked_;
  const std::function<void(const PromiseKept&)>& tell_;
  std::vector<std::string> left_;  ///< Names; empty at first: all.
  Json promises_ = Json::array();
};

}  // namespace

void HoldToPromises(const CheckedMethod& checked,
                    const std::vector<std::string>& only,
                    const std::function<void(const PromiseKept&)>& tell) {
  Checking(checked, only, tell).Run();
}

}  // namespace tailmark
