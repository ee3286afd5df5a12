#include "harness/cli/signing.h"

#include <unistd.h>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/launch/subprocess.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr const char* kNamespace = "tailmark-pack";
constexpr double kSigningPatience =
    60;  // Seconds; an agent may ask for a touch.

/// ssh-keygen's end. Verifying reads the file on stdin, which takes a shell;
/// names go there as parameters, never as its text.
ProcessEnd Run(const std::string& script,
               const std::vector<std::string>& parameters) {
  const fs::path log =
      fs::temp_directory_path() / StrCat("tailmark-sign-", ::getpid(), ".txt");
  std::vector<std::string> arguments = {"-c", script, "sh"};
  arguments.insert(arguments.end(), parameters.begin(), parameters.end());
  ProcessEnd end;
  {
    Subprocess process({.program = "/bin/sh",
                        .arguments = arguments,
                        .log = log,
                        .wall_s = kSigningPatience,
                        .grace_s = 2});
    while (true) {
      if (const auto ended = process.Poll()) {
        end = *ended;
        break;
      }
      Subprocess* const all[] = {&process};
      Subprocess::WaitForAny(all, 0.2);
    }
  }
  std::error_code ignored;
  fs::remove(log, ignored);
  if (end.exit_code == 127) {
    throw ConfigError(
        "there is no ssh-keygen, which makes and checks signatures");
  }
  return end;
}

std::string WordsOf(const ProcessEnd& end) {
  std::string text = end.tail;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "ssh-keygen said nothing" : text;
}

bool Good(const ProcessEnd& end) {
  return end.cause == EndCause::kExit && end.exit_code == 0;
}

}  // namespace

fs::path SignFile(const fs::path& file, const fs::path& key) {
  if (!fs::is_regular_file(key)) {
    throw ConfigError(
        StrCat("--sign ", key.string(), ": there is no such key"));
  }
  const fs::path signature = file.string() + ".sig";
  // ssh-keygen would ask before it writes over one.
  fs::remove(signature);
  const ProcessEnd end = Run(
      "exec ssh-keygen -Y sign -f \"$1\" -n \"$2\" \"$3\" </dev/null",
      {fs::absolute(key).string(), kNamespace, fs::absolute(file).string()});
  if (!Good(end) || !fs::is_regular_file(signature)) {
    throw ConfigError(StrCat("--sign ", key.string(), ": ", WordsOf(end)));
  }
  return signature;
}

std::string CheckSignature(const fs::path& file, const fs::path& signers,
                           const std::string& identity) {
  if (!fs::is_regular_file(signers)) {
    throw ConfigError(
        StrCat("--signers ", signers.string(), ": there is no such file"));
  }
  const fs::path signature = file.string() + ".sig";
  if (!fs::is_regular_file(signature)) {
    return StrCat(signature.filename().string(), " is not there");
  }
  const ProcessEnd end =
      Run("exec ssh-keygen -Y verify -f \"$1\" -I \"$2\" -n \"$3\" -s \"$4\" "
          "<\"$5\"",
          {fs::absolute(signers).string(), identity, kNamespace,
           fs::absolute(signature).string(), fs::absolute(file).string()});
  return Good(end) ? "" : WordsOf(end);
}

}  // namespace tailmark
