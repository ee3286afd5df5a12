#include "datasets/summary.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <utility>

#include "harness/base/error.h"

namespace tailmark {
namespace {

constexpr std::array<Group, 5> kGroups = {
    Group::kHead, Group::kMedium, Group::kTail, Group::kBase, Group::kNovel};

SplitSummary CountLabels(const LabelMatrix& labels) {
  SplitSummary summary{.images = labels.rows};
  summary.positives.resize(static_cast<std::size_t>(labels.classes));
  for (std::int64_t row = 0; row < labels.rows; ++row) {
    const std::int64_t before = summary.labels;
    for (std::int64_t c = 0; c < labels.classes; ++c) {
      if (!labels.Positive(row, c)) continue;
      ++summary.labels;
      ++summary.positives[static_cast<std::size_t>(c)];
    }
    if (summary.labels == before) ++summary.without_label;
  }
  return summary;
}

std::vector<std::int64_t> CountPairs(const LabelMatrix& labels) {
  const auto classes = static_cast<std::size_t>(labels.classes);
  std::vector<std::int64_t> together(classes * classes);
  std::vector<std::size_t> shown;
  for (std::int64_t row = 0; row < labels.rows; ++row) {
    shown.clear();
    for (std::size_t c = 0; c < classes; ++c) {
      if (labels.Positive(row, static_cast<std::int64_t>(c))) {
        shown.push_back(c);
      }
    }
    for (const std::size_t a : shown) {
      for (const std::size_t b : shown) ++together[a * classes + b];
    }
  }
  return together;
}

std::string Padded(const std::string& text, std::size_t width,
                   bool right = false) {
  const std::string blanks(width - std::min(width, text.size()), ' ');
  return right ? blanks + text : text + blanks;
}

std::string SplitLine(const std::string& name, const SplitSummary& split) {
  std::array<char, 32> mean{};
  std::snprintf(mean.data(), mean.size(), "%.2f", split.labels_per_image());
  std::string line = StrCat(Padded(name, 6), split.images, " images, ",
                            mean.data(), " labels each");
  if (split.without_label > 0) {
    line += StrCat(", ", split.without_label, " without a label");
  }
  return line + "\n";
}

// "car 120, umbrella 31": the three most frequent companions.
std::string Companions(const DatasetSummary& summary, std::size_t klass) {
  constexpr std::size_t kMost = 3;
  std::vector<std::size_t> order(summary.classes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(
      order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return summary.Together(klass, a) > summary.Together(klass, b);
      });
  std::string text;
  std::size_t named = 0;
  for (const std::size_t other : order) {
    const std::int64_t n = summary.Together(klass, other);
    if (n == 0 || named == kMost) break;
    if (other == klass) continue;
    text += StrCat(named == 0 ? "" : ", ", summary.classes[other].name, " ", n);
    ++named;
  }
  return text;
}

Json ToJson(const SplitSummary& split) {
  return {{"images", split.images},
          {"labels", split.labels},
          {"without_label", split.without_label}};
}

}  // namespace

std::int64_t DatasetSummary::ClassesIn(Group group) const {
  return std::count_if(
      classes.begin(), classes.end(),
      [&](const ClassInfo& each) { return each.group == group; });
}

DatasetSummary Summarise(const Dataset& dataset,
                         const LabelMatrix* test_labels) {
  DatasetSummary summary;
  summary.classes = dataset.classes();
  summary.train = CountLabels(dataset.train_labels());
  summary.together = CountPairs(dataset.train_labels());
  summary.test_images = dataset.test().size();
  if (test_labels != nullptr) summary.test = CountLabels(*test_labels);
  return summary;
}

std::string ToText(const DatasetSummary& summary) {
  std::string text = SplitLine("train", summary.train);
  text += summary.test
              ? SplitLine("test", *summary.test)
              : StrCat(Padded("test", 6), summary.test_images, " images\n");
  text += Padded("groups", 7);
  std::string separator;
  for (const Group group : kGroups) {
    const std::int64_t n = summary.ClassesIn(group);
    if (n == 0) continue;
    text += StrCat(separator, n, " ", NameOf(group));
    separator = ", ";
  }
  std::size_t widest = 5;
  for (const ClassInfo& each : summary.classes) {
    widest = std::max(widest, each.name.size());
  }
  text += StrCat("\n\n", Padded("class", widest), "  group   train",
                 summary.test ? "   test" : "", "  most often with\n");
  for (std::size_t c = 0; c < summary.classes.size(); ++c) {
    const ClassInfo& each = summary.classes[c];
    text += StrCat(Padded(each.name, widest), "  ",
                   Padded(std::string(NameOf(each.group)), 6),
                   Padded(std::to_string(each.train_positives), 7, true));
    if (summary.test) {
      text += Padded(std::to_string(summary.test->positives[c]), 7, true);
    }
    const std::string companions = Companions(summary, c);
    text += companions.empty() ? "\n" : "  " + companions + "\n";
  }
  return text;
}

Json ToJson(const DatasetSummary& summary) {
  Json json;
  for (std::size_t c = 0; c < summary.classes.size(); ++c) {
    const ClassInfo& each = summary.classes[c];
    Json row = {{"name", each.name},
                {"group", NameOf(each.group)},
                {"train", each.train_positives}};
    if (summary.test) row["test"] = summary.test->positives[c];
    json["classes"].push_back(std::move(row));
    Json together = Json::array();
    for (std::size_t other = 0; other < summary.classes.size(); ++other) {
      together.push_back(summary.Together(c, other));
    }
    json["together"].push_back(std::move(together));
  }
  for (const Group group : kGroups) {
    const std::int64_t n = summary.ClassesIn(group);
    if (n > 0) json["groups"][std::string(NameOf(group))] = n;
  }
  json["splits"]["train"] = ToJson(summary.train);
  json["splits"]["test"] = summary.test ? ToJson(*summary.test)
                                        : Json{{"images", summary.test_images}};
  return json;
}

}  // namespace tailmark
