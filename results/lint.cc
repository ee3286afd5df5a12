#include "results/lint.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "harness/base/error.h"

namespace tailmark {
namespace {

// Sums of doubles are not exact to the last bit.
constexpr double kSlack = 1e-9;

double HalfUnit(const PrintedValue& value) {
  return 0.5 * std::pow(10.0, -value.decimals);
}

std::string Digits(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}
std::string AsPrinted(const PrintedValue& value) {
  return Digits(value.value, value.decimals);
}

LintFinding Found(const PublishedTable& table, const PublishedRow& row,
                  std::string cell, std::string rule,
                  std::optional<double> printed, std::optional<double> expected,
                  std::string explanation) {
  return {.source = table.source,
          .table = table.id,
          .row = row.row,
          .dataset = row.dataset,
          .cell = std::move(cell),
          .rule = std::move(rule),
          .printed = printed,
          .expected = expected,
          .explanation = std::move(explanation)};
}

/// Two groups whose exchange makes the total right; empty when none does.
std::vector<LintFinding> FindSwap(const PublishedTable& table,
                                  const PublishedRow& row, double total) {
  constexpr std::array kGroups = {"head", "medium", "tail"};
  for (std::size_t i = kGroups.size(); i-- > 0;) {
    for (std::size_t j = i; j-- > 0;) {
      PublishedRow swapped = row;
      const auto place = [&](const char* name) {
        return std::find_if(
            swapped.values.begin(), swapped.values.end(),
            [&](const PrintedValue& v) { return v.column == name; });
      };
      const auto a = place(kGroups[j]);
      const auto b = place(kGroups[i]);
      if (a == swapped.values.end() || b == swapped.values.end()) continue;
      std::swap(a->column, b->column);
      const auto mean = GroupMeanOf(table, swapped);
      if (!mean || !mean->Holds(total)) continue;
      return {Found(table, row, StrCat(kGroups[j], ", ", kGroups[i]), "swap",
                    total, mean->mean,
                    StrCat("with ", kGroups[j], " and ", kGroups[i],
                           " exchanged ", mean->text, " = ",
                           Digits(mean->mean, 2), ", which is the total"))};
    }
  }
  return {};
}

void CheckGroups(const PublishedTable& table, const PublishedRow& row,
                 std::vector<LintFinding>& out) {
  const PrintedValue* total = row.Find("total");
  const auto mean = GroupMeanOf(table, row);
  if (total == nullptr || !mean || mean->Holds(total->value)) return;
  out.push_back(Found(
      table, row, "total", "group-mean", total->value, mean->mean,
      StrCat(mean->text, " = ", Digits(mean->mean, total->decimals + 1),
             ", printed ", AsPrinted(*total), ": off by ",
             Digits(std::abs(mean->mean - total->value), total->decimals + 1),
             ", rounding explains ", Digits(mean->slack, total->decimals))));
  for (LintFinding& swap : FindSwap(table, row, total->value)) {
    out.push_back(std::move(swap));
  }
}

double Harmonic(double p, double r) {
  return p + r > 0 ? 2 * p * r / (p + r) : 0;
}

void CheckF1(const PublishedTable& table, const PublishedRow& row,
             std::vector<LintFinding>& out) {
  struct Family {
    const char* p;
    const char* r;
    const char* f1;
  };
  for (const Family& each :
       {Family{"CP", "CR", "CF1"}, Family{"OP", "OR", "OF1"},
        Family{"P", "R", "F1"}}) {
    const PrintedValue* p = row.Find(each.p);
    const PrintedValue* r = row.Find(each.r);
    const PrintedValue* f1 = row.Find(each.f1);
    if (p == nullptr || r == nullptr || f1 == nullptr) continue;
    const double low =
        Harmonic(p->value - HalfUnit(*p), r->value - HalfUnit(*r));
    const double high =
        Harmonic(p->value + HalfUnit(*p), r->value + HalfUnit(*r));
    if (f1->value + HalfUnit(*f1) + kSlack >= low &&
        f1->value - HalfUnit(*f1) - kSlack <= high) {
      continue;
    }
    const double want = Harmonic(p->value, r->value);
    std::string why = StrCat("2 x ", AsPrinted(*p), " x ", AsPrinted(*r),
                             " / (", AsPrinted(*p), " + ", AsPrinted(*r),
                             ") = ", Digits(want, f1->decimals + 1),
                             ", printed ", AsPrinted(*f1));
    if (std::string_view(each.f1) == "CF1") {
      why += "; a mean of the classes' own F1 would be another figure";
    }
    out.push_back(
        Found(table, row, each.f1, "f1", f1->value, want, std::move(why)));
  }
}

void CheckRange(const PublishedTable& table, const PublishedRow& row,
                std::vector<LintFinding>& out) {
  for (const PrintedValue& value : row.values) {
    if (value.value >= 0 && value.value <= 100) continue;
    out.push_back(
        Found(table, row, value.column, "range", value.value, std::nullopt,
              StrCat(AsPrinted(value), " is no percentage: outside 0 to 100")));
  }
}

void CheckDecimals(const PublishedTable& table, const PublishedRow& row,
                   std::vector<LintFinding>& out) {
  for (const PrintedValue& value : row.values) {
    const bool more = value.decimals > table.decimals;
    if (!more && !(value.text && value.decimals < table.decimals)) continue;
    out.push_back(
        Found(table, row, value.column, "decimals", value.value, std::nullopt,
              StrCat("printed as ", AsPrinted(value), " with ", value.decimals,
                     value.decimals == 1 ? " decimal" : " decimals",
                     ", the table has ", table.decimals)));
  }
}

/// Columns in which two rows print the same.
std::vector<std::string> Shared(const PublishedRow& a, const PublishedRow& b) {
  std::vector<std::string> columns;
  for (const PrintedValue& value : a.values) {
    const PrintedValue* other = b.Find(value.column);
    if (other != nullptr && other->value == value.value) {
      columns.push_back(value.column);
    }
  }
  return columns;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    out += (out.empty() ? "" : ", ") + word;
  }
  return out;
}

// Two equal figures of two decimals, or three of one, are beyond chance.
std::size_t TooMany(const PublishedTable& table) {
  return table.decimals >= 2 ? 2 : 3;
}

/// Equal in some columns and different in others: not one run under two names.
void CheckRepeated(const Published& published, const PublishedTable& table,
                   const PublishedRow& row, std::vector<LintFinding>& out) {
  for (const PublishedTable& before : published.tables) {
    for (const PublishedRow& other : before.rows) {
      if (&other == &row) return;  // each pair once
      if (other.dataset != row.dataset) continue;
      const auto columns = Shared(other, row);
      if (columns.size() < TooMany(table)) continue;
      const std::size_t both = static_cast<std::size_t>(std::count_if(
          row.values.begin(), row.values.end(), [&](const PrintedValue& v) {
            return other.Find(v.column) != nullptr;
          }));
      const bool whole = columns.size() == both;
      // The same row, or one run named twice in two tables.
      if (whole && (other.row == row.row || &before != &table)) continue;
      const PrintedValue* first = row.Find(columns.front());
      out.push_back(Found(
          table, row, Joined(columns), "repeated", first->value, std::nullopt,
          StrCat(whole ? "the same values as '" : "these equal those of '",
                 other.row, "' in ", before.id,
                 whole ? "'" : ", the other columns do not")));
    }
  }
}

void CheckLog(const Published& published, const PublishedTable& log,
              std::vector<LintFinding>& out) {
  for (const PublishedTable& table : published.tables) {
    if (log.logs_of.empty() || table.id != log.logs_of) continue;
    for (const PublishedRow& logged : log.rows) {
      for (const PublishedRow& row : table.rows) {
        if (row.row != logged.row || row.dataset != logged.dataset) continue;
        for (const PrintedValue& value : row.values) {
          const PrintedValue* in_log = logged.Find(value.column);
          if (in_log == nullptr) continue;
          const double off = std::abs(in_log->value - value.value);
          if (off <= HalfUnit(value) + HalfUnit(*in_log) + kSlack) continue;
          out.push_back(
              Found(table, row, value.column, "log", value.value, in_log->value,
                    StrCat("printed ", AsPrinted(value),
                           ", the authors' log has ", AsPrinted(*in_log))));
        }
      }
    }
  }
}

}  // namespace

