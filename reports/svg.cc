#include "reports/svg.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "harness/base/error.h"
#include "reports/text.h"

namespace tailmark {
namespace {

std::string ClassAttribute(std::string_view classes) {
  return classes.empty() ? "" : StrCat(" class=\"", EscapeHtml(classes), "\"");
}

/// Of 10 values keeps every second, third, ... so that at most `most` are left.
std::vector<double> Thinned(const std::vector<double>& all, int most) {
  const std::size_t step = (all.size() + static_cast<std::size_t>(most) - 1) /
                           static_cast<std::size_t>(most);
  std::vector<double> some;
  for (std::size_t i = 0; i < all.size(); i += std::max<std::size_t>(step, 1)) {
    some.push_back(all[i]);
  }
  return some;
}

}  // namespace

std::string Coord(double value) {
  if (!std::isfinite(value)) return "0";
  std::string text = PlainFixed(value, 1);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

Scale::Scale(double from, double to, double pixel_from, double pixel_to,
             bool log)
    : from_(from),
      to_(to),
      pixel_from_(pixel_from),
      pixel_to_(pixel_to),
      log_(log) {
  TM_CHECK(!log || (from > 0 && to > 0), "log axis from ", from, " to ", to);
}

double Scale::Warp(double value) const {
  return log_ ? std::log(std::max(value, 1e-300)) : value;
}

double Scale::operator()(double value) const {
  const double span = Warp(to_) - Warp(from_);
  const double share = span == 0 ? 0.5 : (Warp(value) - Warp(from_)) / span;
  return pixel_from_ + share * (pixel_to_ - pixel_from_);
}

std::vector<double> Ticks(double lo, double hi, int most) {
  if (!(hi > lo) || !std::isfinite(lo) || !std::isfinite(hi)) return {};
  double power = std::pow(10.0, std::floor(std::log10((hi - lo) / most)));
  for (;; power *= 10) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double step = power * factor;
      const double first = std::ceil(lo / step - 1e-9);
      const double last = std::floor(hi / step + 1e-9);
      if (last - first + 1 > most) continue;
      std::vector<double> ticks;
      for (double i = first; i <= last; ++i) ticks.push_back(i * step);
      return ticks;
    }
  }
}

std::string TickLabel(double tick) {
  if (tick == 0) return "0";  // also minus zero
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                 tick, std::chars_format::general, 6);
  std::string text(buffer.data(), end.ptr);
  if (text.starts_with('-')) text.replace(0, 1, "\u2212");
  return text;
}

std::vector<double> LogTicks(double lo, double hi, int most) {
  std::vector<double> decades;
  std::vector<double> all;
  if (!(hi >= lo) || lo <= 0 || !std::isfinite(hi)) return {};
  for (double power = std::pow(10.0, std::floor(std::log10(lo))); power <= hi;
       power *= 10) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double tick = power * factor;
      if (tick < lo * (1 - 1e-9) || tick > hi * (1 + 1e-9)) continue;
      all.push_back(tick);
      if (factor == 1.0) decades.push_back(tick);
    }
  }
  if (static_cast<int>(all.size()) <= most) return all;
  return decades.size() >= 2 ? Thinned(decades, most) : Thinned(all, most);
}

void Extent::Add(double value) {
  if (!std::isfinite(value)) return;
  lo = empty ? value : std::min(lo, value);
  hi = empty ? value : std::max(hi, value);
  empty = false;
}

Extent Extent::Padded(double share, double least) const {
  const double pad = std::max((hi - lo) * share, least);
  return {lo - pad, hi + pad, empty};
}

bool IsStroked(Shape shape) {
  return shape == Shape::kCross || shape == Shape::kPlus;
}

std::string MarkPath(Shape shape, double x, double y, double r) {
  const auto n = [](double value) { return Coord(value); };
  const double q = 1.1 * r;
  switch (shape) {
    case Shape::kCircle:
      return StrCat("M", n(x - r), " ", n(y), "a", n(r), " ", n(r), " 0 1 0 ",
                    n(2 * r), " 0a", n(r), " ", n(r), " 0 1 0 ", n(-2 * r),
                    " 0z");
    case Shape::kSquare:
      return StrCat("M", n(x - .9 * r), " ", n(y - .9 * r), "h", n(1.8 * r),
                    "v", n(1.8 * r), "h", n(-1.8 * r), "z");
    case Shape::kDiamond:
      return StrCat("M", n(x), " ", n(y - 1.3 * r), "l", n(1.3 * r), " ",
                    n(1.3 * r), "l", n(-1.3 * r), " ", n(1.3 * r), "l",
                    n(-1.3 * r), " ", n(-1.3 * r), "z");
    case Shape::kUp:
      return StrCat("M", n(x), " ", n(y - 1.15 * r), "l", n(q), " ", n(2 * r),
                    "h", n(-2 * q), "z");
    case Shape::kDown:
      return StrCat("M", n(x), " ", n(y + 1.15 * r), "l", n(q), " ", n(-2 * r),
                    "h", n(-2 * q), "z");
    case Shape::kHexagon:
      return StrCat("M", n(x - q), " ", n(y), "l", n(.5 * q), " ", n(-r), "h",
                    n(q), "l", n(.5 * q), " ", n(r), "l", n(-.5 * q), " ", n(r),
                    "h", n(-q), "z");
    case Shape::kCross:
      return StrCat("M", n(x - .8 * r), " ", n(y - .8 * r), "l", n(1.6 * r),
                    " ", n(1.6 * r), "m0 ", n(-1.6 * r), "l", n(-1.6 * r), " ",
                    n(1.6 * r));
    case Shape::kPlus:
      return StrCat("M", n(x - r), " ", n(y), "h", n(2 * r), "m", n(-r), " ",
                    n(-r), "v", n(2 * r));
  }
  return "";
}

