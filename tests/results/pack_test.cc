#include "results/pack.h"

#include <gtest/gtest.h>

#include <functional>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/npy.h"
#include "harness/record/ustar.h"
#include "tests/record/sample.h"
#include "tests/results/samples.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

class Pack : public ::testing::Test {
 protected:
  Pack() {
    for (std::uint64_t seed : {0, 1}) {
      const SampleRun run{.seed = seed};
      const std::string key = RunKey(SpecOf(run));
      keys_.push_back(key);
      WriteBundle(scratch_.path() / "bundles" / key, run, facts_);
      runs_.push_back({scratch_.path() / "bundles" / key, facts_});
    }
    WritePack(pack_, runs_, {{"list/labels.json", "{}"}}, work_);
  }

  Verification Check() const {
    return Verify(
        pack_,
        [this](const RunSpec&, const fs::path&) -> const DatasetFacts& {
          return facts_;
        },
        work_ / "verify");
  }
  /// Unpacks, lets somebody at the files, and packs again.
  void Repack(const std::function<void(const fs::path&)>& change) const {
    const fs::path out = scratch_.path() / "changed";
    fs::remove_all(out);
    ReadTar(pack_, out);
    change(out / kPackFolder);
    WriteTar(pack_, {out / kPackFolder});
  }
  static void Flip(const fs::path& file, std::size_t at) {
    std::string bytes = ReadFile(file);
    bytes.at(at) = static_cast<char>(bytes[at] ^ 1);
    WriteFileAtomic(file, bytes);
  }
  /// What a forger does who knows of SHA256SUMS.
  static void SumAgain(const fs::path& folder) {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      const std::string name =
          entry.path().lexically_relative(folder).generic_string();
      if (name != "SHA256SUMS") files.push_back(name);
    }
    std::string sums;
    for (const std::string& file : files) {
      sums += StrCat(Sha256File(folder / file), "  ", file, "\n");
    }
    WriteFileAtomic(folder / "SHA256SUMS", sums);
  }
  /// Everything that was found, one a line.
  static std::string Found(const Verification& verification) {
    std::string all;
    for (const std::string& what : verification.tampered) all += what + "\n";
    for (const VerifiedRun& run : verification.runs) {
      if (run.verdict != "holds") all += StrCat(run.key, " ", run.why, "\n");
    }
    return all;
  }
  fs::path Run(const fs::path& folder) const {
    return folder / "runs" / keys_[0];
  }

  DatasetFacts facts_ = SampleFacts();
  ScratchFolder scratch_;
  fs::path pack_ = scratch_.path() / "pack.tar";
  fs::path work_ = scratch_.path() / "work";
  std::vector<std::string> keys_;
  std::vector<RunToPack> runs_;
};

TEST_F(Pack, WhatNobodyTouchedHoldsWithEveryNumber) {
  const Verification verification = Check();
  EXPECT_EQ(Found(verification), "");
  ASSERT_EQ(verification.runs.size(), 2u);
  for (const VerifiedRun& run : verification.runs) {
    EXPECT_EQ(run.verdict, "holds");
    EXPECT_TRUE(run.claimed);
    EXPECT_EQ(run.numbers.size(), 9u * 4u);  // definitions x (total, 3 groups)
  }
}

TEST_F(Pack, EqualRunsGiveEqualBytes) {
  const std::string once = Sha256File(pack_);
  WritePack(pack_, runs_, {{"list/labels.json", "{}"}}, work_);
  EXPECT_EQ(Sha256File(pack_), once);
}