bool GroupArithmetic::Holds(double total) const {
  return std::abs(mean - total) <= slack + kSlack;
}

std::optional<GroupArithmetic> GroupMeanOf(const PublishedTable& table,
                                           const PublishedRow& row) {
  const auto groups = table.groups.find(row.dataset);
  const PrintedValue* total = row.Find("total");
  if (groups == table.groups.end() || total == nullptr) return std::nullopt;
  GroupArithmetic out;
  int classes = 0;
  double slack = 0;
  for (const auto& [name, size] : groups->second) {
    const PrintedValue* value = row.Find(name);
    if (value == nullptr) return std::nullopt;
    out.mean += size * value->value;
    slack += size * HalfUnit(*value);
    classes += size;
    out.text +=
        StrCat(out.text.empty() ? "(" : " + ", size, " x ", AsPrinted(*value));
  }
  if (classes == 0) return std::nullopt;
  out.mean /= classes;
  out.slack = slack / classes + HalfUnit(*total);
  out.text += StrCat(") / ", classes);
  return out;
}

std::vector<LintFinding> Lint(const Published& published) {
  std::vector<LintFinding> out;
  for (const PublishedTable& table : published.tables) {
    for (const PublishedRow& row : table.rows) {
      CheckRange(table, row, out);
      CheckDecimals(table, row, out);
      CheckGroups(table, row, out);
      CheckF1(table, row, out);
      CheckRepeated(published, table, row, out);
    }
    CheckLog(published, table, out);
  }
  return out;
}

}  // namespace tailmark
