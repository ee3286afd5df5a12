#include "harness/cli/worker_program.h"

#include <CLI/CLI.hpp>

#include "datasets/builtin.h"
#include "datasets/images/fingerprint.h"
#include "harness/base/allocation.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/interrupt.h"
#include "harness/base/log.h"
#include "harness/base/suggest.h"
#include "harness/cli/worker_check.h"
#include "harness/cli/worker_encode.h"
#include "harness/cli/worker_place.h"
#include "harness/cli/worker_pretrain.h"
#include "harness/cli/worker_serve.h"
#include "harness/plugin/plugins.h"
#include "harness/record/build_info.h"
#include "harness/run/catalog.h"
#include "harness/run/runner.h"
#include "methods/builtin.h"
#include "methods/clip/clip_encoder.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

std::string CommandLine(int argc, char** argv) {
  std::string line;
  for (int i = 0; i < argc; ++i) line += StrCat(i == 0 ? "" : " ", argv[i]);
  return line;
}

/// Environment that libraries read when they start: before any of them does.
/// A launcher may have set them; then its word stands.
void SetUpEnvironment(const RunSpec& spec) {
  if (!GetEnv("CUBLAS_WORKSPACE_CONFIG")) {
    SetEnv("CUBLAS_WORKSPACE_CONFIG", ":4096:8");
  }
  if (!GetEnv("OMP_NUM_THREADS")) {
    SetEnv("OMP_NUM_THREADS", std::to_string(spec.place.threads));
  }
}

/// Adds the run's own method, which is not built in.
void AddPlugin(const RunSpec& spec, const DatasetRegistry& datasets,
               MethodRegistry& methods) {
  const std::string found = ArtifactSha256(spec.place.plugin);
  if (found != spec.identity.method_artifact) {
    throw DataError(StrCat(spec.place.plugin.string(), ": SHA-256 is ", found,
                           ", the run spec says ",
                           spec.identity.method_artifact,
                           "; the plugin changed since the plan: plan again"));
  }
  OpenPlugin(spec.place.plugin, methods, PlaceOf(spec, datasets));
}

int RunOne(const fs::path& spec_path, const fs::path& bundle,
           const RunOptions& options) {
  RunSpec spec = ReadRunSpec(spec_path);
  SetUpEnvironment(spec);
  MethodRegistry methods;
  RegisterBuiltinMethods(methods);
  DatasetRegistry datasets;
  RegisterBuiltinDatasets(datasets);
  if (!spec.place.plugin.empty()) {
    MakeFolders(bundle);
    spec.tags.push_back("isolation=" + HoldBack(spec, bundle));
    AddPlugin(spec, datasets, methods);
  }
  const Engine engine{
      .methods = methods,
      .datasets = datasets,
      .open_encoder =
          [](const fs::path& folder, c10::Device device) {
            return std::unique_ptr<Encoder>(ClipEncoder::Load(folder, device));
          },
      .build = ThisBuild(),
      .pipeline_fingerprint = PipelineFingerprint};
  return ExecuteRun(spec, bundle, engine, options);
}

Json CatalogOf(const MethodRegistry& methods) {
  return ToJson(MakeCatalog(methods, ThisBuild()));
}

void WriteCatalog(const fs::path& path, const fs::path& plugin) {
  MethodRegistry builtins;
  RegisterBuiltinMethods(builtins);
  if (path.has_parent_path()) MakeFolders(path.parent_path());
  if (plugin.empty()) {
    WriteFileAtomic(path, CatalogOf(builtins).dump(1) + "\n");
    return;
  }
  HoldBackToAsk(plugin, path);
  const std::string artifact = ArtifactSha256(plugin);
  MethodRegistry found;
  for (const std::string& name : OpenPlugin(plugin, builtins)) {
    found.Insert(builtins.Find(name));
  }
  const Json answer = {{"catalog", CatalogOf(found)},
                       {"artifact_sha256", artifact}};
  WriteFileAtomic(path, answer.dump(1) + "\n");
}

