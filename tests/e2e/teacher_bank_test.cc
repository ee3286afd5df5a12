// A student whose teachers are runs of their own: killed in the middle of them,
// no teacher is trained twice, none is lost, and the bits are the same. One
// entry of CTest, so that what nobody disturbs runs once.

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <memory>

#include "harness/base/digest.h"
#include "harness/base/files.h"
#include "harness/record/bundle.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRecipe = R"({
  "schema": "tailmark-campaign/1",
  "campaign": "teachers",
  "datasets": ["embedded"],
  "methods": [
    {"use": "psd", "preset": "embedded",
     "options": {"variant": "linear_probe", "epochs": 1}},
    {"use": "psd", "name": "psd-kl", "preset": "embedded",
     "options": {"variant": "linear_probe", "epochs": 1, "kd": "kl"}}
  ],
  "weights": "nano-clip",
  "pipeline": "as-is-48",
  "limit": 120,
  "limits": {"threads": 1}
})";

class TeacherBankRuns : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = std::make_unique<ScratchFolder>();
    undisturbed_ = In("undisturbed")(Run());
  }
  static void TearDownTestSuite() { scratch_.reset(); }
  static Program In(const std::string& name) {
    const fs::path folder = scratch_->path() / name;
    fs::create_directories(folder);
    WriteFileAtomic(folder / "recipe.json", kRecipe);
    Program program(folder);
    program.ShareFeatures();
    return program;
  }
  static std::vector<std::string> Run() {
    return {"run", "recipe.json", "--json"};
  }
  /// key -> when its bundle was sealed, of those that have their name: what a
  /// campaign still works on is renamed while we look.
  static std::map<std::string, fs::file_time_type> Finished(
      const Program& program) {
    std::map<std::string, fs::file_time_type> out;
    std::error_code code;
    for (const auto& entry :
         fs::directory_iterator(program.store() / "bundles", code)) {
      const bool named = entry.path().extension().empty();
      if (named && IsSealed(entry.path())) {
        out[entry.path().filename().string()] =
            fs::last_write_time(entry.path() / "DONE");
      }
    }
    return out;
  }
  /// key -> SHA-256 of what the run left: its state, and scores if any.
  static std::map<std::string, std::string> Left(const Program& program) {
    std::map<std::string, std::string> out;
    for (const auto& [key, when] : Finished(program)) {
      const fs::path bundle = program.store() / "bundles" / key;
      // Of a student nobody starts from it: its scores are what it leaves.
      if (fs::exists(bundle / "state.safetensors")) {
        out[key] = Sha256File(bundle / "state.safetensors");
      }
      if (fs::exists(bundle / "scores/test.npy")) {
        out[key] += Sha256File(bundle / "scores/test.npy");
      }
    }
    return out;
  }

  static inline std::unique_ptr<ScratchFolder> scratch_;
  static inline Said undisturbed_;
};

TEST_F(TeacherBankRuns, AreSharedByTheirStudentsAndNoRowsOfATable) {
  ASSERT_EQ(undisturbed_.code, 0) << undisturbed_.err;
  EXPECT_EQ(undisturbed_.json()["runs"].size(), 2u);
  EXPECT_EQ(Finished(In("undisturbed")).size(), 4u + 2u);
}

TEST_F(TeacherBankRuns, KilledAmongTheTeachersNoneIsTrainedTwiceNoneIsLost) {
  ASSERT_EQ(undisturbed_.code, 0) << undisturbed_.err;
  const auto expected = Left(In("undisturbed"));

  const Program tailmark = In("killed");
  std::map<std::string, fs::file_time_type> first;
  for (std::size_t blow = 0; blow < 3; ++blow) {
    const pid_t pid = tailmark.Start(Run());
    // Another teacher is done, or the campaign is over.
    for (int look = 0; look < 60'000 && Finished(tailmark).size() <= blow;
         ++look) {
      usleep(2000);
    }
    kill(pid, SIGKILL);
    Program::Wait(pid);
    for (const auto& [key, when] : Finished(tailmark)) first.emplace(key, when);
  }
  EXPECT_GE(first.size(), 1u);
  const Said said = tailmark(Run());
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(Left(tailmark), expected);
  for (const auto& [key, when] : Finished(tailmark)) {
    if (first.contains(key)) {
      EXPECT_EQ(when, first[key]) << key << " was made again";
    }
  }
}

}  // namespace
}  // namespace tailmark
