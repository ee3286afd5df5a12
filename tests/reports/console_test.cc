#include "reports/console.h"

#include <gtest/gtest.h>

#include <sstream>

#include "reports/text.h"
#include "tests/reports/sample.h"

namespace tailmark {
namespace {

std::size_t LongestTableLine(const std::string& text) {
  std::size_t longest = 0;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    // Reasons and commands are to be copied: they may be longer.
    if (line.starts_with("\u2715") || line.starts_with("    ")) continue;
    longest = std::max(longest, Utf8Length(line));
  }
  return longest;
}

TEST(ConsoleTable, ShowsRanksSpreadsAndWhatIsMissing) {
  EXPECT_EQ(ConsoleTable(SmallModel(), {.width = 110}),
            R"(embedded: mAP in %, ap.step, mean ± sd over seeds
#  method                                   total         head       medium         tail   seeds
1  Linear probe, loss bce             53.1 ± 0.21  70.2 ± 0.07  52.1 ± 0.14  37.2 ± 0.42  2 of 3
2  Zero-shot CLIP                            46.2         50.0         45.0         43.8       1
3  Label prior                               10.0         12.0          9.0            –       1
-  LMPT                                         –            –            –            –  0 of 1
-  Linear probe, first 400 [partial]         53.0         70.1         52.0         36.9       1
chance: 10.0
✕ Linear probe, loss bce, seed 2: timeout: 600 s wall time, epoch 3 of 5
    tailmark run quickstart --only method=linear_probe --rerun timeout
✕ LMPT, seed 0: oom: worker grew above 2 GiB
    tailmark run quickstart --only method=lmpt --rerun oom
)");
}

TEST(ConsoleTable, FitsTheTerminal) {
  for (const int width : {60, 80, 100, 200}) {
    const auto text = ConsoleTable(LargeModel(8, 24), {.width = width});
    EXPECT_LE(LongestTableLine(text), static_cast<std::size_t>(width)) << text;
  }
}

TEST(ConsoleTable, IsColouredOnlyWhenAskedTo) {
  EXPECT_EQ(ConsoleTable(SmallModel(), {}).find('\x1b'), std::string::npos);
  EXPECT_NE(ConsoleTable(SmallModel(), {.colour = true}).find("\x1b[1m"),
            std::string::npos);
}

TEST(ConsoleTable, LetsNoEscapeSequenceOfANameThrough) {
  EXPECT_EQ(ConsoleTable(HostileModel(), {}).find('\x1b'), std::string::npos);
}

TEST(ConsoleTable, NamesARepeatedReasonOnce) {
  ReportModel model = EmptyModel();
  model.datasets[0].rows = {model.datasets[0].rows[1]};
  const auto text = ConsoleTable(model, {});
  EXPECT_NE(text.find("seeds 0, 1, 2: planned"), std::string::npos) << text;
}

TEST(ConsoleTable, OfACampaignWithoutResultsSaysWhatToDo) {
  const auto text = ConsoleTable(EmptyModel(), {});
  EXPECT_NE(text.find("planned: not started"), std::string::npos);
  EXPECT_NE(text.find("tailmark resume quickstart"), std::string::npos);
}

}  // namespace
}  // namespace tailmark
