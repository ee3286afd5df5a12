#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "reports/html/assets.h"

namespace tailmark {
namespace {

using Colour = std::array<double, 3>;

/// "--bg:#fbfaf7;" -> bg, its three channels 0..1. Others are left out.
std::map<std::string, Colour> Tokens(std::string_view css) {
  std::map<std::string, Colour> tokens;
  std::istringstream in{std::string(css)};
  for (std::string each; std::getline(in, each, ';');) {
    const auto start = each.find("--");
    const auto hash = each.find(":#");
    if (start == each.npos || hash == each.npos) continue;
    std::string hex = each.substr(hash + 2);
    if (hex.size() == 3) hex = {hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]};
    Colour colour{};
    for (std::size_t i = 0; i < 3; ++i) {
      colour[i] = std::stoi(hex.substr(2 * i, 2), nullptr, 16) / 255.0;
    }
    tokens[each.substr(start + 2, hash - start - 2)] = colour;
  }
  return tokens;
}

/// Relative luminance and contrast as WCAG 2 defines them.
double Luminance(const Colour& colour) {
  constexpr Colour kWeights = {0.2126, 0.7152, 0.0722};
  double sum = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const double c = colour[i];
    sum += kWeights[i] *
           (c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4));
  }
  return sum;
}
double Contrast(const Colour& a, const Colour& b) {
  const double light = std::max(Luminance(a), Luminance(b));
  const double dark = std::min(Luminance(a), Luminance(b));
  return (light + 0.05) / (dark + 0.05);
}

class Palette : public ::testing::TestWithParam<std::string_view> {};

TEST_P(Palette, TextIsReadable) {
  auto tokens = Tokens(GetParam());
  const std::vector<std::pair<const char*, const char*>> pairs = {
      {"ink", "bg"},  {"mu", "bg"},    {"ink", "sf"},    {"mu", "sf"},
      {"link", "bg"}, {"ink", "bd"},   {"mu", "bd"},     {"warni", "warn"},
      {"bad", "bg"},  {"bad", "badb"}, {"info", "infob"}};
  for (const auto& [text, ground] : pairs) {
    ASSERT_TRUE(tokens.contains(text) && tokens.contains(ground)) << text;
    EXPECT_GE(Contrast(tokens[text], tokens[ground]), 4.5)
        << text << " on " << ground;
  }
}

TEST_P(Palette, MarksStandOut) {
  auto tokens = Tokens(GetParam());
  // Names at the ends of lines are written in these colours too.
  for (const char* mark :
       {"ft", "psd", "hp", "lp", "lmpt", "zs", "pr", "x1", "x2", "x3", "x4"}) {
    ASSERT_TRUE(tokens.contains(mark)) << mark;
    EXPECT_GE(Contrast(tokens[mark], tokens["bg"]), 4.5) << mark;
  }
}

INSTANTIATE_TEST_SUITE_P(
    , Palette, ::testing::Values(html::kLightTokens, html::kDarkTokens),
    [](const auto& each) { return each.index == 0 ? "Light" : "Dark"; });

}  // namespace
}  // namespace tailmark
