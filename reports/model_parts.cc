#include "reports/model_parts.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "harness/base/error.h"
#include "reports/names.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark {
namespace {

// ---- One run ---------------------------------------------------------------

/// "test.epoch-3" -> 3.
std::optional<std::int64_t> EpochOf(std::string_view scores) {
  constexpr std::string_view kMark = "test.epoch-";
  if (!scores.starts_with(kMark)) return {};
  std::int64_t epoch = 0;
  const char* begin = scores.data() + kMark.size();
  const char* end = scores.data() + scores.size();
  const auto [at, error] = std::from_chars(begin, end, epoch);
  if (error != std::errc() || at != end) return {};
  return epoch;
}

/// Total mAP of the epochs that were scored, by epoch.
ReportCurve TestCurveOf(const std::vector<MetricRow>& metrics,
                        const std::string& definition) {
  std::map<std::int64_t, double> points;
  for (const MetricRow& metric : metrics) {
    if (metric.definition != definition || metric.group != "total" ||
        !metric.value)
      continue;
    if (const auto epoch = EpochOf(metric.scores))
      points[*epoch] = *metric.value;
  }
  return {StrCat("test/", ShortDefinition(definition)),
          {points.begin(), points.end()}};
}

void AddCurves(const Store& store, std::int64_t run_id, ReportRun& run) {
  std::map<std::string, std::map<std::int64_t, double>> curves;
  for (const CurvePoint& point : Curves(store, run_id))
    curves[point.name][point.step] = point.value;
  for (const auto& [name, points] : curves) {
    run.curves.push_back({name, {points.begin(), points.end()}});
  }
}

/// The total under ap.rank with ties taken one way, whatever the label policy.
Figure RankTotal(const ReportRun& run, std::string_view ties) {
  const std::string wanted = StrCat("ap.rank/ties=", ties);
  for (const auto& [definition, groups] : run.values) {
    if (ShortDefinition(definition) != wanted) continue;
    const auto it = groups.find("total");
    return it == groups.end() ? Figure{} : it->second;
  }
  return {};
}

void AddTies(const Store& store, std::int64_t run_id, ReportRun& run) {
  ReportTies ties{.rank_best = RankTotal(run, "best"),
                  .rank_worst = RankTotal(run, "worst")};
  std::vector<double> distinct;
  bool any = ties.rank_best.has_value();
  for (const DiagnosticRow& row : Diagnostics(store, run_id)) {
    if (row.scores != "test") continue;
    any = true;
    if (row.name == "tied_fraction") ties.tied_fraction = row.value;
    if (row.name == "saturated_fraction") ties.saturated_fraction = row.value;
    if (row.name == "distinct" && row.value) distinct.push_back(*row.value);
  }
  ties.distinct_per_class = Mean(distinct);
  if (any) run.ties = ties;
}

void AddFigures(const Store& store, const RunRow& row,
                const ReportDataset& dataset, ReportRun& run) {
  const auto metrics = Metrics(store, row.id);
  const std::string definition = DefaultDefinition(dataset);
  for (const MetricRow& metric : metrics) {
    if (metric.scores == "test")
      run.values[metric.definition][metric.group] = metric.value;
    if (metric.scores == "test.best_on_test" && metric.definition == definition)
      run.picked[definition][metric.group] = metric.value;
  }
  for (const auto& [id, groups] : run.values) {
    for (const auto& [group, mean] : groups) {
      auto values = EpisodeValues(metrics, id, group);
      if (!values.empty()) run.episodes[id][group] = std::move(values);
    }
  }
  run.class_ap.resize(dataset.classes.size());
  for (const ClassMetricRow& each : ClassMetrics(store, row.id, definition)) {
    if (each.index >= 0 &&
        each.index < static_cast<std::int64_t>(run.class_ap.size())) {
      run.class_ap[static_cast<std::size_t>(each.index)] = each.value;
    }
  }
  AddTies(store, row.id, run);
  AddCurves(store, row.id, run);
  if (ReportCurve curve = TestCurveOf(metrics, definition);
      !curve.points.empty()) {
    run.curves.push_back(std::move(curve));
  }
  for (const PhaseTime& phase : Timings(store, row.id)) {
    ReportPhase each{phase.phase, phase.wall_s, {}, {}};
    if (phase.peak_rss > 0) each.peak_rss = phase.peak_rss;
    if (phase.items > 0) each.items = phase.items;
    run.phases.push_back(std::move(each));
  }
  run.test_evaluations = row.test_evaluations;
}

// ---- Commands --------------------------------------------------------------

/// The campaign's command with nothing but this row in it.
std::string RowCommand(const RowSources& sources, const std::string& plan_label,
                       const std::string& dataset) {
  if (sources.command.empty()) return "";
  std::vector<std::string> words;
  std::string word;
  for (const char c : sources.command + " ") {
    if (c != ' ') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool next_is_row =
        i + 1 < words.size() && words[i + 1].starts_with("method=");
    if (words[i] == "--only" && next_is_row) {
      ++i;
    } else if (!words[i].starts_with("--only=method=")) {
      out += StrCat(out.empty() ? "" : " ", words[i]);
    }
  }
  out += StrCat(" --only method=", plan_label.substr(0, plan_label.find(' ')));
  if (sources.several_datasets) out += StrCat(" --only dataset=", dataset);
  return out;
}

std::string MendOf(const RowSources& sources, RunState state,
                   const std::string& row_command) {
  switch (state) {
    case RunState::kDone:
    case RunState::kNotApplicable:
      return "";
    case RunState::kPlanned:
    case RunState::kRunning:
    case RunState::kLost:
      return sources.campaign.empty()
                 ? row_command
                 : StrCat("tailmark resume ", sources.campaign);
    default:
      return row_command;
  }
}

ReportRun MakeRun(const RowSources& sources, const ReportDataset& dataset,
                  const Cell& cell, const std::string& row_command) {
  ReportRun run;
  run.seed = cell.seed;
  run.key = cell.key;
  run.state = std::string(NameOf(cell.state));
  run.reason = WithoutPaths(cell.reason);
  run.mend = MendOf(sources, cell.state, row_command);
  if (!cell.run) return run;
  run.build = cell.run->build;
  run.environment = cell.run->environment_fingerprint;
  if (cell.state == RunState::kDone)
    AddFigures(sources.store, *cell.run, dataset, run);
  return run;
}

// ---- What a row was given --------------------------------------------------

void AddGiven(const RowSources& sources, const RunRow& run, ReportRow& row) {
  const Provenance provenance = ProvenanceOf(sources.store, run.id);
  row.selection = run.selection;
  row.version = run.method_version;
  row.trained_parameters = run.trained_parameters;
  row.weights = provenance.identity.weights_name;
  row.input = provenance.identity.pipeline;
  const auto& options = provenance.resolved_options;
  if (const auto it = options.find("epochs"); it != options.end())
    row.epochs = ToText(it->second);
  if (const auto it = options.find("partition");
      it != options.end() && ToText(it->second) == "given") {
    row.extra_data = "given groups";
  }
  row.device = provenance.identity.device_type;
  row.needed_runs = static_cast<std::int64_t>(provenance.identity.needs.size());
  std::set<std::string> brands;
  for (const std::string& tag : run.tags) {
    if (tag == "partial") brands.insert(tag);
  }
  if (provenance.identity.limit > 0) brands.insert("partial");
  if (run.pipeline_brand == "foreign") brands.insert("foreign");
  if (run.selection == "best_on_test") brands.insert("best_on_test");
  row.brands.assign(brands.begin(), brands.end());
  if (provenance.identity.limit > 0) {
    row.note =
        StrCat("first ", provenance.identity.limit, " pictures of each split");
  }
}

void AddAbilities(const RowSources& sources, const Cell* witness,
                  ReportRow& row) {
  if (sources.catalog == nullptr) return;
  for (const MethodEntry& entry : sources.catalog->methods) {
    if (entry.name != row.method) continue;
    row.stochastic = entry.stochastic;
    const bool captions =
        witness == nullptr
            ? entry.needs_captions
            : NeedsCaptions(entry, ProvenanceOf(sources.store, witness->run->id)
                                       .identity.method_options);
    row.text = captions           ? "names, captions"
               : entry.needs_text ? "names"
                                  : "none";
    if (row.input.empty()) row.input = entry.input;
  }
}

// ---- Environment -----------------------------------------------------------

/// Says where, not what with.
bool IsPrivate(std::string_view name) {
  constexpr std::string_view kPrivate[] = {
      "host", "path",   "uuid", "user",
      "home", "job",    "task", "visible_devices",
      "cwd",  "command"};
  std::string lower(name);
  for (char& c : lower)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return std::any_of(
      std::begin(kPrivate), std::end(kPrivate),
      [&](std::string_view word) { return lower.find(word) != lower.npos; });
}

void Flatten(const Json& json, const std::string& name,
             std::vector<std::pair<std::string, std::string>>& fields) {
  if (IsPrivate(name)) return;
  if (json.is_object()) {
    for (const auto& [key, value] : json.items())
      Flatten(value, name.empty() ? key : StrCat(name, ".", key), fields);
    return;
  }
  if (json.is_array()) {
    for (std::size_t i = 0; i < json.size(); ++i)
      Flatten(json[i], StrCat(name, ".", i), fields);
    return;
  }
  if (json.is_null()) return;
  const std::string text =
      json.is_string() ? json.get<std::string>() : json.dump();
  if (!text.empty() && text.front() != '/')
    fields.emplace_back(name, WithoutPaths(text));
}

}  // namespace

ReportRow MakeRow(const RowSources& sources, const ReportDataset& dataset,
                  const std::string& label, const std::vector<Cell>& cells) {
  const Cell& first = cells.front();
  const RowNames names = NamesOfRow(label, first.method);
  ReportRow row;
  row.method = first.method;
  row.family = first.method;
  row.label = names.label;
  row.short_label = names.short_label;
  row.recipe = first.recipe;
  row.command = RowCommand(sources, first.label, first.dataset);
  const Cell* witness = nullptr;
  for (const Cell& cell : cells) {
    if (cell.run && (!witness || (witness->state != RunState::kDone &&
                                  cell.state == RunState::kDone))) {
      witness = &cell;
    }
  }
  if (witness) AddGiven(sources, *witness->run, row);
  AddAbilities(sources, witness, row);
  for (const Cell& cell : cells)
    row.runs.push_back(MakeRun(sources, dataset, cell, row.command));
  return row;
}

std::vector<std::pair<std::string, std::string>> EnvironmentFields(
    const Json& environment) {
  std::vector<std::pair<std::string, std::string>> fields;
  if (environment.is_object()) Flatten(environment, "", fields);
  return fields;
}

}  // namespace tailmark