/// What the command line asked for; filled by CLI11.
struct Arguments {
  std::string spec, bundle, catalog, plugin, recipe, folder, method;
  std::vector<std::string> checks;
  RunOptions run;
  EncodeOptions encode;
  TokenizeOptions tokenize;
  int socket = -1;
  bool quiet = false;
};

void DeclareInputs(CLI::App& task, const char* word, InputOptions& to) {
  task.add_option(word, to.given)->expected(0, 1 << 20);
  task.add_option("--list", to.list, "A file with one a line; -: stdin");
}

void DeclareEncode(CLI::App& app, Arguments& arguments) {
  EncodeOptions& to = arguments.encode;
  auto* encode = app.add_subcommand(
      "encode", "Features of pictures or texts as an .npy file");
  encode->require_subcommand(1);
  for (const bool images : {true, false}) {
    auto* task = encode->add_subcommand(images ? "images" : "texts");
    if (!images) task->alias("text");
    DeclareInputs(*task, images ? "FILES" : "TEXTS", to.inputs);
    task->add_option("--weights", to.weights, "Folder or file")->required();
    task->add_option("--out", to.out, "[N, D]")->required();
    if (images) task->add_option("--pipeline", to.pipeline, "clip-224");
    if (!images) task->add_flag("--truncate", to.truncate, "Cut long texts");
    task->add_option("--dtype", to.dtype, "float32, float16, bfloat16");
    task->add_option("--device", to.device, "cpu, cuda, cuda:N");
    task->add_option("--threads", to.threads, "Default: 1");
    task->add_option("--batch", to.batch, "Default: 32");
    task->add_flag("--all-tokens", to.all_tokens, "[N, T, D]");
    task->add_flag("--raw", to.raw, "Leave the norm as it is");
  }
  encode->footer(
      "Example: tailmark-worker encode images --weights nano a.jpg --out "
      "x.npy");
  auto* tokenize = app.add_subcommand("tokenize", "Ids of texts");
  DeclareInputs(*tokenize, "TEXTS", arguments.tokenize.inputs);
  tokenize->add_option("--vocab", arguments.tokenize.vocabulary)->required();
  tokenize->add_flag("--truncate", arguments.tokenize.truncate);
  tokenize->add_flag("--json", arguments.tokenize.json);
  tokenize->footer(
      "Example: tailmark-worker tokenize --vocab V --json 'a photo of a cat'");
}

void Declare(CLI::App& app, Arguments& to) {
  app.require_subcommand(1);
  const BuildInfo& build = ThisBuild();
  app.set_version_flag(
      "--version",
      StrCat("tailmark-worker ", build.version, " build ",
             build.digest.substr(0, 12), " LibTorch ", build.torch_version));
  app.add_flag("-q,--quiet", to.quiet, "Errors only");
  auto* run = app.add_subcommand(
      "run",
      "Execute one run and leave its bundle; goes on from the bundle's "
      "checkpoint when there is one");
  run->add_option("SPEC", to.spec, "A run spec, as `tailmark plan` writes it")
      ->required();
  run->add_option("BUNDLE", to.bundle, "Folder for the result")->required();
  run->add_option("--checkpoint-every", to.run.checkpoint_every_s,
                  "Seconds between checkpoints, taken at the end of an epoch")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  run->add_option("--feedback", to.run.feedback_descriptor,
                  "Inherited descriptor where tailmark answers how good test "
                  "scores are");
  run->footer(
      "Exit codes: 0 done, 2 bad configuration or data, 3 the run "
      "failed, 6 the disk failed,\n75 stopped early with a checkpoint, "
      "130/143 interrupted.\n"
      "Example: tailmark-worker run spec.json out/");
  auto* catalog = app.add_subcommand(
      "catalog", "Write what `tailmark` is to know of the methods");
  catalog->add_option("FILE", to.catalog, "catalog.json")->required();
  catalog->add_option("--plugin", to.plugin,
                      "Of the methods of this file instead of the builtins; "
                      "its code runs");
  catalog->footer("Example: tailmark-worker catalog catalog.json");
  auto* check = app.add_subcommand(
      "check", "Hold a method to promises of the contract, on toy data");
  check->add_option("FILE", to.catalog, "For the answers")->required();
  check->add_option("--plugin", to.plugin, "The method is this file's");
  check->add_option("--method", to.method, "Its name")->required();
  check->add_option("--check", to.checks, "Which promises; without it, all");
  check->footer(
      "Example: tailmark-worker check answers.jsonl --method linear_probe "
      "--check SameSeedSameBits");
  auto* pretrain = app.add_subcommand(
      "pretrain",
      "Train a CLIP on the web pairs of data set `embedded`; goes "
      "on from the folder's checkpoint when there is one");
  pretrain->add_option("RECIPE", to.recipe, "Model and options")->required();
  pretrain->add_option("FOLDER", to.folder, "For weights and log")->required();
  pretrain->footer(
      "Example: tailmark-worker pretrain methods/clip/nano/recipe.json nano/");
  auto* serve = app.add_subcommand(
      "serve",
      "Stay loaded and fork a worker for each request of `tailmark`, which "
      "starts it");
  serve->add_option("SOCKET", to.socket, "Inherited descriptor")->required();
  serve->footer("Example: tailmark-worker serve 3");
  DeclareEncode(app, to);
}

