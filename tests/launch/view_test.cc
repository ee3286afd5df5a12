#include <gtest/gtest.h>

#include <fstream>

#include "harness/launch/campaign_view.h"
#include "harness/launch/events.h"
#include "harness/launch/key_lock.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {

TEST(Events, AreReadAsTheyAreAppendedAndTornLinesWait) {
  const ScratchFolder scratch;
  const auto path = scratch.path() / "events.jsonl";
  EventsTail tail(path);
  EXPECT_EQ(ToText(tail.Read()), "starting");
  std::ofstream out(path, std::ios::app);
  out << R"({"phase": "fit", "done": 3, "total": 30, "unit": "epochs"})"
         "\n"
      << "nonsense\n[1]\n{\"phase\": 7}\n"
      << R"({"phase": "pre)" << std::flush;
  EXPECT_EQ(ToText(tail.Read()), "fit 3/30 epochs");
  out << R"(dict", "note": "nearly"})" << std::endl;
  EXPECT_EQ(ToText(tail.Read()), "predict, nearly");
  out << R"({"utc": "2026-01-01T00:00:00Z", "phase": "predict", "rate": 2.5,)"
      << R"( "eta_s": 3, "gpu_bytes": 4096})" << std::endl;
  const RunProgress& last = tail.Read();
  EXPECT_EQ(last.rate, 2.5);
  EXPECT_EQ(last.left_s, 3);
  EXPECT_EQ(last.gpu_bytes, 4096);
}

TEST(CampaignView, ALineSaysWhereARunIsAndIsCutToTheWidth) {
  const WorkerLine line{.title = "probe on set, seed 0",
                        .progress = {.phase = "fit",
                                     .done = 5,
                                     .total = 10,
                                     .unit = "epochs",
                                     .note = "a\x1b[2Jb",
                                     .rate = 2.4,
                                     .left_s = 21,
                                     .gpu_bytes = 3 << 20},
                        .seconds = 20,
                        .rss = 1 << 30};
  EXPECT_EQ(ToText(line, 0),
            "  probe on set, seed 0: fit 5/10 epochs, a [2Jb, 20 s, "
            "2 epochs/s, 21 s left, 1.0 GiB, GPU 3.0 MiB");
  EXPECT_EQ(ToText(line, 10).size(), 10u);
}

TEST(CampaignView, TheCampaignLineCounts) {
  EXPECT_EQ(ToText(CampaignLine{.campaign = "quickstart",
                                .total = 9,
                                .done = 3,
                                .failed = 1,
                                .left_out = 2,
                                .seconds = 61,
                                .left_s = 5},
                   0),
            "quickstart: 4/9 runs, 1 failed, 2 left out, 1:01, 5 s left");
}

TEST(KeyLock, IsHeldByOneAndGoneAfterwards) {
  const ScratchFolder scratch;
  const auto path = scratch.path() / "k.lock";
  EXPECT_FALSE(KeyLock::IsHeld(path));
  {
    const auto lock = KeyLock::Try(path);
    ASSERT_NE(lock, nullptr);
    EXPECT_EQ(KeyLock::Try(path), nullptr);
    EXPECT_TRUE(KeyLock::IsHeld(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_NE(KeyLock::Try(path), nullptr);
}

}  // namespace
}  // namespace tailmark
