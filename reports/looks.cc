#include "reports/looks.h"

#include <algorithm>
#include <array>
#include <set>

#include "harness/base/error.h"
#include "reports/summary.h"

namespace tailmark {
namespace {

struct Style {
  std::string_view colour;
  Shape shape;
};

struct Known {
  std::string_view family;
  Style style;
};

/// Methods that readers of several reports should know again at a glance.
constexpr std::array kKnown = {
    Known{"zero_shot_clip", {"zs", Shape::kCross}},
    Known{"linear_probe", {"lp", Shape::kUp}},
    Known{"label_prior", {"pr", Shape::kPlus}},
    Known{"finetune_clip", {"ft", Shape::kDiamond}},
    Known{"psd", {"psd", Shape::kSquare}},
    Known{"hp_dval", {"hp", Shape::kCircle}},
    Known{"lmpt", {"lmpt", Shape::kDown}},
};

constexpr std::array kFree = {
    Style{"x1", Shape::kHexagon}, Style{"x2", Shape::kCircle},
    Style{"x3", Shape::kSquare}, Style{"x4", Shape::kDiamond}};

/// For the third and later variant of a family, which filled and hollow can't
/// tell apart.
constexpr std::array kFilled = {Shape::kCircle,  Shape::kSquare,
                                Shape::kDiamond, Shape::kUp,
                                Shape::kDown,    Shape::kHexagon};

std::string FamilyOf(const ReportRow& row) {
  return row.family.empty() ? row.method : row.family;
}

const Known* FindKnown(std::string_view family) {
  const auto it =
      std::find_if(kKnown.begin(), kKnown.end(),
                   [&](const Known& known) { return known.family == family; });
  return it == kKnown.end() ? nullptr : &*it;
}

Shape ShapeOfVariant(Shape first, int variant) {
  if (variant < 2) return first;
  const auto at = std::find(kFilled.begin(), kFilled.end(), first);
  const auto start = at == kFilled.end() ? 0 : at - kFilled.begin();
  return kFilled[static_cast<std::size_t>(start + variant / 2) %
                 kFilled.size()];
}

/// Rows of all data sets by first appearance of their label: the ranked ones,
/// which charts show, before all others.
std::vector<const ReportRow*> DistinctRows(const ReportModel& model,
                                           bool ranked) {
  std::vector<const ReportRow*> rows;
  std::set<std::string> seen;
  for (const ReportDataset& dataset : model.datasets) {
    const auto order = ranked ? RankedRows(dataset, DefaultDefinition(dataset))
                              : UnrankedRows(dataset);
    for (const std::size_t i : order) {
      if (seen.insert(dataset.rows[i].label).second) {
        rows.push_back(&dataset.rows[i]);
      }
    }
  }
  return rows;
}

}  // namespace

std::string Look::Class() const { return StrCat("m-", number); }

std::string Look::MarkClasses() const {
  return StrCat("mk ", Class(), IsStroked(shape) ? " st" : hollow ? " ho" : "");
}

Looks::Looks(const ReportModel& model) {
  std::vector<const ReportRow*> rows;
  std::map<std::string, std::vector<std::string>> variants;
  std::set<std::string> unknown;
  // Ranked rows choose first: others stand in no chart.
  for (const bool ranked : {true, false}) {
    std::map<std::string, std::set<std::string>> fresh;
    for (const ReportRow* row : DistinctRows(model, ranked)) {
      if (by_label_.emplace(row->label, rows.size()).second) {
        rows.push_back(row);
        fresh[FamilyOf(*row)].insert(row->label);
      }
    }
    for (const auto& [family, labels] : fresh) {
      auto& all = variants[family];
      all.insert(all.end(), labels.begin(), labels.end());
      if (FindKnown(family) == nullptr) unknown.insert(family);
    }
  }
  for (const ReportRow* row : rows) {
    const std::string family = FamilyOf(*row);
    const Known* known = FindKnown(family);
    const auto free = static_cast<std::size_t>(
        std::distance(unknown.begin(), unknown.find(family)));
    const Style style = known ? known->style : kFree[free % kFree.size()];
    const auto& labels = variants[family];
    const auto variant = static_cast<int>(
        std::find(labels.begin(), labels.end(), row->label) - labels.begin());
    Shape shape = ShapeOfVariant(style.shape, variant);
    bool hollow = variant % 2 == 1;
    // A cross can't be hollow: its second variant is a hollow circle.
    if (IsStroked(shape) && hollow) shape = Shape::kCircle;
    looks_.push_back({.number = static_cast<int>(looks_.size()),
                      .colour = std::string(style.colour),
                      .shape = shape,
                      .hollow = hollow,
                      .label = row->label,
                      .short_label = ShortLabel(*row)});
  }
}

const Look& Looks::Of(const ReportRow& row) const {
  const auto it = by_label_.find(row.label);
  TM_CHECK(it != by_label_.end(), "row of another model: ", row.label);
  return looks_[it->second];
}

}  // namespace tailmark
