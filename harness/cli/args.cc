#include "harness/cli/args.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "harness/base/error.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace {

class Cli11Args : public Args {
 public:
  explicit Cli11Args(CLI::App& app) : app_(app) {}

  void Flag(const std::string& names, bool& value,
            const std::string& help) override {
    app_.add_flag(names, value, help);
  }
  void Option(const std::string& names, std::string& value,
              const std::string& word, const std::string& help) override {
    app_.add_option(names, value, help)->type_name(word);
  }
  void Option(const std::string& names, std::optional<std::int64_t>& value,
              const std::string& word, const std::string& help) override {
    app_.add_option(names, value, help)->type_name(word);
  }
  void Repeated(const std::string& names, std::vector<std::string>& values,
                const std::string& word, const std::string& help) override {
    app_.add_option(names, values, help)
        ->type_name(word)
        ->expected(1)
        ->take_all();
  }
  void Positional(const std::string& word, std::string& value, bool required,
                  const std::string& help) override {
    app_.add_option(word, value, help)->required(required)->type_name("");
  }
  void Rest(const std::string& word, std::vector<std::string>& values,
            bool required, const std::string& help) override {
    app_.add_option(word, values, help)
        ->required(required)
        ->expected(required ? 1 : 0, 1 << 20)
        ->type_name("");
  }

 private:
  CLI::App& app_;
};

void AddGlobal(CLI::App& app, GlobalOptions& global) {
  app.set_help_flag("-h,--help", "Print this and exit");
  app.add_option("--store", global.store,
                 "Where results are kept (default: $TAILMARK_STORE, else "
                 "./tailmark-store)")
      ->type_name("DIR");
  app.add_flag("-q,--quiet", global.quiet, "No progress, only results");
  app.add_flag("-v,--verbose", global.verbose, "More of what goes on");
}

/// Where a verb lies and the command it means.
struct Node {
  CLI::App* app;
  const Verb* verb;
  std::vector<std::unique_ptr<Node>> below;
};

std::unique_ptr<Node> AddVerb(CLI::App& parent, const Verb& verb,
                              GlobalOptions& global) {
  auto node = std::make_unique<Node>();
  node->app = parent.add_subcommand(verb.name, verb.summary);
  node->verb = &verb;
  node->app->footer("\nExample:\n  " + verb.example);
  AddGlobal(*node->app, global);
  if (verb.declare) {
    Cli11Args args(*node->app);
    verb.declare(args);
  }
  for (const Verb& each : verb.verbs) {
    node->below.push_back(AddVerb(*node->app, each, global));
  }
  if (!verb.verbs.empty()) node->app->require_subcommand(1);
  return node;
}

const Node* Chosen(const std::vector<std::unique_ptr<Node>>& nodes) {
  for (const auto& node : nodes) {
    if (!node->app->parsed()) continue;
    const Node* deeper = Chosen(node->below);
    return deeper == nullptr ? node.get() : deeper;
  }
  return nullptr;
}

std::vector<std::string> OptionNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
    for (const std::string& name : option->get_snames()) {
      names.push_back("-" + name);
    }
  }
  return names;
}

std::vector<std::string> VerbNames(const std::vector<Verb>& verbs) {
  std::vector<std::string> names;
  for (const Verb& verb : verbs) names.push_back(verb.name);
  return names;
}

/// The verb that a line means, as far as it goes: what its words before any
/// option name. Throws ConfigError for a word that is no verb.
void RequireVerbs(const std::vector<Verb>& verbs, int argc, char** argv,
                  int at) {
  const std::vector<Verb>* level = &verbs;
  std::string before = "verb";
  for (int i = at; i < argc && !level->empty(); ++i) {
    const std::string word = argv[i];
    if (word.starts_with("-")) return;
    const Verb* found = nullptr;
    for (const Verb& verb : *level) {
      if (verb.name == word) found = &verb;
    }
    if (found == nullptr) {
      throw ConfigError(UnknownName(before, word, VerbNames(*level)));
    }
    before = "verb of " + word;
    level = &found->verbs;
  }
}

[[noreturn]] void Complain(const CLI::ParseError& error, const CLI::App& app,
                           const std::vector<std::unique_ptr<Node>>& nodes) {
  const Node* node = Chosen(nodes);
  const CLI::App& where = node == nullptr ? app : *node->app;
  const std::string help =
      StrCat(" (tailmark ", node == nullptr ? "" : node->verb->name + " ",
             "-h shows what there is)");
  for (std::string word : app.remaining(true)) {
    word = word.substr(0, word.find('='));
    if (word.starts_with("-")) {
      throw ConfigError(UnknownName("option", word, OptionNames(where)) + help);
    }
    throw ConfigError(StrCat("'", word, "' is one word too many", help));
  }
  if (node != nullptr && !node->verb->verbs.empty()) {
    std::string names;
    for (const std::string& name : VerbNames(node->verb->verbs)) {
      names += (names.empty() ? "" : ", ") + name;
    }
    throw ConfigError(StrCat(node->verb->name, " needs one of: ", names));
  }
  throw ConfigError(error.what() + help);
}

}  // namespace

int RunVerbs(const std::vector<Verb>& verbs, const std::string& version,
             GlobalOptions& global, int argc, char** argv,
             const std::function<void()>& before) {
  RequireVerbs(verbs, argc, argv, 1);
  CLI::App app(
      "Benchmarks and reproduces methods for long-tailed multi-label "
      "image classification.",
      "tailmark");
  app.set_version_flag("--version", version);
  app.footer("\nExample:\n  tailmark run quickstart");
  AddGlobal(app, global);
  app.require_subcommand(1);
  std::vector<std::unique_ptr<Node>> nodes;
  for (const Verb& verb : verbs) nodes.push_back(AddVerb(app, verb, global));
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // help, version
    return app.exit(success, std::cout, std::cerr);
  } catch (const CLI::ParseError& error) {
    Complain(error, app, nodes);
  }
  before();
  return Chosen(nodes)->verb->run();
}

}  // namespace tailmark
