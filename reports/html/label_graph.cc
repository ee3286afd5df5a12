#include <algorithm>
#include <numeric>

#include "harness/base/error.h"
#include "reports/html/page.h"
#include "reports/text.h"

namespace tailmark::html {
namespace {

constexpr int kSteps = 5;  // Of an edge's weight; the first is not drawn.
constexpr double kNames = 110;

/// Part after part, in each by training pictures.
std::vector<std::size_t> OrderOf(const ReportDataset& data) {
  std::vector<std::size_t> order(data.classes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) {
                     const auto& part = data.label_graph->part_of;
                     if (part[a] != part[b]) return part[a] < part[b];
                     return data.classes[a].train_positives >
                            data.classes[b].train_positives;
                   });
  return order;
}

/// The cells of one colour and step as one path: a chart of 80 classes stays
/// small.
struct Cells {
  std::string inside[kSteps + 1];
  std::string between[kSteps + 1];
};

Cells PathsOf(const ReportDataset& data, const std::vector<std::size_t>& order,
              double size) {
  const ReportLabelGraph& graph = *data.label_graph;
  Cells cells;
  for (std::size_t row = 0; row < order.size(); ++row) {
    for (std::size_t column = 0; column < order.size(); ++column) {
      if (row == column) continue;
      const std::size_t a = order[row];
      const std::size_t b = order[column];
      const double weight = graph.together[a * order.size() + b];
      const int step =
          std::clamp(static_cast<int>(weight * (kSteps + 1)), 0, kSteps);
      if (step == 0) continue;
      auto& paths =
          graph.part_of[a] == graph.part_of[b] ? cells.inside : cells.between;
      paths[step] += StrCat("M", Coord(kNames + size * double(column)), " ",
                            Coord(size * double(row)), "h", Coord(size), "v",
                            Coord(size), "h-", Coord(size), "z");
    }
  }
  return cells;
}

std::string ChartOf(const DataPage& page, double size) {
  const ReportDataset& data = page.data;
  const auto order = OrderOf(data);
  const double side = size * double(order.size());
  Svg svg(kNames + side + 1, side + 1);
  const Cells cells = PathsOf(data, order, size);
  for (int step = 1; step <= kSteps; ++step) {
    const auto draw = [&](const std::string& path, const char* kind) {
      if (!path.empty()) svg.Path(StrCat(kind, " o", step), path);
    };
    draw(cells.between[step], "e");
    draw(cells.inside[step], "i");
  }
  std::size_t from = 0;
  while (from < order.size()) {
    std::size_t to = from;
    while (to < order.size() && data.label_graph->part_of[order[to]] ==
                                    data.label_graph->part_of[order[from]]) {
      ++to;
    }
    svg.Rect("part", kNames + size * double(from), size * double(from),
             size * double(to - from), size * double(to - from));
    from = to;
  }
  for (std::size_t row = 0; row < order.size() && size >= 9; ++row) {
    svg.Text(kNames - 6, size * (double(row) + 0.5) + 4,
             data.classes[order[row]].name, "ax", Anchor::kEnd);
  }
  return svg.Chart(
      page.NextId(), "How often classes are seen together",
      "One row and one column a class, part after part; the stronger the "
      "colour, the more often both are in a training picture.",
      "lg");
}

std::string PartsTable(const DataPage& page) {
  const ReportDataset& data = page.data;
  std::string rows;
  for (std::size_t part = 0; part < data.label_graph->images.size(); ++part) {
    std::string names;
    for (const std::size_t c : OrderOf(data)) {
      if (data.label_graph->part_of[c] != static_cast<int>(part)) continue;
      names += (names.empty() ? "" : ", ") + data.classes[c].name;
    }
    rows += StrCat("<tr>", TextCell(StrCat(part + 1), true),
                   TextCell(Thousands(data.label_graph->images[part]), true),
                   TextCell(names), "</tr>");
  }
  return Table(
      page.NextId(), "The parts, larger ones first.",
      StrCat("<tr>", HeadCell("Part", true),
             HeadCell("Training pictures", true), HeadCell("Classes"), "</tr>"),
      StrCat("<tbody>", rows, "</tbody>"), "");
}

}  // namespace

std::optional<Section> LabelGraph(const DataPage& page) {
  const ReportDataset& data = page.data;
  if (!data.label_graph || data.classes.size() < 2) return {};
  const ReportLabelGraph& graph = *data.label_graph;
  std::string answer = StrCat(
      Count(static_cast<std::int64_t>(graph.images.size()), "part", "parts"),
      ".");
  if (graph.weight_within && graph.random_weight) {
    answer += StrCat(" Mean weight of an edge inside them ",
                     Fixed(*graph.weight_within, 3),
                     ", in random parts of the "
                     "same sizes ",
                     Fixed(*graph.random_weight, 3), ".");
  }
  if (graph.bootstrap_rand) {
    answer +=
        StrCat(" Agreement with parts of redrawn training pictures ",
               Fixed(*graph.bootstrap_rand, 2), " (1 is full, 0 is chance).");
  }
  const double size = data.classes.size() > 40 ? 5.0 : 13.0;
  return Section{
      .id = "label-graph",
      .name = "Label graph",
      .question = "Which classes are seen together?",
      .answer = answer,
      .body = StrCat("<figure>", ChartOf(page, size),
                     "<figcaption>Framed: a part. Five steps of weight, the "
                     "weakest sixth is left white.</figcaption></figure>",
                     PartsTable(page))};
}

}  // namespace tailmark::html
