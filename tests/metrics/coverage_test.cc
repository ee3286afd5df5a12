// What intervals and tests promise, by repeating whole experiments. Seeds are
// fixed: these tests give the same answer each time.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <vector>

#include "harness/base/seeds.h"
#include "harness/metrics/comparison.h"
#include "harness/metrics/gate.h"
#include "harness/metrics/significance.h"

namespace tailmark::testing {
namespace {

constexpr std::size_t kImages = 800;
constexpr std::size_t kClasses = 4;

// A normal draw; Box and Muller.
double Gauss(ChanceStream& chance) {
  const double u = (chance.Bits() + 1.0) * 0x1p-32;
  return std::sqrt(-2 * std::log(u)) *
         std::cos(6.283185307179586 * chance.Unit());
}

// A world of images: scores of present classes are higher by `lift`.
struct World {
  double lift = 1.5;
  double own = 0.31;  ///< Noise that the methods do not share.
  double prevalence(std::size_t c) const {
    return 0.15 + 0.1 * static_cast<double>(c);
  }
};

struct Draw {
  std::vector<double> a, b;  // two methods' scores, [images, classes]
  std::vector<std::uint8_t> labels;
  std::size_t images = 0;

  static ScoreMatrix View(const std::vector<double>& scores, std::size_t n) {
    return {.values = std::span<const double>(scores),
            .rows = static_cast<std::int64_t>(n),
            .classes = static_cast<std::int64_t>(kClasses)};
  }
};

// Method b's scores agree with a's but for noise, and its lift is `worse` less.
Draw DrawWorld(const World& world, ChanceStream& chance, std::size_t images,
               double worse = 0) {
  Draw out{.images = images};
  for (std::size_t row = 0; row < images; ++row) {
    for (std::size_t c = 0; c < kClasses; ++c) {
      const bool present = chance.Unit() < world.prevalence(c);
      const double shared = Gauss(chance);
      const auto score = [&](double lift) {
        return (present ? lift : 0) +
               std::sqrt(1 - world.own * world.own) * shared +
               world.own * Gauss(chance);
      };
      out.a.push_back(score(world.lift));
      out.b.push_back(score(world.lift - worse));
      out.labels.push_back(present ? 1 : 0);
    }
  }
  return out;
}

double TotalOf(const std::vector<double>& scores, const Draw& draw) {
  const Definition definition;
  return *Evaluate(Draw::View(scores, draw.images), {.positive = draw.labels},
                   {}, std::span(&definition, 1))
              .results[0]
              .total()
              .percent;
}

Replicates Resample(const std::vector<double>& scores, const Draw& draw,
                    std::uint64_t seed, std::int64_t resamples = 400) {
  return BootstrapImages(Draw::View(scores, draw.images),
                         {.positive = draw.labels}, {}, Definition{},
                         {.resamples = resamples, .seed = seed});
}

// Both methods in that world, from more images than any interval can see.
class Truth {
 public:
  explicit Truth(const World& world) {
    ChanceStream chance(99, 1, 0);
    draw_ = DrawWorld(world, chance, 200'000);
    a_ = TotalOf(draw_.a, draw_);
  }
  double a() const { return a_; }
  // What b is when its lift is `worse` less; of the same images and noise.
  double b(double worse) const {
    std::vector<double> scores = draw_.b;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (draw_.labels[i] != 0) scores[i] -= worse;
    }
    return TotalOf(scores, draw_);
  }
  // How much lift makes a loss of `points`.
  double WorseBy(double points) const {
    double lo = 0;
    double hi = 1;
    for (int i = 0; i < 8; ++i) {
      const double worse = (lo + hi) / 2;
      (a_ - b(worse) < points ? lo : hi) = worse;
    }
    return (lo + hi) / 2;
  }