TEST_F(Pack, EachOfTwentyTamperingsIsFoundAndNamed) {
  struct Tampering {
    std::string what;
    std::function<void(const fs::path&)> change;
    std::string named;
  };
  const std::string key = keys_[0];
  const auto scores = [this](const fs::path& f) {
    return Run(f) / "scores/test.npy";
  };
  const std::vector<Tampering> tamperings = {
      {"a score", [&](const fs::path& f) { Flip(scores(f), 200); },
       "scores/test.npy"},
      {"the last score",
       [&](const fs::path& f) {
         Flip(scores(f), fs::file_size(scores(f)) - 1);
       },
       "scores/test.npy"},
      {"the header of the scores",
       [&](const fs::path& f) { Flip(scores(f), 20); }, "scores/test.npy"},
      {"scores cut off",
       [&](const fs::path& f) {
         fs::resize_file(scores(f), fs::file_size(scores(f)) - 4);
       },
       "scores/test.npy"},
      {"scores gone", [&](const fs::path& f) { fs::remove(scores(f)); },
       "scores/test.npy"},
      {"scores of the other run",
       [&](const fs::path& f) {
         fs::copy_file(f / "runs" / keys_[1] / "scores/test.npy", scores(f),
                       fs::copy_options::overwrite_existing);
       },
       "scores/test.npy"},
      {"run.json", [&](const fs::path& f) { Flip(Run(f) / "run.json", 99); },
       "run.json"},
      {"DONE", [&](const fs::path& f) { Flip(Run(f) / "DONE", 3); }, "DONE"},
      {"PACK.json", [&](const fs::path& f) { Flip(f / "PACK.json", 50); },
       "PACK.json"},
      {"SHA256SUMS", [&](const fs::path& f) { Flip(f / "SHA256SUMS", 5); },
       "SHA256SUMS"},
      {"SHA256SUMS gone",
       [&](const fs::path& f) { fs::remove(f / "SHA256SUMS"); }, "SHA256SUMS"},
      {"labels",
       [&](const fs::path& f) { Flip(f / "labels/list/labels.json", 0); },
       "labels/list/labels.json"},
      {"a file more",
       [&](const fs::path& f) {
         WriteFileAtomic(Run(f) / "note.txt", "better than it looks");
       },
       "note.txt"},
      {"a run gone", [&](const fs::path& f) { fs::remove_all(Run(f)); }, key},
      {"a run under another key",
       [&](const fs::path& f) {
         fs::rename(Run(f), f / "runs" / std::string(64, 'a'));
         SumAgain(f);
       },
       std::string(64, 'a')},
      {"a run gone, sums made again",
       [&](const fs::path& f) {
         fs::remove_all(Run(f));
         SumAgain(f);
       },
       key},
      {"a claim raised, sums made again",
       [&](const fs::path& f) {
         Json pack = ReadJson(f / "PACK.json");
         pack["runs"][key][0]["percent"] = 99.5;
         WriteFileAtomic(f / "PACK.json", pack.dump());
         SumAgain(f);
       },
       "PACK.json claims"},
      {"a claim dropped, sums made again",
       [&](const fs::path& f) {
         Json pack = ReadJson(f / "PACK.json");
         pack["runs"][key].erase(0);
         WriteFileAtomic(f / "PACK.json", pack.dump());
         SumAgain(f);
       },
       "PACK.json claims 35 numbers"},
      {"a score, sums made again",
       [&](const fs::path& f) {
         Flip(scores(f), 200);
         SumAgain(f);
       },
       "scores/test.npy"},
      {"another seed, sealed and summed again",
       [&](const fs::path& f) {
         Json run = ReadJson(Run(f) / "run.json");
         run["spec"]["seed"] = 7;
         WriteFileAtomic(Run(f) / "run.json", run.dump());
         SealBundle(Run(f));
         SumAgain(f);
       },
       key}};
  ASSERT_EQ(tamperings.size(), 20u);
  const std::string whole = ReadFile(pack_);
  for (const Tampering& each : tamperings) {
    WriteFileAtomic(pack_, whole);
    Repack(each.change);
    const std::string found = Found(Check());
    EXPECT_NE(found.find(each.named), std::string::npos)
        << each.what << ": found '" << found << "'";
  }
}

TEST_F(Pack, APackFromBeforeADefinitionWasKnownHolds) {
  Repack([](const fs::path& folder) {
    Json pack = ReadJson(folder / "PACK.json");
    for (auto& [key, numbers] : pack["runs"].items()) {
      Json kept = Json::array();
      for (const Json& number : numbers) {
        const auto id = number["definition"].get<std::string>();
        if (!id.starts_with("ap.binned")) kept.push_back(number);
      }
      numbers = kept;
    }
    WriteFileAtomic(folder / "PACK.json", pack.dump());
    SumAgain(folder);
  });
  EXPECT_EQ(Found(Check()), "");
  Repack([this](const fs::path& folder) {
    Json pack = ReadJson(folder / "PACK.json");
    pack["runs"][keys_[0]] = Json::array();
    WriteFileAtomic(folder / "PACK.json", pack.dump());
    SumAgain(folder);
  });
  EXPECT_NE(Found(Check()).find("claims no number"), std::string::npos);
}

TEST_F(Pack, OtherScoresThatWereSealedAgainDoNotGiveTheNumbersClaimed) {
  Repack([this](const fs::path& folder) {
    const fs::path run = Run(folder);
    Json record = ReadJson(run / "run.json");
    const std::vector<float> better(24, 0.5F);
    WriteNpy(run / "scores/test.npy", DType::kFloat32,
             std::vector<std::int64_t>{8, 3}, better);
    record["scores"][0]["sha256"] = Sha256File(run / "scores/test.npy");
    WriteFileAtomic(run / "run.json", record.dump());
    SealBundle(run);
    SumAgain(folder);
  });
  EXPECT_NE(Found(Check()).find("the scores give"), std::string::npos);
}

TEST_F(Pack, EveryByteOfTheArchiveCounts) {
  const std::string whole = ReadFile(pack_);
  // Every 389th, so that headers, contents, gaps and the end mark are met.
  for (std::size_t at = 0; at < whole.size(); at += 389) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    WriteFileAtomic(pack_, bytes);
    EXPECT_NE(Found(Check()), "") << "byte " << at;
  }
  WriteFileAtomic(pack_, whole + "x");
  EXPECT_NE(Found(Check()), "");
}

TEST_F(Pack, WithoutLabelsTheBytesAreCheckedAndTheNumbersAreNot) {
  const Verification verification = Verify(
      pack_,
      [](const RunSpec&, const fs::path&) -> const DatasetFacts& {
        throw DataError("no list of it here");
      },
      work_ / "verify");
  EXPECT_TRUE(verification.tampered.empty());
  ASSERT_EQ(verification.runs.size(), 2u);
  EXPECT_EQ(verification.runs[0].verdict, "labels missing");
  EXPECT_EQ(verification.runs[0].why, "no list of it here");
}

TEST_F(Pack, ABundleByItselfIsScoredAndNothingWasClaimed) {
  const Verification verification = Verify(
      runs_[0].bundle,
      [this](const RunSpec&, const fs::path&) -> const DatasetFacts& {
        return facts_;
      },
      work_);
  ASSERT_EQ(verification.runs.size(), 1u);
  EXPECT_EQ(verification.runs[0].verdict, "holds");
  EXPECT_FALSE(verification.runs[0].claimed);
}

}  // namespace
}  // namespace tailmark
