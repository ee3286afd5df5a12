#include "tests/record/sample.h"

#include <unistd.h>

#include <atomic>

#include "harness/base/digest.h"
#include "harness/base/files.h"
#include "harness/base/npy.h"

namespace tailmark {
namespace fs = std::filesystem;

ScratchFolder::ScratchFolder(const fs::path& in) {
  static std::atomic<int> next{0};
  path_ = (in.empty() ? fs::temp_directory_path() : in) /
          StrCat("tailmark-test-", getpid(), "-", next++);
  fs::remove_all(path_);
  fs::create_directories(path_);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

RunSpec SampleSpec() {
  RunSpec spec;
  spec.identity = {.method = "probe",
                   .method_version = 3,
                   .method_artifact = "aa",
                   .method_options = {{"epochs", std::int64_t{5}},
                                      {"lr", 0.5},
                                      {"loss", std::string("bce")},
                                      {"steps", NumberList{1, 2.5}},
                                      {"words", WordList{"a", "b"}},
                                      {"bias", true}},
                   .dataset = "embedded",
                   .dataset_version = 2,
                   .dataset_options = {{"seed", std::int64_t{1}}},
                   .manifest_sha256 = "m",
                   .label_policy = "difficult=ignore,empty=keep",
                   .train_list_sha256 = "t",
                   .test_list_sha256 = "u",
                   .limit = 7,
                   .pipeline = "clip-224",
                   .pipeline_version = 4,
                   .weights_name = "nano-clip",
                   .weights_sha256 = "w",
                   .device_type = "cuda",
                   .precision = "bf16",
                   .tf32 = true,
                   .deterministic = "off",
                   .selection = "validation",
                   .episodes_sha256 = "e",
                   .validation = 0.25,
                   .scores = true,
                   .needs = {{"stage1", "r1", "k1"}}};
  spec.seed = 18446744073709551615U;
  spec.build = "b";
  spec.place = {.device = "cuda:1",
                .threads = 2,
                .data_root = "/data",
                .weights = "/weights",
                .cache = "/cache",
                .bundles = "/bundles",
                .keep_state = true,
                .stop_after_s = 1.5,
                .stop_after_epochs = 3};
  spec.campaign = "sample";
  spec.tags = {"partial"};
  return spec;
}

RunRecord WriteSampleBundle(const fs::path& folder) {
  MakeFolders(folder / "scores");
  const std::vector<std::int64_t> shape = {2, 3};
  WriteNpy(folder / "scores/test.npy", DType::kFloat32, shape,
           std::vector<float>{1, 2, 3, 4, 5, 6});
  WriteFileAtomic(folder / "ids.txt", "one\ntwo\n");
  RunRecord record;
  record.spec = SampleSpec();
  record.state = RunState::kDone;
  record.exit_code = 0;
  record.created_utc = "2026-01-31T12:00:00Z";
  record.started_utc = "2026-01-31T12:00:01Z";
  record.finished_utc = "2026-01-31T12:00:02Z";
  record.host = "box";
  record.environment = {{"cpu", "some"}};
  record.environment_fingerprint = "f";
  record.build.digest = "b";
  record.build.dirty = true;
  record.seeds = {{"train/shuffle", 12}};
  record.resolved_options = record.spec.identity.method_options;
  record.trained_parameters = 99;
  record.scores = {{.split = "test",
                    .path = "scores/test.npy",
                    .sha256 = Sha256File(folder / "scores/test.npy"),
                    .dtype = "float32",
                    .rows = 2,
                    .cols = 3,
                    .scale = "logit"}};
  record.phases = {{.phase = "fit",
                    .wall_s = 1.5,
                    .cpu_s = 1.25,
                    .peak_rss = 1 << 20,
                    .items = 10}};
  record.curves = {{.name = "loss", .step = 1, .value = 0.5}};
  record.command = "tailmark-worker run spec bundle";
  WriteFileAtomic(folder / "run.json", ToJson(record).dump(1));
  SealBundle(folder);
  return record;
}

}  // namespace tailmark
