#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tailmark {

/// A small library for inline SVG charts. Coordinates are pixels with at most
/// one decimal; all text is escaped; colours and strokes come from classes of
/// the page's style sheet.

/// "12.3", "12"; not finite becomes 0.
std::string Coord(double value);

/// Maps data to pixels along one axis, linearly or by logarithm.
class Scale {
 public:
  /// REQUIRES for `log`: both ends above zero. Equal ends map to the middle.
  Scale(double from, double to, double pixel_from, double pixel_to,
        bool log = false);
  double operator()(double value) const;
  double from() const { return from_; }
  double to() const { return to_; }

 private:
  double Warp(double value) const;

  double from_;
  double to_;
  double pixel_from_;
  double pixel_to_;
  bool log_;
};

/// Round values (1, 2, 5 times a power of ten) inside [lo, hi], at most `most`.
std::vector<double> Ticks(double lo, double hi, int most);
/// "20", "0.05", "1e-05": six digits at most.
std::string TickLabel(double tick);
/// 1, 2, 5, 10, 20, ... inside [lo, hi], thinned to at most `most`.
std::vector<double> LogTicks(double lo, double hi, int most);

/// Smallest and largest of what was shown to it.
struct Extent {
  double lo = 0;
  double hi = 0;
  bool empty = true;

  void Add(double value);
  /// Widened by `share` of itself on both sides, at least by `least`.
  Extent Padded(double share, double least) const;
};

enum class Anchor { kStart, kMiddle, kEnd };

/// The marks of methods; the two last are drawn with strokes.
enum class Shape {
  kCircle,
  kSquare,
  kDiamond,
  kUp,
  kDown,
  kHexagon,
  kCross,
  kPlus
};
bool IsStroked(Shape shape);
/// Path data of one mark with radius `r` around (x, y).
std::string MarkPath(Shape shape, double x, double y, double r);

/// Collects elements; `Chart` and `Decoration` close it.
class Svg {
 public:
  Svg(double width, double height) : width_(width), height_(height) {}

  double width() const { return width_; }
  double height() const { return height_; }

  void Path(std::string_view classes, std::string_view d);
  void HorizontalLine(std::string_view classes, double x1, double x2, double y);
  void VerticalLine(std::string_view classes, double x, double y1, double y2);
  /// Straight lines through the points (x, y).
  void Polyline(std::string_view classes,
                const std::vector<std::pair<double, double>>& points);
  void Rect(std::string_view classes, double x, double y, double width,
            double height);
  void Circle(std::string_view classes, double x, double y, double r);
  void Text(double x, double y, std::string_view text,
            std::string_view classes = {}, Anchor anchor = Anchor::kStart);
  /// Turned around its end by `degrees`.
  void TurnedText(double x, double y, double degrees, std::string_view text,
                  std::string_view classes);
  /// A mark with its figures as a tooltip; none when `title` is empty.
  void Mark(std::string_view classes, Shape shape, double x, double y, double r,
            std::string_view title = {});
  void OpenGroup(std::string_view classes);
  void CloseGroup();
  /// Ready markup; the caller has escaped it.
  void Raw(std::string_view markup) { body_ += markup; }

  const std::string& body() const { return body_; }  ///< For <defs>.
  /// As an image with `title` and, in words, its numbers. `id` is unique on the
  /// page.
  std::string Chart(int id, std::string_view title,
                    std::string_view description,
                    std::string_view classes = {}) const;
  /// Hidden from screen readers: the text beside it says the same.
  std::string Decoration(std::string_view classes) const;

 private:
  double width_;
  double height_;
  std::string body_;
};

}  // namespace tailmark
