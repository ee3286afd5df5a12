#include "reports/summary.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "harness/base/error.h"

namespace tailmark {
namespace {

constexpr std::string_view kTotal = "total";

Figure ValueOf(const ReportRun& run, std::string_view definition,
               std::string_view group) {
  const auto groups = run.values.find(std::string(definition));
  if (groups == run.values.end()) return {};
  const auto value = groups->second.find(std::string(group));
  return value == groups->second.end() ? Figure{} : value->second;
}

}  // namespace

std::vector<double> SeedValues(const ReportRow& row,
                               std::string_view definition,
                               std::string_view group) {
  std::vector<double> values;
  for (const ReportRun& run : row.runs) {
    if (!run.done()) continue;
    if (const Figure value = ValueOf(run, definition, group)) {
      values.push_back(*value);
    }
  }
  return values;
}

Figure Mean(const std::vector<double>& values) {
  if (values.empty()) return {};
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(values.size());
}

Figure SampleSd(const std::vector<double>& values) {
  if (values.size() < 2) return {};
  // Equal values have no spread, whatever their mean rounds to.
  const auto [lowest, highest] =
      std::minmax_element(values.begin(), values.end());
  if (*lowest == *highest) return 0.0;
  const double mean = *Mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

Figure MeanOf(const ReportRow& row, std::string_view definition,
              std::string_view group) {
  return Mean(SeedValues(row, definition, group));
}

Figure SpreadOf(const ReportRow& row, std::string_view definition,
                std::string_view group) {
  return SampleSd(SeedValues(row, definition, group));
}

std::vector<double> EpisodeMeans(const ReportRow& row,
                                 std::string_view definition,
                                 std::string_view group) {
  std::vector<double> sums;
  double runs = 0;
  for (const ReportRun& run : row.runs) {
    if (!run.done()) continue;
    const auto groups = run.episodes.find(std::string(definition));
    if (groups == run.episodes.end()) continue;
    const auto values = groups->second.find(std::string(group));
    if (values == groups->second.end()) continue;
    if (sums.empty()) sums.resize(values->second.size(), 0);
    if (sums.size() != values->second.size()) return {};
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += values->second[i];
    ++runs;
  }
  for (double& sum : sums) sum /= runs;
  return sums;
}

Figure ShownSpread(const ReportRow& row, std::string_view definition,
                   std::string_view group) {
  const auto episodes = EpisodeMeans(row, definition, group);
  return episodes.empty() ? SpreadOf(row, definition, group)
                          : SampleSd(episodes);
}

std::string SpreadUnit(const ReportDataset& dataset) {
  for (const ReportRow& row : dataset.rows) {
    for (const ReportRun& run : row.runs) {
      if (!run.episodes.empty()) return "episodes";
    }
  }
  return "seeds";
}

Figure ClassMean(const ReportRow& row, std::size_t index) {
  std::vector<double> values;
  for (const ReportRun& run : row.runs) {
    if (run.done() && index < run.class_ap.size() && run.class_ap[index]) {
      values.push_back(*run.class_ap[index]);
    }
  }
  return Mean(values);
}

std::vector<const ReportRun*> DoneRuns(const ReportRow& row) {
  std::vector<const ReportRun*> runs;
  for (const ReportRun& run : row.runs) {
    if (run.done()) runs.push_back(&run);
  }
  return runs;
}

std::vector<OpenRuns> OpenRunsOf(const ReportRow& row) {
  std::vector<OpenRuns> open;
  for (const ReportRun& run : row.runs) {
    if (run.done()) continue;
    const auto same =
        std::find_if(open.begin(), open.end(), [&](const auto& o) {
          return o.state == run.state && o.reason == run.reason &&
                 o.mend == run.mend;
        });
    if (same == open.end()) {
      open.push_back(
          {StrCat("seed ", run.seed), run.state, run.reason, run.mend});
    } else {
      if (same->seeds.starts_with("seed ")) same->seeds.insert(4, 1, 's');
      same->seeds += StrCat(", ", run.seed);
    }
  }
  return open;
}

std::string ShortDefinition(std::string_view definition) {
  auto end = definition.find('/');
  if (end != definition.npos && definition.substr(end).starts_with("/ties=")) {
    end = definition.find('/', end + 1);
  }
  return std::string(definition.substr(0, end));
}

std::string DefaultDefinition(const ReportDataset& dataset) {
  return dataset.definitions.empty() ? "" : dataset.definitions.front();
}

std::vector<std::string> GroupsOf(const ReportDataset& dataset) {
  std::vector<std::string> groups = {std::string(kTotal)};
  groups.insert(groups.end(), dataset.groups.begin(), dataset.groups.end());
  return groups;
}

const std::string& ShortLabel(const ReportRow& row) {
  return row.short_label.empty() ? row.label : row.short_label;
}

bool IsRanked(const ReportDataset& dataset, const ReportRow& row) {
  return row.brands.empty() &&
         MeanOf(row, DefaultDefinition(dataset), kTotal).has_value();
}

std::vector<std::size_t> RankedRows(const ReportDataset& dataset,
                                    std::string_view definition) {
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t i = 0; i < dataset.rows.size(); ++i) {
    const Figure total = MeanOf(dataset.rows[i], definition, kTotal);
    if (total && IsRanked(dataset, dataset.rows[i]))
      order.emplace_back(*total, i);
  }
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first > b.first;
    return dataset.rows[a.second].label < dataset.rows[b.second].label;
  });
  std::vector<std::size_t> rows;
  for (const auto& each : order) rows.push_back(each.second);
  return rows;
}

