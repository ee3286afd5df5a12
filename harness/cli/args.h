#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tailmark {

/// The command line of one verb, declared by naming variables that outlive the
/// parse. A thin face of CLI11, which only args.cc includes.
class Args {
 public:
  virtual ~Args() = default;
  Args(const Args&) = delete;
  Args& operator=(const Args&) = delete;

  /// "--json": true when given.
  virtual void Flag(const std::string& names, bool& value,
                    const std::string& help) = 0;
  /// "-o,--out": one value. `word` is what help calls it: "FILE".
  virtual void Option(const std::string& names, std::string& value,
                      const std::string& word, const std::string& help) = 0;
  virtual void Option(const std::string& names,
                      std::optional<std::int64_t>& value,
                      const std::string& word, const std::string& help) = 0;
  /// May be given again and again, one value each.
  virtual void Repeated(const std::string& names,
                        std::vector<std::string>& values,
                        const std::string& word, const std::string& help) = 0;
  /// A value without a name, in the order declared.
  virtual void Positional(const std::string& word, std::string& value,
                          bool required, const std::string& help) = 0;
  /// All values that are left; at least one when required.
  virtual void Rest(const std::string& word, std::vector<std::string>& values,
                    bool required, const std::string& help) = 0;

 protected:
  Args() = default;
};

/// One verb of `tailmark`. A verb with sub-verbs has no options of its own.
struct Verb {
  std::string name;
  std::string summary;                 ///< One line.
  std::string example;                 ///< A whole command line.
  std::function<void(Args&)> declare;  ///< Null with sub-verbs.
  std::function<int()> run;            ///< Returns the exit code.
  std::vector<Verb> verbs = {};
};

/// What every verb takes.
struct GlobalOptions {
  std::string store;  ///< --store; "" when not given.
  bool quiet = false;
  bool verbose = false;
};

/// Parses and runs. Help goes to stdout and is exit 0; a wrong command line is
/// a ConfigError with the nearest right spelling. `before` is called once the
/// line is known to be right.
int RunVerbs(const std::vector<Verb>& verbs, const std::string& version,
             GlobalOptions& global, int argc, char** argv,
             const std::function<void()>& before);

}  // namespace tailmark
