// Stands in for tailmark-worker: `fake_worker run SPEC BUNDLE` does what the
// option "act" of its spec says. Links no LibTorch, so that faults can be
// tested without a method.

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <thread>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/npy.h"
#include "harness/cli/worker_serve.h"
#include "harness/record/bundle.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

void Sleep(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

/// Scores that depend on the seed alone; ids "0", "1", ...
void WriteBundle(const RunSpec& spec, const fs::path& bundle, RunState state,
                 const std::string& reason) {
  MakeFolders(bundle / "scores");
  const std::vector<std::int64_t> shape = {3, 2};
  std::vector<float> values;
  for (std::uint64_t i = 0; i < 6; ++i) {
    values.push_back(static_cast<float>((spec.seed * 7 + i * 5) % 11));
  }
  WriteNpy(bundle / "scores/test.npy", DType::kFloat32, shape, values);
  WriteFileAtomic(bundle / "ids.txt", "0\n1\n2\n");
  if (spec.place.keep_state) {
    WriteFileAtomic(bundle / "state.safetensors", RunKey(spec));
  }
  RunRecord record;
  record.spec = spec;
  record.state = state;
  record.reason = reason;
  record.created_utc = record.started_utc = record.finished_utc = UtcNow();
  record.host = "fake";
  record.build.digest = spec.build;
  record.resolved_options = spec.identity.method_options;
  record.scores = {{.split = "test",
                    .path = "scores/test.npy",
                    .sha256 = Sha256File(bundle / "scores/test.npy"),
                    .dtype = "float32",
                    .rows = 3,
                    .cols = 2,
                    .scale = "logit"}};
  WriteFileAtomic(bundle / "run.json", ToJson(record).dump());
  if (state == RunState::kDone) SealBundle(bundle);
}

/// Ten steps with a checkpoint after each, 20 ms apart; counts how often it was
/// started in bundles/starts.
int Steps(const RunSpec& spec, const fs::path& bundle) {
  const fs::path checkpoint = bundle / "checkpoint";
  int step = 0;
  if (fs::exists(checkpoint / "step")) {
    step = std::stoi(ReadFile(checkpoint / "step"));
    std::cerr << "goes on from step " << step << std::endl;
  }
  MakeFolders(checkpoint);
  for (; step < 10; ++step) {
    std::ofstream(bundle / "events.jsonl", std::ios::app)
        << R"({"phase": "fit", "done": )" << step + 1 << R"(, "total": 10})"
        << std::endl;
    Sleep(0.02);
    WriteFileAtomic(checkpoint / "step", std::to_string(step + 1));
  }
  fs::remove_all(checkpoint);
  WriteBundle(spec, bundle, RunState::kDone, "");
  return 0;
}

int Act(const std::string& act, RunSpec spec, const fs::path& bundle) {
  std::ofstream(bundle.parent_path() / "starts", std::ios::app)
      << spec.seed << std::endl;
  for (const RunNeed& need : spec.identity.needs) {
    // As the true one does; and nothing starts before it.
    const fs::path state = FindState(spec.place.bundles, need.key);
    if (state.empty() || ReadFile(state) != need.key) {
      std::cerr << "started before " << need.role << std::endl;
      return 2;
    }
  }
  const auto part = spec.identity.method_options.find("part");
  if (act == "fail_teacher") {
    const bool teacher = part->second != OptionValue(std::int64_t{-1});
    return teacher ? 5 : (WriteBundle(spec, bundle, RunState::kDone, ""), 0);
  }
  if (act == "steps") return Steps(spec, bundle);
  if (act == "abort") std::abort();
  if (act == "kill9") kill(getpid(), SIGKILL);
  if (act == "hang") {
    signal(SIGTERM, SIG_IGN);
    std::cerr << "hanging" << std::endl;
    Sleep(1000);
  }
  if (act == "spin") {
    for (volatile std::uint64_t turns = 0;;) turns = turns + 1;
  }
  if (act == "leave_child") {
    // A grandchild that outlives its parent and holds its output open.
    if (fork() == 0) {
      Sleep(1000);
      _exit(0);
    }
  }
  if (act == "flood") {
    const std::string line(1000, 'x');
    for (int i = 0; i < 20000; ++i) std::cout << line << "\n";
    std::cout << "the end" << std::endl;
  }
  if (act == "hog") {
    std::vector<std::vector<char>> memory;
    for (int i = 0; i < 4096; ++i) {
      memory.emplace_back(std::size_t{1} << 20, 'x');
      Sleep(0.002);
    }
  }
  if (act == "fail") {
    WriteBundle(spec, bundle, RunState::kFailed, "scores of row 3 are NaN");
    return 3;
  }
  if (act == "exit5") {
    std::cerr << "cannot go on\n";
    return 5;
  }
  if (act == "checkpoint") return 75;
  if (act == "nothing") return 0;
  if (act == "other_key") ++spec.seed;
  WriteBundle(spec, bundle, RunState::kDone, "");
  if (act == "tamper") std::ofstream(bundle / "ids.txt") << "9\n";
  return 0;
}

int Main(int argc, char** argv) {
  if (argc != 4 || std::string_view(argv[1]) != "run") return 2;
  const RunSpec spec = ReadRunSpec(argv[2]);
  const auto act = spec.identity.method_options.find("act");
  return Act(act == spec.identity.method_options.end()
                 ? "good"
                 : std::get<std::string>(act->second),
             spec, argv[3]);
}

}  // namespace
}  // namespace tailmark

int main(int argc, char** argv) {
  if (argc == 3 && argv[1] == std::string_view("serve")) {
    return tailmark::ServeForks(std::stoi(argv[2]), argc, argv, [](auto words) {
      std::vector<char*> pointers;
      for (std::string& word : words) pointers.push_back(word.data());
      return tailmark::Main(static_cast<int>(words.size()), pointers.data());
    });
  }
  return tailmark::Main(argc, argv);
}
