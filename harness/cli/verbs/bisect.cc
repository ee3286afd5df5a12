#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/base/log.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/verbs.h"
#include "harness/launch/subprocess.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

struct BisectOptions {
  std::string good;
  std::string bad = "HEAD";
  std::string run;
  bool json = false;
};

constexpr const char* kDefaultRun =
    "ci/build release && build/release/bin/tailmark run quickstart && "
    "build/release/bin/tailmark check --baseline main";

/// What `git bisect run` understands: 0 good, 1 bad, 125 cannot be told. Codes
/// of ours that mean neither are the last.
std::string ScriptOf(const std::string& command) {
  return StrCat("#!/bin/sh\n", command,
                "\ncase $? in\n  0) exit 0 ;;\n  1) exit 1 ;;\n"
                "  130|143) exit 255 ;;\n  *) exit 125 ;;\nesac\n");
}

struct Answer {
  int code = 0;
  std::string text;
};

Answer Git(const std::vector<std::string>& arguments, const fs::path& log) {
  std::error_code ignored;
  fs::remove(log, ignored);
  Subprocess git({.program = "/usr/bin/env",
                  .arguments =
                      [&] {
                        std::vector<std::string> all = {"git"};
                        all.insert(all.end(), arguments.begin(),
                                   arguments.end());
                        return all;
                      }(),
                  .log = log});
  std::optional<ProcessEnd> end;
  Subprocess* const one = &git;
  while (!(end = git.Poll())) {
    Subprocess::WaitForAny(std::span(&one, 1), 0.2);
  }
  return {.code = end->exit_code.value_or(kExitSignal),
          .text = fs::exists(log) ? ReadFile(log) : ""};
}

/// "<sha> is the first bad commit"
std::string FirstBad(const std::string& text) {
  const auto at = text.find(" is the first bad commit");
  if (at == text.npos) return "";
  const auto line = text.rfind('\n', at);
  return text.substr(line == text.npos ? 0 : line + 1,
                     at - (line == text.npos ? 0 : line + 1));
}

int Bisect(const BisectOptions& options) {
  if (options.good.empty()) {
    throw ConfigError("give --good COMMIT, one at which the check is green");
  }
  const fs::path scratch =
      fs::temp_directory_path() / StrCat("tailmark-bisect-", getpid());
  MakeFolders(scratch);
  const fs::path log = scratch / "git.log";
  const Answer clean = Git({"status", "--porcelain", "-uno"}, log);
  if (clean.code != 0) {
    throw ConfigError(StrCat("git: ", clean.text));
  }
  if (!clean.text.empty()) {
    throw ConfigError(
        "the working tree has changes; commit or stash them: bisect checks "
        "out other commits");
  }
  const fs::path script = scratch / "run.sh";
  WriteFileAtomic(script,
                  ScriptOf(options.run.empty() ? kDefaultRun : options.run));
  fs::permissions(script, fs::perms::owner_all);
  const Answer start = Git({"bisect", "start", options.bad, options.good}, log);
  if (start.code != 0) {
    Git({"bisect", "reset"}, log);
    throw ConfigError(StrCat("git bisect start: ", start.text));
  }
  const Answer run = Git({"bisect", "run", script.string()}, log);
  Git({"bisect", "reset"}, scratch / "reset.log");
  std::error_code ignored;
  fs::remove_all(scratch, ignored);
  const std::string found = FirstBad(run.text);
  if (found.empty()) {
    LogError(StrCat("no commit could be named:\n", run.text));
    return kExitNothing;
  }
  if (options.json) {
    std::cout << OrderedJson({{"first_bad", found},
                              {"good", options.good},
                              {"bad", options.bad}})
                     .dump(2)
              << "\n";
  } else {
    std::cout << found << "\n";
    LogInfo(run.text.substr(run.text.find(found)));
  }
  return kExitOk;
}

}  // namespace

Verb BisectVerb() {
  auto options = std::make_shared<BisectOptions>();
  return {.name = "bisect",
          .summary = "Find the commit that made a check red: git bisect run",
          .example = "tailmark bisect --good v1.0 --bad HEAD",
          .declare =
              [options](Args& args) {
                args.Option("--good", options->good, "COMMIT",
                            "Where the check is green");
                args.Option("--bad", options->bad, "COMMIT",
                            "Where it is red (default: HEAD)");
                args.Option("--run", options->run, "COMMAND",
                            "Builds, runs and checks; 0 good, 1 bad, else the "
                            "commit is skipped (default: build the release, "
                            "run quickstart, check --baseline main)");
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options] { return Bisect(*options); }};
}

}  // namespace tailmark
