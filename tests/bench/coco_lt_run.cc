// A stand-in for COCO-LT at full size, from a server on the loopback to the
// report. Zero-shot CLIP: how long the first run takes, how long the next ones,
// and whether what the next ones find in the cache is what they should find.
// HP-DVAL: two steps of each stage, and the memory they take.

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "harness/base/clock.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/e2e/coco_lt_stand_in.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

constexpr const char* kUsage =
    "coco_lt_run FOLDER MODEL [THREADS] [WIDTH] [WHAT]\n"
    "  FOLDER  new; everything lies there\n"
    "  MODEL   vit-b-16, vit-b-32, ...: random weights of it, seed 1\n"
    "  WHAT    zero-shot, or hp-dval: the recipe hp-dval-dry-run\n"
    "  TAILMARK_REFERENCE_DATA holds the vocabulary\n";

void Require(bool good, const std::string& what, const Said& said = {}) {
  if (good) return;
  std::cerr << "coco_lt_run: " << what << "\n" << said.out << said.err;
  std::exit(1);
}

void PutVocabulary(const fs::path& weights) {
  const char* data = std::getenv("TAILMARK_REFERENCE_DATA");
  Require(data != nullptr, "TAILMARK_REFERENCE_DATA is not set");
  MakeFolders(weights / "vocabulary");
  fs::copy_file(fs::path(data) / "clip_vocab/bpe_simple_vocab_16e6.txt.gz",
                weights / "vocabulary/bpe_simple_vocab_16e6.txt.gz");
}

/// All 6,909 images, and weights at random of both seeds.
void Prepare(const CocoLtStandIn& stand_in, const Program& tailmark,
             const std::string& model) {
  PutVocabulary(tailmark.folder() / "weights");
  Stopwatch watch;
  const Said fetched = stand_in.Fetch();
  Require(fetched.code == 0, "fetch failed", fetched);
  std::cout << "fetch: " << fetched.json().at("got") << " images, "
            << fetched.json().at("bytes").get<double>() / 1e6 << " MB, "
            << watch.Seconds() << " s" << std::endl;
  for (const std::string seed : {"1", "2"}) {
    const Said made = tailmark({"weights", "random", model, "--seed", seed});
    Require(made.code == 0, "no random weights", made);
  }
}

/// Two steps of each stage of HP-DVAL: seconds and peak memory of each phase.
void DryRun(const Program& tailmark, const std::string& model,
            const std::string& threads) {
  const Said said =
      tailmark({"run", "hp-dval-dry-run", "--json", "-j", "1", "--set",
                "weights=" + model + "-random-1", "--set",
                "pipeline=squash-224", "--threads", threads});
  Require(said.code == 0, "the dry run failed", said);
  for (const Json& run : said.json().at("runs")) {
    const fs::path bundle =
        tailmark.store() / "bundles" / run.at("key").get<std::string>();
    for (const Json& phase : ReadJson(bundle / "run.json").at("phases")) {
      std::cout << run.at("method").get<std::string>() << ", "
                << phase.at("phase").get<std::string>() << ": "
                << phase.at("items") << " images, "
                << phase.at("cpu_s").get<double>() << " s of processor, peak "
                << phase.at("peak_rss").get<double>() / (1 << 30) << " GiB"
                << std::endl;
    }
  }
}

void ZeroShot(const CocoLtStandIn& stand_in, const std::string& model,
              const std::string& threads) {
  const auto run = [&](const std::string& what, const std::string& method,
                       bool cached, std::vector<std::string> more,
                       const std::string& seed = "1") {
    for (const std::string& word :
         {std::string("--set"), "weights=" + model + "-random-" + seed,
          std::string("--set"), "limits.threads=" + threads}) {
      more.push_back(word);
    }
    auto result = stand_in.Run(method, more);
    Require(result.said.code == 0, what + " failed", result.said);
    std::cout << what << ": " << result.seconds << " s, features "
              << (result.cached ? "from the cache" : "computed") << std::endl;
    Require(result.cached == cached, what + ": that is wrong");
    return result;
  };
  const auto first = run("first run", "zero_shot_clip-hpdval", false, {});
  const auto second =
      run("second run", "zero_shot_clip-hpdval", true, {"--force"});
  Require(second.scores == first.scores, "other scores from the cache");
  run("other texts", "plain", true, {});
  // The limit changes the list, so these would miss without it too; that each
  // part of the key counts alone is tested by tests/run/feature_cache_test.cc.
  run("other pipeline, 64 images", "zero_shot_clip-hpdval", false,
      {"--limit", "64", "--set", "pipeline=squash-bicubic-224"});
  run("same 64 images", "zero_shot_clip-hpdval", true,
      {"--limit", "64", "--set", "pipeline=squash-bicubic-224", "--force"});
  run("other weights, 64 images", "zero_shot_clip-hpdval", false,
      {"--limit", "64", "--set", "pipeline=squash-bicubic-224"}, "2");
  const double ratio = first.seconds / second.seconds;
  std::cout << "the second run is " << ratio << " times as fast" << std::endl;
  Require(ratio >= 50, "that is less than 50 times");
}

int Run(const std::string& folder, const std::string& model,
        const std::string& threads, int width, const std::string& what) {
  Require(what == "zero-shot" || what == "hp-dval", "no " + what);
  Require(!fs::exists(folder), folder + " is there already");
  CocoLtStandIn stand_in(fs::absolute(folder), width);
  const Program& tailmark = stand_in.tailmark();
  Prepare(stand_in, tailmark, model);
  if (what == "hp-dval") {
    DryRun(tailmark, model, threads);
  } else {
    ZeroShot(stand_in, model, threads);
  }
  const Said report =
      tailmark({"report", "-f", "html,md,tex,csv,json", "-o", "report"});
  Require(report.code == 0, "no report", report);
  std::cout << "report: " << folder << "/report" << std::endl;
  return 0;
}

}  // namespace
}  // namespace tailmark

int main(int count, char** words) {
  if (count < 3 || count > 6) {
    std::cerr << tailmark::kUsage;
    return 2;
  }
  return tailmark::Run(words[1], words[2], count > 3 ? words[3] : "2",
                       count > 4 ? std::atoi(words[4]) : 320,
                       count > 5 ? words[5] : "zero-shot");
}
