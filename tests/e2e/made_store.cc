#include "tests/e2e/made_store.h"

#include <cmath>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/npy.h"
#include "harness/base/seeds.h"
#include "harness/cli/data_access.h"
#include "results/campaign.h"
#include "results/ingest.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

RunSpec SpecOf(const MadeRun& run, DataAccess& data) {
  const std::string name = run.shots > 0 ? "embedded-fewshot" : "embedded";
  const DatasetInfo& info = data.registry().Find(name).info;
  OptionMap said;
  if (run.shots > 0) said.emplace("shots", run.shots);
  const OptionMap options = ResolveOptions(info.options, said);
  const PlannedData facts = data.Facts({.use = name, .name = name}, options, 0);
  RunSpec spec;
  spec.identity.method = run.method;
  spec.identity.method_version = run.method_version;
  spec.identity.dataset = name;
  spec.identity.dataset_version = facts.version;
  spec.identity.dataset_options = options;
  spec.identity.manifest_sha256 = facts.manifest_sha256;
  spec.identity.label_policy = facts.label_policy;
  spec.identity.train_list_sha256 = facts.train_list_sha256;
  spec.identity.test_list_sha256 = facts.test_list_sha256;
  spec.identity.episodes_sha256 = facts.episodes_sha256;
  spec.identity.selection = run.selection;
  spec.seed = run.seed;
  spec.build = run.build;
  return spec;
}

std::vector<float> ScoresOf(const MadeRun& run, const SplitFacts& split) {
  std::vector<float> scores;
  const ChanceStream start(DeriveSeed(run.salt, "made"),
                           static_cast<std::uint64_t>(split.episode + 1),
                           run.stochastic ? run.seed : 0);
  ChanceStream chance = start;
  for (const std::uint8_t positive : split.positive) {
    // Twelve uniforms less six: nearly a normal draw.
    double noise = -6;
    for (int i = 0; i < 12; ++i) noise += chance.Unit();
    scores.push_back(
        static_cast<float>(noise + (positive != 0 ? run.skill : 0)));
  }
  return scores;
}

void WriteBundle(const fs::path& bundle, const MadeRun& run,
                 const RunSpec& spec, const DatasetFacts& facts) {
  RunRecord record;
  record.spec = spec;
  record.state = run.state;
  record.reason = run.state == RunState::kDone ? "" : "made to fail";
  record.created_utc = record.started_utc = record.finished_utc =
      "2026-01-31T12:00:00Z";
  record.host = "made";
  record.environment_fingerprint = run.fingerprint;
  record.build.digest = spec.build;
  MakeFolders(bundle / "scores");
  WriteFileAtomic(bundle / "ids.txt", "");
  if (run.state == RunState::kDone) {
    for (const SplitFacts& split : facts.splits) {
      const bool counts = (split.episode >= 0) == (run.shots > 0);
      if (split.name != "test" || !counts) continue;
      const auto classes = static_cast<std::int64_t>(facts.classes.size());
      const std::string name =
          run.shots > 0 ? StrCat("test.episode-", split.episode) : "test";
      const std::string path = StrCat("scores/", name, ".npy");
      WriteNpy(bundle / path, DType::kFloat32,
               std::vector<std::int64_t>{split.rows, classes},
               ScoresOf(run, split));
      record.scores.push_back({.split = name,
                               .path = path,
                               .sha256 = Sha256File(bundle / path),
                               .dtype = "float32",
                               .rows = split.rows,
                               .cols = classes,
                               .scale = "logit"});
    }
  }
  WriteFileAtomic(bundle / "run.json", ToJson(record).dump());
  SealBundle(bundle);
}

}  // namespace

void WriteMadeBundles(const fs::path& bundles, const std::string& campaign,
                      const std::vector<MadeRun>& runs) {
  DataAccess data;
  for (const MadeRun& run : runs) {
    RunSpec spec = SpecOf(run, data);
    spec.campaign = campaign;
    const std::string name =
        RunKey(spec) + (run.state == RunState::kDone ? "" : ".failed");
    WriteBundle(bundles / name, run, spec, data.FactsOf(spec));
  }
}

void StoreCampaign(const fs::path& folder, const std::string& name,
                   const std::vector<MadeRun>& runs) {
  Store store(folder);
  DataAccess data;
  CampaignPlan plan{
      .name = name, .command = "tailmark run made.json", .runs = {}};
  for (const MadeRun& run : runs) {
    const RunSpec spec = SpecOf(run, data);
    plan.runs.push_back({.spec = spec,
                         .label = run.label.empty() ? run.method : run.label,
                         .reason = ""});
    const fs::path bundle = store.Bundle(RunKey(spec));
    if (IsSealed(bundle)) continue;
    const DatasetFacts& facts = data.FactsOf(spec);
    WriteBundle(bundle, run, spec, facts);
    IngestBundle(store, bundle, facts);
  }
  RegisterCampaign(store, plan);
}

void WriteScoreFile(const fs::path& folder, const std::string& name,
                    const MadeRun& run) {
  DataAccess data;
  const RunSpec spec = SpecOf(run, data);
  const DatasetFacts& facts = data.FactsOf(spec);
  const OpenedData& opened =
      data.Open({.name = "embedded", .options = spec.identity.dataset_options});
  const std::vector<std::string>& ids = opened.dataset->test().ids;
  const std::size_t classes = facts.classes.size();
  std::vector<float> scores;
  for (const SplitFacts& split : facts.splits) {
    if (split.name == "test") scores = ScoresOf(run, split);
  }
  std::vector<float> turned;
  std::string lines;
  for (std::size_t row = ids.size(); row-- > 0;) {
    lines += ids[row] + "\n";
    for (std::size_t c = classes; c-- > 0;) {
      turned.push_back(scores[row * classes + c]);
    }
  }
  Json names = Json::array();
  for (std::size_t c = classes; c-- > 0;)
    names.push_back(facts.classes[c].name);
  MakeFolders(folder);
  WriteNpy(folder / (name + ".npy"), DType::kFloat32,
           std::vector<std::int64_t>{static_cast<std::int64_t>(ids.size()),
                                     static_cast<std::int64_t>(classes)},
           turned);
  WriteFileAtomic(folder / (name + ".ids.txt"), lines);
  WriteFileAtomic(folder / (name + ".json"),
                  Json({{"schema", "tailmark-scores/1"},
                        {"name", name},
                        {"summary", "made"},
                        {"classes", names},
                        {"scale", "logit"},
                        {"pipeline", "harness"}})
                      .dump());
}

}  // namespace tailmark
