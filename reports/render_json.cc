#include "harness/base/json.h"
#include "reports/answers.h"
#include "reports/render.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark {
namespace {

OrderedJson Text(const std::string& text) { return ValidUtf8(text); }

OrderedJson Number(const Figure& value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

template <class T>
OrderedJson Number(const std::optional<T>& value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

OrderedJson Texts(const std::vector<std::string>& list) {
  auto json = OrderedJson::array();
  for (const std::string& each : list) json.push_back(Text(each));
  return json;
}

OrderedJson Ties(const ReportTies& ties) {
  return {{"distinct_per_class", Number(ties.distinct_per_class)},
          {"tied_fraction", Number(ties.tied_fraction)},
          {"saturated_fraction", Number(ties.saturated_fraction)},
          {"rank_best", Number(ties.rank_best)},
          {"rank_worst", Number(ties.rank_worst)}};
}

OrderedJson Metrics(const ReportRun& run) {
  auto json = OrderedJson::object();
  for (const auto& [definition, groups] : run.values) {
    auto& into = json[ValidUtf8(definition)] = OrderedJson::object();
    for (const auto& [group, value] : groups)
      into[ValidUtf8(group)] = Number(value);
  }
  return json;
}

OrderedJson Run(const ReportRun& run) {
  OrderedJson json = {{"seed", run.seed},
                      {"key", Text(run.key)},
                      {"build", Text(run.build)},
                      {"environment", Text(run.environment)},
                      {"state", Text(run.state)}};
  if (!run.done()) {
    json["reason"] = Text(run.reason);
    json["mend"] = Text(run.mend);
    return json;
  }
  json["metrics"] = Metrics(run);
  for (const auto& [definition, groups] : run.picked) {
    auto& picked = json["best_on_test"][ValidUtf8(definition)];
    for (const auto& [group, value] : groups)
      picked[ValidUtf8(group)] = Number(value);
  }
  auto& ap = json["class_ap"] = OrderedJson::array();
  for (const Figure& value : run.class_ap) ap.push_back(Number(value));
  if (run.ties) json["ties"] = Ties(*run.ties);
  auto& curves = json["curves"] = OrderedJson::object();
  for (const ReportCurve& curve : run.curves) {
    auto& points = curves[ValidUtf8(curve.name)] = OrderedJson::array();
    for (const auto& [step, value] : curve.points)
      points.push_back({step, value});
  }
  auto& phases = json["phases"] = OrderedJson::array();
  for (const ReportPhase& phase : run.phases) {
    phases.push_back({{"phase", Text(phase.phase)},
                      {"wall_s", phase.wall_s},
                      {"peak_rss", Number(phase.peak_rss)},
                      {"items", Number(phase.items)}});
  }
  json["test_evaluations"] = Number(run.test_evaluations);
  return json;
}

/// Mean, spread and number of seeds by group, default definition.
OrderedJson Summary(const ReportDataset& dataset, const ReportRow& row) {
  auto json = OrderedJson::object();
  const std::string definition = DefaultDefinition(dataset);
  for (const std::string& group : GroupsOf(dataset)) {
    OrderedJson each = {{"mean", Number(MeanOf(row, definition, group))},
                        {"sd_seeds", Number(SpreadOf(row, definition, group))},
                        {"seeds", SeedValues(row, definition, group).size()}};
    if (const auto episodes = EpisodeMeans(row, definition, group);
        !episodes.empty()) {
      each["episodes"] = episodes;
      each["sd_episodes"] = Number(SampleSd(episodes));
    }
    if (const auto it = row.intervals.find(group); it != row.intervals.end()) {
      each["interval"] = {{"lo", it->second.lo},
                          {"hi", it->second.hi},
                          {"method", Text(it->second.method)}};
    }
    if (const auto it = row.letters.find(group); it != row.letters.end())
      each["letters"] = Text(it->second);
    json[ValidUtf8(group)] = each;
  }
  return json;
}

OrderedJson Row(const ReportDataset& dataset, const ReportRow& row) {
  OrderedJson json = {{"label", Text(row.label)},
                      {"method", Text(row.method)},
                      {"version", row.version},
                      {"recipe", Text(row.recipe)},
                      {"selection", Text(row.selection)},
                      {"brands", Texts(row.brands)},
                      {"ranked", IsRanked(dataset, row)},
                      {"trained_parameters", Number(row.trained_parameters)},
                      {"epochs", Text(row.epochs)},
                      {"weights", Text(row.weights)},
                      {"input", Text(row.input)},
                      {"text", Text(row.text)},
                      {"command", Text(row.command)},
                      {"summary", Summary(dataset, row)}};
  auto& runs = json["runs"] = OrderedJson::array();
  for (const ReportRun& run : row.runs) runs.push_back(Run(run));
  return json;
}

OrderedJson PublishedRow(const ReportPublished& row) {
  auto lint = OrderedJson::array();
  for (const auto& [rule, why] : row.lint) {
    lint.push_back({{"rule", Text(rule)}, {"explanation", Text(why)}});
  }
  auto cells = OrderedJson::array();
  for (const ReportPrinted& cell : row.cells) {
    cells.push_back({{"column", Text(cell.column)},
                     {"printed", cell.printed},
                     {"decimals", cell.decimals},
                     {"theirs", Number(cell.theirs)},
                     {"sd", Number(cell.sd)},
                     {"runs", cell.runs},
                     {"difference", Number(cell.difference)},
                     {"ours", Number(cell.ours)},
                     {"verdict", Text(cell.verdict)},
                     {"reason", Text(cell.reason)}});
  }
  return {{"source", Text(row.source)},
          {"table", Text(row.table)},
          {"row", Text(row.row)},
          {"dataset", Text(row.dataset)},
          {"status", Text(row.status)},
          {"profile", Text(row.profile)},
          {"definition", Text(row.definition)},
          {"selection", Text(row.selection)},
          {"verdict", Text(row.verdict)},
          {"reason", Text(row.reason)},
          {"stand_in", row.stand_in},
          {"group_mean", Number(row.group_mean)},
          {"arithmetic", Text(row.arithmetic)},
          {"lint", std::move(lint)},
          {"cells", std::move(cells)}};
}

OrderedJson Dataset(const ReportDataset& dataset) {
  OrderedJson json = {{"name", Text(dataset.name)},
                      {"version", Text(dataset.version)},
                      {"label_policy", Text(dataset.label_policy)},
                      {"manifest_sha256", Text(dataset.manifest_sha256)},
                      {"train_list_sha256", Text(dataset.train_list_sha256)},
                      {"test_list_sha256", Text(dataset.test_list_sha256)},
                      {"train_images", dataset.train_images},
                      {"test_images", dataset.test_images},
                      {"groups", Texts(dataset.groups)},
                      {"definitions", Texts(dataset.definitions)},
                      {"baseline", Text(dataset.baseline)},
                      {"chance", Number(ChanceOf(dataset))}};
  if (dataset.label_graph) {
    const ReportLabelGraph& graph = *dataset.label_graph;
    json["label_graph"] = {{"part_of", graph.part_of},
                           {"images", graph.images},
                           {"weight_within", Number(graph.weight_within)},
                           {"random_weight", Number(graph.random_weight)},
                           {"bootstrap_rand", Number(graph.bootstrap_rand)},
                           {"sha256", Text(graph.sha256)}};
  }
  auto& classes = json["classes"] = OrderedJson::array();
  for (const ReportClass& each : dataset.classes) {
    classes.push_back({{"name", Text(each.name)},
                       {"train_positives", each.train_positives},
                       {"test_positives", each.test_positives},
                       {"group", Text(each.group)}});
  }
  if (!dataset.published.empty()) {
    auto& published = json["published"] = OrderedJson::array();
    for (const ReportPublished& row : dataset.published) {
      published.push_back(PublishedRow(row));
    }
  }
  auto& rows = json["rows"] = OrderedJson::array();
  for (const ReportRow& row : dataset.rows) rows.push_back(Row(dataset, row));
  return json;
}

OrderedJson Builds(const ReportModel& model) {
  auto json = OrderedJson::array();
  for (const ReportBuild& build : model.builds) {
    json.push_back({{"digest", Text(build.digest)},
                    {"version", Text(build.version)},
                    {"git_sha", Text(build.git_sha)},
                    {"dirty", build.dirty},
                    {"compiler", Text(build.compiler)},
                    {"flags", Text(build.flags)},
                    {"torch_version", Text(build.torch_version)},
                    {"runs", build.runs}});
  }
  return json;
}

OrderedJson Environments(const ReportModel& model) {
  auto json = OrderedJson::array();
  for (const ReportEnvironment& each : model.environments) {
    auto fields = OrderedJson::object();
    for (const auto& [name, value] : each.fields)
      fields[ValidUtf8(name)] = Text(value);
    json.push_back({{"fingerprint", Text(each.fingerprint)},
                    {"fields", fields},
                    {"runs", each.runs}});
  }
  return json;
}

}  // namespace

std::string RenderJson(const ReportModel& model) {
  OrderedJson json = {{"schema", "tailmark-report/1"},
                      {"unit", "percent"},
                      {"campaign", Text(model.campaign)},
                      {"finding", Text(FindingOf(model))},
                      {"finished_utc", Text(model.finished_utc)},
                      {"store", Text(model.store)},
                      {"store_schema", model.store_schema},
                      {"command", Text(model.command)},
                      {"builds", Builds(model)},
                      {"environments", Environments(model)}};
  auto& weights = json["weights"] = OrderedJson::array();
  for (const ReportWeights& each : model.weights) {
    weights.push_back(
        {{"name", Text(each.name)}, {"sha256", Text(each.sha256)}});
  }
  auto& datasets = json["datasets"] = OrderedJson::array();
  for (const ReportDataset& dataset : model.datasets)
    datasets.push_back(Dataset(dataset));
  return json.dump(1) + "\n";
}

}  // namespace tailmark