std::vector<std::size_t> UnrankedRows(const ReportDataset& dataset) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < dataset.rows.size(); ++i) {
    if (!IsRanked(dataset, dataset.rows[i])) rows.push_back(i);
  }
  std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
    return dataset.rows[a].label < dataset.rows[b].label;
  });
  return rows;
}

const ReportRow* BaselineOf(const ReportDataset& dataset) {
  for (const ReportRow& row : dataset.rows) {
    if (!dataset.baseline.empty() && row.label == dataset.baseline &&
        IsRanked(dataset, row)) {
      return &row;
    }
  }
  return nullptr;
}

Figure ChanceOf(const ReportDataset& dataset) {
  if (dataset.test_images <= 0 || dataset.classes.empty()) return {};
  double positives = 0;
  for (const ReportClass& each : dataset.classes) {
    positives += static_cast<double>(each.test_positives);
  }
  if (positives == 0) return {};
  return 100.0 * positives / static_cast<double>(dataset.test_images) /
         static_cast<double>(dataset.classes.size());
}

Figure WallSeconds(const ReportRun& run) {
  if (run.phases.empty()) return {};
  double seconds = 0;
  for (const ReportPhase& phase : run.phases) seconds += phase.wall_s;
  return seconds;
}

Figure PeakBytes(const ReportRun& run) {
  Figure peak;
  for (const ReportPhase& phase : run.phases) {
    if (!phase.peak_rss || *phase.peak_rss <= 0) continue;
    peak = std::max(peak.value_or(0), static_cast<double>(*phase.peak_rss));
  }
  return peak;
}

const ReportCurve* TestCurve(const ReportRun& run) {
  for (const ReportCurve& curve : run.curves) {
    if (curve.name.starts_with("test/") && !curve.points.empty()) return &curve;
  }
  return nullptr;
}

namespace {

Figure TotalOf(const std::map<std::string, GroupFigures>& figures,
               const std::string& definition) {
  const auto groups = figures.find(definition);
  if (groups == figures.end()) return {};
  const auto total = groups->second.find("total");
  return total == groups->second.end() ? Figure{} : total->second;
}

}  // namespace

Figure PickedOf(const ReportRow& row) {
  std::vector<double> totals;
  for (const ReportRun* run : DoneRuns(row)) {
    if (run->picked.empty()) continue;
    if (const Figure total = TotalOf(run->picked, run->picked.begin()->first))
      totals.push_back(*total);
  }
  return Mean(totals);
}

Figure OptimismOf(const ReportRun& run) {
  // Of episodes each has an epoch of its own: no curve of means tells.
  if (!run.picked.empty()) {
    const std::string& definition = run.picked.begin()->first;
    const Figure picked = TotalOf(run.picked, definition);
    const Figure last = TotalOf(run.values, definition);
    return picked && last ? Figure(*picked - *last) : Figure{};
  }
  const ReportCurve* curve = TestCurve(run);
  if (curve == nullptr) return {};
  double best = curve->points.front().second;
  for (const auto& [step, value] : curve->points) best = std::max(best, value);
  return best - curve->points.back().second;
}

Figure OptimismOf(const ReportRow& row) {
  std::vector<double> optimism;
  for (const ReportRun* run : DoneRuns(row)) {
    if (const Figure of = OptimismOf(*run)) optimism.push_back(*of);
  }
  return Mean(optimism);
}

}  // namespace tailmark
