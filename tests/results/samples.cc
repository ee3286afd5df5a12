#include "tests/results/samples.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <limits>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/npy.h"
#include "harness/base/seeds.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

std::vector<float> ScoresOf(const SampleRun& run, const std::string& name,
                            std::int64_t cells) {
  ChanceStream chance(run.seed, DeriveSeed(0, run.method + name),
                      static_cast<std::uint64_t>(run.salt));
  std::vector<float> scores;
  for (std::int64_t i = 0; i < cells; ++i) {
    scores.push_back(static_cast<float>(chance.Unit()));
  }
  if (run.nan_at >= 0) {
    scores.at(static_cast<std::size_t>(run.nan_at)) =
        std::numeric_limits<float>::quiet_NaN();
  }
  return scores;
}

}  // namespace

DatasetFacts SampleFacts(std::int64_t rows, std::int64_t classes) {
  DatasetFacts facts;
  for (std::int64_t c = 0; c < classes; ++c) {
    const std::int64_t third = 3 * c / classes;
    facts.classes.push_back({.name = StrCat("class ", c),
                             .train_positives = 200 - c,
                             .group = third == 0   ? "head"
                                      : third == 1 ? "medium"
                                                   : "tail"});
  }
  SplitFacts test{.name = "test",
                  .role = "test",
                  .rows = rows,
                  .list_sha256 = "test-list",
                  .positive = {},
                  .known = {}};
  for (std::int64_t i = 0; i < rows * classes; ++i) {
    test.positive.push_back((i / classes + i % classes) % 3 == 0 ? 1 : 0);
  }
  facts.splits = {{.name = "train",
                   .role = "train",
                   .rows = 100,
                   .list_sha256 = "train-list",
                   .positive = {},
                   .known = {}},
                  test};
  return facts;
}

RunSpec SpecOf(const SampleRun& run) {
  RunSpec spec;
  spec.identity.method = run.method;
  spec.identity.method_options = {{"lr", 0.5}};
  spec.identity.dataset = "embedded";
  spec.identity.manifest_sha256 = "manifest";
  spec.identity.label_policy = "difficult=ignore,empty=keep";
  spec.identity.train_list_sha256 = "train-list";
  spec.identity.test_list_sha256 = "test-list";
  spec.identity.weights_name = "nano-clip";
  spec.identity.weights_sha256 = "weights";
  spec.seed = run.seed;
  spec.build = run.build;
  spec.tags = {"note=first try"};
  return spec;
}

RunRecord RecordOf(const SampleRun& run) {
  RunRecord record;
  record.spec = SpecOf(run);
  record.state = run.state;
  record.reason = run.reason;
  record.created_utc = "2026-01-31T12:00:00Z";
  record.started_utc = run.started_utc;
  record.finished_utc = "2026-01-31T12:00:09Z";
  record.host = "here";
  record.environment = {{"cpu", "some"}, {"threads", 1}};
  record.environment_fingerprint = "fingerprint";
  record.build.digest = run.build;
  record.build.version = "0.1.0";
  record.build.git_sha = "abc";
  record.seeds = {{"train/shuffle", 7}};
  record.resolved_options = {{"lr", 0.5}};
  record.trained_parameters = 12;
  record.phases = {{.phase = "fit",
                    .wall_s = run.fit_s,
                    .cpu_s = 1.5,
                    .peak_rss = 1000,
                    .items = 100},
                   {.phase = "predict",
                    .wall_s = 0.5,
                    .cpu_s = 0.5,
                    .peak_rss = 2000,
                    .items = 8}};
  record.curves = {{.name = "loss", .step = 0, .value = 1.5},
                   {.name = "loss", .step = 1, .value = 0.75}};
  record.command = "tailmark run quickstart";
  return record;
}

RunRecord WriteBundle(const fs::path& folder, const SampleRun& run,
                      const DatasetFacts& facts) {
  MakeFolders(folder / "scores");
  RunRecord record = RecordOf(run);
  const std::vector<std::int64_t> shape = {
      facts.splits.back().rows,
      static_cast<std::int64_t>(facts.classes.size())};
  for (const std::string& name : run.scores) {
    const fs::path path = StrCat("scores/", name, ".npy");
    WriteNpy(folder / path, DType::kFloat32, shape,
             ScoresOf(run, name, shape[0] * shape[1]));
    record.scores.push_back({.split = name,
                             .path = path.string(),
                             .sha256 = Sha256File(folder / path),
                             .dtype = "float32",
                             .rows = shape[0],
                             .cols = shape[1],
                             .scale = "logit"});
  }
  WriteFileAtomic(folder / "run.json", Canonical(ToJson(record)));
  SealBundle(folder);
  return record;
}

int StartChild(int (*child)(const fs::path&), const fs::path& folder) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  int code = 99;
  try {
    code = child(folder);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "child: %s\n", e.what());
  }
  // Not exit(): the parent's test framework must not end twice.
  _exit(code);
}

int WaitForChild(int pid) {
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int InChild(int (*child)(const fs::path&), const fs::path& folder) {
  return WaitForChild(StartChild(child, folder));
}

}  // namespace tailmark
