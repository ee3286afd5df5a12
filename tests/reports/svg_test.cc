#include "reports/svg.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>

namespace tailmark {
namespace {

TEST(Coordinates, HaveAtMostOneDecimal) {
  EXPECT_EQ(Coord(12.34), "12.3");
  EXPECT_EQ(Coord(12.0), "12");
  EXPECT_EQ(Coord(-0.04), "0");
  EXPECT_EQ(Coord(std::numeric_limits<double>::quiet_NaN()), "0");
}

TEST(Scales, MapEndsToEnds) {
  const Scale linear(0, 10, 100, 200);
  EXPECT_EQ(linear(0), 100);
  EXPECT_EQ(linear(10), 200);
  EXPECT_EQ(linear(5), 150);
  const Scale log(1000, 1, 0, 300, true);
  EXPECT_NEAR(log(1000), 0, 1e-9);
  EXPECT_NEAR(log(1), 300, 1e-9);
  EXPECT_NEAR(log(100), 100, 1e-9);
  EXPECT_EQ(Scale(3, 3, 0, 10)(3), 5);
}

TEST(TicksOfAnAxis, AreToldApartByTheirLabels) {
  EXPECT_EQ(TickLabel(600), "600");
  EXPECT_EQ(TickLabel(-0.0), "0");
  EXPECT_EQ(TickLabel(-2.5), "\u22122.5");
  for (const double largest : {1e-6, 0.004, 0.3, 7.0, 2e5}) {
    std::set<std::string> labels;
    const auto ticks = Ticks(0, largest, 4);
    for (const double tick : ticks) labels.insert(TickLabel(tick));
    EXPECT_EQ(labels.size(), ticks.size()) << largest;
    for (const std::string& label : labels) EXPECT_LE(label.size(), 7u);
  }
}

TEST(TicksOfAnAxis, AreRoundAndFew) {
  EXPECT_EQ(Ticks(31, 73, 5), (std::vector<double>{40, 50, 60, 70}));
  EXPECT_EQ(Ticks(0, 1, 3), (std::vector<double>{0, 0.5, 1}));
  EXPECT_LE(Ticks(-1e9, 1e9, 4).size(), 4u);
  EXPECT_TRUE(Ticks(5, 5, 4).empty());
  EXPECT_EQ(LogTicks(6, 1000, 10),
            (std::vector<double>{10, 20, 50, 100, 200, 500, 1000}));
  EXPECT_EQ(LogTicks(1e-3, 1e6, 6).size(), 5u);
  EXPECT_TRUE(LogTicks(0, 10, 5).empty());
}

TEST(Extents, IgnoreWhatIsNotFinite) {
  Extent extent;
  extent.Add(std::numeric_limits<double>::infinity());
  EXPECT_TRUE(extent.empty);
  extent.Add(3);
  extent.Add(5);
  EXPECT_EQ(extent.lo, 3);
  EXPECT_EQ(extent.hi, 5);
  EXPECT_EQ(extent.Padded(0.5, 0).lo, 2);
  EXPECT_EQ(extent.Padded(0, 1).hi, 6);
}

TEST(Drawing, EscapesAllText) {
  Svg svg(10, 10);
  svg.Text(1, 1, "<&>");
  svg.Mark("m", Shape::kUp, 5, 5, 2, "\"'");
  const std::string chart = svg.Chart(1, "<t>", "<d>");
  EXPECT_EQ(chart.find("<&>"), std::string::npos);
  EXPECT_NE(chart.find("&lt;&amp;&gt;"), std::string::npos);
  EXPECT_NE(chart.find("&lt;t&gt;"), std::string::npos);
  EXPECT_NE(chart.find("&quot;&#39;"), std::string::npos);
}

TEST(Drawing, EveryShapeHasAPath) {
  for (const Shape shape :
       {Shape::kCircle, Shape::kSquare, Shape::kDiamond, Shape::kUp,
        Shape::kDown, Shape::kHexagon, Shape::kCross, Shape::kPlus}) {
    const std::string path = MarkPath(shape, 10, 10, 4);
    EXPECT_TRUE(path.starts_with('M')) << path;
    EXPECT_EQ(IsStroked(shape), path.back() != 'z') << path;
  }
}

}  // namespace
}  // namespace tailmark