 private:
  Draw draw_;
  double a_ = 0;
};

bool Holds(const Interval& interval, double truth) {
  return interval.lo <= truth && truth <= interval.hi;
}

TEST(Coverage, NinetyFivePercentIntervalsHoldTheTruth) {
  const World world;
  const Truth truth(world);
  const double difference = truth.b(0.1) - truth.a();
  int basic = 0;
  int bca = 0;
  int paired = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    ChanceStream chance(1, 2, i);
    const Draw draw = DrawWorld(world, chance, kImages, 0.1);
    const auto a = Resample(draw.a, draw, i, 600);
    const auto& total = a.groups[0];
    const auto left = LeaveOneOut(Draw::View(draw.a, kImages),
                                  {.positive = draw.labels}, {}, Definition{});
    basic +=
        Holds(BasicInterval(total.values, *total.percent, 0.95), truth.a());
    bca += Holds(BcaInterval(total.values, *total.percent, left[0], 0.95),
                 truth.a());
    const auto compared = ComparePaired(a, Resample(draw.b, draw, i, 600));
    paired += Holds(compared.groups[0].interval, difference);
  }
  std::printf(
      "coverage of 95 %% intervals: basic %.1f, bca %.1f, paired %.1f %%\n",
      basic / 10.0, bca / 10.0, paired / 10.0);
  for (const int held : {basic, bca, paired}) {
    EXPECT_GE(held, 930);
    EXPECT_LE(held, 970);
  }
}

TEST(Coverage, ATestOfEqualMethodsRaisesNoMoreFalseAlarmsThanItSays) {
  const World world;
  int alarms = 0;
  for (int i = 0; i < 1000; ++i) {
    ChanceStream chance(3, 2, static_cast<std::uint64_t>(i));
    const Draw draw = DrawWorld(world, chance, kImages);
    const auto seed = static_cast<std::uint64_t>(i);
    const auto compared = ComparePaired(Resample(draw.a, draw, seed),
                                        Resample(draw.b, draw, seed));
    alarms += compared.groups[0].p < 0.05;
  }
  std::printf("false alarms at 5 %%: %.1f %%\n", alarms / 10.0);
  EXPECT_GE(alarms, 30);
  EXPECT_LE(alarms, 70);
}

TEST(Coverage, TheMinimumDetectableDifferenceIsFoundFourTimesInFive) {
  // A world whose true difference is the one that its own test promises.
  const World world;
  double mde = 0;
  for (std::uint64_t i = 0; i < 40; ++i) {
    ChanceStream chance(4, 1, i);
    const Draw draw = DrawWorld(world, chance, kImages);
    mde += ComparePaired(Resample(draw.a, draw, i), Resample(draw.b, draw, i))
               .groups[0]
               .mde /
           40;
  }
  const double worse = Truth(world).WorseBy(mde);
  int found = 0;
  for (int i = 0; i < 400; ++i) {
    ChanceStream again(4, 2, static_cast<std::uint64_t>(i));
    const Draw draw = DrawWorld(world, again, kImages, worse);
    const auto seed = static_cast<std::uint64_t>(i);
    const auto compared = ComparePaired(Resample(draw.a, draw, seed),
                                        Resample(draw.b, draw, seed));
    found += compared.groups[0].p < 0.05;
  }
  std::printf("power at the minimum detectable difference: %.1f %%\n",
              found / 4.0);
  EXPECT_GE(found, 296);  // 74 %
  EXPECT_LE(found, 344);  // 86 %
}

GateCell Judged(const World& world, std::uint64_t domain, std::uint64_t i,
                double worse, double& error) {
  ChanceStream chance(domain, 2, i);
  const Draw draw = DrawWorld(world, chance, kImages, worse);
  const auto compared =
      ComparePaired(Resample(draw.a, draw, i), Resample(draw.b, draw, i));
  error += compared.groups[0].standard_error;
  return JudgeImages(compared, {}).front();
}

TEST(Gate, PlantedRegressionsAreFoundWithThePowerThatIsPromised) {
  const World world{.own = 0.12};
  const Truth truth(world);
  for (const double loss : {0.5, 1.0, 2.0}) {
    constexpr int kTimes = 150;
    const double worse = truth.WorseBy(loss);
    const auto domain = static_cast<std::uint64_t>(100 * loss);
    int red = 0;
    double error = 0;
    for (std::uint64_t i = 0; i < kTimes; ++i) {
      red += Judged(world, domain, i, worse, error).outcome ==
             Outcome::kRegression;
    }
    error /= kTimes;
    // Red: below both what is significant and what the margin asks for.
    const double limit = std::max(1.96 * error, 0.3 - 1.96 * error);
    const double power =
        0.5 * std::erfc(-(loss - limit) / error / std::sqrt(2.0));
    const double slack = 3 * std::sqrt(power * (1 - power) / kTimes) + 0.03;
    std::printf(
        "a loss of %.1f points at an error of %.2f (smallest seen "
        "%.2f): promised %.0f %%, found %.0f %%\n",
        loss, error, MinimumDetectable(error, 0), 100 * power,
        100.0 * red / kTimes);
    EXPECT_GE(red, kTimes * (power - slack));
    if (loss >= MinimumDetectable(error, 0)) {
      EXPECT_GE(red, kTimes * 0.75);
    }
  }
}

TEST(Gate, TwoHundredChecksOfNothingRaiseNoMoreAlarmsThanNominal) {
  const World world{.own = 0.12};
  int red = 0;
  double error = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    red += Judged(world, 7, i, 0, error).outcome == Outcome::kRegression;
  }
  std::printf("false alarms of the gate: %d of 200\n", red);
  EXPECT_LE(red, 10);  // 5 %
}

TEST(Coverage, WelchAndPermutationOverSeedsKeepTheirLevel) {
  int welch = 0;
  int permutation = 0;
  constexpr int kTimes = 2000;
  for (int i = 0; i < kTimes; ++i) {
    ChanceStream chance(5, 2, static_cast<std::uint64_t>(i));
    std::vector<double> a(5);
    std::vector<double> b(5);
    for (double& each : a) each = Gauss(chance);
    for (double& each : b) each = Gauss(chance);
    welch += WelchTest(a, b).p < 0.05;
    permutation += PermutationP(a, b) < 0.05;
  }
  std::printf("false alarms at 5 %%: Welch %.2f, permutation %.2f %%\n",
              welch / 20.0, permutation / 20.0);
  EXPECT_LE(welch, 2000 * 0.06);
  EXPECT_GE(welch, 2000 * 0.03);
  EXPECT_LE(permutation, 2000 * 0.06);
  EXPECT_GE(permutation, 2000 * 0.03);
}

}  // namespace
}  // namespace tailmark::testing
