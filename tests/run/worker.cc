#include "tests/run/worker.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "datasets/builtin.h"
#include "datasets/embedded/web_pairs.h"
#include "harness/api/registry.h"
#include "harness/base/dependency.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/launch/subprocess.h"
#include "harness/record/build_info.h"
#include "harness/record/bundle.h"
#include "methods/builtin.h"
#include "methods/clip/clip_model.h"
#include "methods/clip/tokenizer.h"
#include "methods/clip/weights.h"
#include "methods/torch_pch.h"

namespace tailmark::toys {
namespace fs = std::filesystem;

WorkerProcess::WorkerProcess(const std::vector<std::string>& arguments,
                             const fs::path& log, WorkerCode code) {
  std::vector<std::string> words = {TM_BIN_DIR "/tailmark-worker"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::fflush(nullptr);  // Or a fork says again what we have not said yet.
  pid_ = fork();
  if (pid_ != 0) return;
  // Nothing may be thrown out of here: a second test would run on.
  const auto become = [&]() noexcept {
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(out, STDERR_FILENO);
    dup2(out, STDOUT_FILENO);
    // What a worker leaves outside its bundle would be found here.
    const fs::path desk = log.parent_path() / "desk";
    fs::create_directories(desk);
    fs::current_path(desk);
    if (code == nullptr) {
      execv(argv[0], argv.data());
      std::_Exit(127);
    }
    const int status = code(static_cast<int>(words.size()), argv.data());
    std::fflush(nullptr);
    std::_Exit(status);
  };
  become();
}

WorkerProcess::~WorkerProcess() {
  if (pid_ > 0) {
    Signal(SIGKILL);
    Wait();
  }
}

void WorkerProcess::Signal(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

bool WorkerProcess::Running() {
  if (pid_ <= 0) return false;
  if (waitpid(pid_, &status_, WNOHANG) == 0) return true;
  pid_ = -1;
  return false;
}

int WorkerProcess::Wait() {
  if (pid_ > 0) waitpid(pid_, &status_, 0);
  pid_ = -1;
  return WIFSIGNALED(status_) ? -WTERMSIG(status_) : WEXITSTATUS(status_);
}

WorkerBench::WorkerBench(WorkerCode code) : code_(code) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  folder_ = fs::path(testing::TempDir()) / StrCat("tailmark-",
                                                  test->test_suite_name(), "-",
                                                  test->name(), "-", getpid());
  fs::remove_all(folder_);
  fs::create_directories(folder_);
}

WorkerBench::~WorkerBench() { fs::remove_all(folder_); }

RunSpec WorkerBench::Spec(const std::string& method, const std::string& preset,
                          const OptionMap& options,
                          const fs::path& weights) const {
  MethodRegistry methods;
  RegisterBuiltinMethods(methods);
  DatasetRegistry datasets;
  RegisterBuiltinDatasets(datasets);
  const auto& entry = methods.Find(method);
  OptionMap given = options;
  for (const Preset& each : entry.info.presets) {
    if (each.name == preset) {
      given.insert(each.options.begin(), each.options.end());
    }
  }
  RunSpec spec;
  spec.identity.method = method;
  spec.identity.method_version = entry.info.version;
  spec.identity.method_options = ResolveOptions(entry.options, given);
  const auto& data = datasets.Find("embedded").info;
  spec.identity.dataset = "embedded";
  spec.identity.dataset_version = data.version;
  spec.identity.dataset_options = ResolveOptions(data.options, {});
  spec.identity.pipeline = "as-is-48";
  spec.identity.weights_name = "nano-clip";
  spec.place.weights = weights;
  return spec;
}

std::vector<std::string> WorkerBench::Arguments(const RunSpec& spec,
                                                const std::string& name) const {
  const fs::path path = folder_ / (name + ".json");
  WriteFileAtomic(path, ToJson(spec).dump(1));
  return {"run", path, Bundle(name), "--checkpoint-every", "0"};
}

int WorkerBench::Run(const RunSpec& spec, const std::string& name) {
  fs::remove(log_path());
  return Start(Arguments(spec, name)).Wait();
}

int WorkerBench::RunBinary(const RunSpec& spec, const std::string& name) {
  fs::remove(log_path());
  Subprocess worker({.program = TM_BIN_DIR "/tailmark-worker",
                     .arguments = Arguments(spec, name),
                     .log = log_path(),
                     .fork_loaded = true});
  std::optional<ProcessEnd> end;
  while (!(end = worker.Poll())) {
    Subprocess* const one = &worker;
    Subprocess::WaitForAny(std::span(&one, 1), 1);
  }
  return end->exit_code.value_or(-end->signal.value_or(0));
}

bool WorkerBench::Prepare(RunSpec& spec) {
  MethodRegistry methods;
  RegisterBuiltinMethods(methods);
  const auto& entry = methods.Find(spec.identity.method);
  spec.build = ThisBuild().digest;
  spec.place.bundles = folder_;
  for (const NeededRun& needed : NeededRuns(entry.info.depends, entry.options,
                                            spec.identity.method_options)) {
    RunSpec other = spec;
    other.identity.method_options = needed.options;
    other.identity.scores = needed.scores;
    other.identity.needs.clear();
    other.place.keep_state = true;
    if (!Prepare(other)) return false;
    const std::string key = RunKey(other);
    if (!IsSealed(Bundle(key)) && Run(other, key) != 0) return false;
    spec.identity.needs.push_back({needed.role, RecipeId(other.identity), key});
  }
  return true;
}

std::string WorkerBench::log() const { return ReadFile(log_path()); }

void WriteRandomNano(const fs::path& folder) {
  const fs::path recipe = TM_SOURCE_DIR "/methods/clip/nano/recipe.json";
  Json shape = ReadJson(recipe).at("model");
  shape["vision_config"]["num_hidden_layers"] = 2;
  const ClipConfig config = ParseClipConfig(shape, recipe.string());
  ClipModel model(config, at::TensorOptions(at::kFloat));
  InitialiseLikeOpenAi(model, 3);
  fs::create_directories(folder);
  SaveClip(model, folder, at::kHalf);
  WriteVocabulary(folder / "vocab.json", embedded::Vocabulary());
}

}  // namespace tailmark::toys