int Encode(const CLI::App& task, const EncodeOptions& options) {
  if (task.got_subcommand("images")) {
    return EncodeImagesTo(options) ? kExitDone : kExitBadInput;
  }
  EncodeTextsTo(options);
  return kExitDone;
}

/// In a fork: the worker that it is to be.
int WorkerFork(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  const auto argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  return WorkerMain(argc, argv.data());
}

int Dispatch(const CLI::App& app, const Arguments& arguments) {
  CatchInterrupts();
  KeepFreedMemory();
  if (arguments.quiet) SetLogLevel(LogLevel::kError);
  if (app.got_subcommand("run")) {
    return RunOne(arguments.spec, arguments.bundle, arguments.run);
  }
  if (app.got_subcommand("encode")) {
    return Encode(*app.get_subcommand("encode"), arguments.encode);
  }
  if (app.got_subcommand("tokenize")) {
    PrintTokens(arguments.tokenize);
  } else if (app.got_subcommand("check")) {
    CheckMethod(arguments.catalog, arguments.plugin, arguments.method,
                arguments.checks);
  } else if (app.got_subcommand("catalog")) {
    WriteCatalog(arguments.catalog, arguments.plugin);
  } else {
    PretrainEmbedded(arguments.recipe, arguments.folder);
  }
  return kExitDone;
}

/// CLI11 only says that a sub-command is missing.
void RequireTask(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names;
  for (const CLI::App* each : app.get_subcommands(/*filter=*/{})) {
    if (each->check_name(argv[1])) return;
    names.push_back(each->get_name());
  }
  throw ConfigError(UnknownName("task", argv[1], names));
}

}  // namespace

int WorkerMain(int argc, char** argv) {
  CLI::App app("Executes one task of Tailmark in its own process",
               "tailmark-worker");
  Arguments arguments;
  Declare(app, arguments);
  try {
    RequireTask(app, argc, argv);
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitDone : kExitBadInput;
  } catch (const ConfigError& error) {
    LogError(error.what());
    return kExitBadInput;
  }
  arguments.run.command = CommandLine(argc, argv);
  try {
    // Before anything that a fork is to do for itself.
    if (app.got_subcommand("serve")) {
      return ServeForks(arguments.socket, argc, argv, WorkerFork);
    }
    return Dispatch(app, arguments);
  } catch (const Interrupted& error) {
    return kExitInterrupted + error.signal();
  } catch (const StoreError& error) {
    LogError(error.what());
    return kExitDisk;
  } catch (const Error& error) {
    LogError(error.what());
    return kExitBadInput;
  } catch (const std::exception& error) {
    LogError(error.what());
    return kExitFailed;
  }
}

}  // namespace tailmark