void Svg::Path(std::string_view classes, std::string_view d) {
  body_ += StrCat("<path", ClassAttribute(classes), " d=\"", d, "\"/>");
}

void Svg::HorizontalLine(std::string_view classes, double x1, double x2,
                         double y) {
  Path(classes, StrCat("M", Coord(x1), " ", Coord(y), "H", Coord(x2)));
}

void Svg::VerticalLine(std::string_view classes, double x, double y1,
                       double y2) {
  Path(classes, StrCat("M", Coord(x), " ", Coord(y1), "V", Coord(y2)));
}

void Svg::Polyline(std::string_view classes,
                   const std::vector<std::pair<double, double>>& points) {
  std::string d;
  for (const auto& [x, y] : points) {
    d += StrCat(d.empty() ? "M" : "L", Coord(x), " ", Coord(y));
  }
  if (!d.empty()) Path(classes, d);
}

void Svg::Rect(std::string_view classes, double x, double y, double width,
               double height) {
  body_ +=
      StrCat("<rect", ClassAttribute(classes), " x=\"", Coord(x), "\" y=\"",
             Coord(y), "\" width=\"", Coord(std::max(width, 0.0)),
             "\" height=\"", Coord(std::max(height, 0.0)), "\"/>");
}

void Svg::Circle(std::string_view classes, double x, double y, double r) {
  body_ += StrCat("<circle", ClassAttribute(classes), " cx=\"", Coord(x),
                  "\" cy=\"", Coord(y), "\" r=\"", Coord(r), "\"/>");
}

void Svg::Text(double x, double y, std::string_view text,
               std::string_view classes, Anchor anchor) {
  body_ += StrCat("<text x=\"", Coord(x), "\" y=\"", Coord(y), "\"",
                  ClassAttribute(classes));
  if (anchor == Anchor::kMiddle) body_ += " text-anchor=\"middle\"";
  if (anchor == Anchor::kEnd) body_ += " text-anchor=\"end\"";
  body_ += StrCat(">", EscapeHtml(text), "</text>");
}

void Svg::TurnedText(double x, double y, double degrees, std::string_view text,
                     std::string_view classes) {
  body_ += StrCat("<text", ClassAttribute(classes),
                  " text-anchor=\"end\" transform=\"translate(", Coord(x), " ",
                  Coord(y), ") rotate(", Coord(degrees), ")\">",
                  EscapeHtml(text), "</text>");
}

void Svg::Mark(std::string_view classes, Shape shape, double x, double y,
               double r, std::string_view title) {
  const std::string d = MarkPath(shape, x, y, r);
  if (title.empty()) {
    Path(classes, d);
    return;
  }
  body_ += StrCat("<path", ClassAttribute(classes), " d=\"", d, "\"><title>",
                  EscapeHtml(title), "</title></path>");
}

void Svg::OpenGroup(std::string_view classes) {
  body_ += StrCat("<g", ClassAttribute(classes), ">");
}

void Svg::CloseGroup() { body_ += "</g>"; }

std::string Svg::Chart(int id, std::string_view title,
                       std::string_view description,
                       std::string_view classes) const {
  return StrCat("<svg class=\"chart", classes.empty() ? "" : " ",
                EscapeHtml(classes), "\" viewBox=\"0 0 ", Coord(width_), " ",
                Coord(height_), "\" style=\"max-width:", Coord(width_),
                "px\" role=\"img\" aria-labelledby=\"t", id, " d", id,
                "\"><title id=\"t", id, "\">", EscapeHtml(title),
                "</title><desc id=\"d", id, "\">", EscapeHtml(description),
                "</desc>", body_, "</svg>");
}

std::string Svg::Decoration(std::string_view classes) const {
  return StrCat("<svg", ClassAttribute(classes), " viewBox=\"0 0 ",
                Coord(width_), " ", Coord(height_), "\" width=\"",
                Coord(width_), "\" height=\"", Coord(height_),
                "\" aria-hidden=\"true\">", body_, "</svg>");
}

}  // namespace tailmark
