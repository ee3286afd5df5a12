#include "harness/cli/comparing.h"

#include <algorithm>
#include <set>

#include "harness/base/error.h"
#include "harness/base/suggest.h"
#include "harness/metrics/letters.h"
#include "results/data_names.h"
#include "results/ingest.h"

namespace tailmark {
namespace {

std::vector<ComparedRow> RowsOfCells(const std::vector<Cell>& cells) {
  std::vector<ComparedRow> rows;
  std::vector<std::string> recipes;
  for (const Cell& cell : cells) {
    if (!cell.run || cell.run->state != RunState::kDone) continue;
    const auto at = std::find(recipes.begin(), recipes.end(), cell.recipe);
    if (at == recipes.end()) {
      recipes.push_back(cell.recipe);
      rows.push_back({.dataset = cell.dataset,
                      .label = cell.label,
                      .runs = {*cell.run},
                      .data = ""});
    } else {
      rows[static_cast<std::size_t>(at - recipes.begin())].runs.push_back(
          *cell.run);
    }
  }
  for (ComparedRow& row : rows) {
    std::stable_sort(
        row.runs.begin(), row.runs.end(),
        [](const RunRow& a, const RunRow& b) { return a.seed < b.seed; });
  }
  return rows;
}

/// Fills in what the data of each row are called beside the others.
std::vector<ComparedRow> Named(const Store& store,
                               std::vector<ComparedRow> rows) {
  std::vector<RunIdentity> identities;
  for (const ComparedRow& row : rows) {
    identities.push_back(ProvenanceOf(store, row.runs.front().id).identity);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<OptionMap> beside;
    for (const RunIdentity& other : identities) {
      if (other.dataset == identities[i].dataset) {
        beside.push_back(other.dataset_options);
      }
    }
    rows[i].data = DataName(identities[i], beside);
  }
  return rows;
}

/// Episode scores of a run, by episode: group means under the definition.
std::map<std::string, double> EpisodesOf(const Store& store, const RunRow& run,
                                         const std::string& definition,
                                         const std::string& group) {
  std::map<std::string, double> values;
  for (const MetricRow& metric : Metrics(store, run.id)) {
    if (!metric.scores.starts_with("test.episode-")) continue;
    if (metric.definition != definition || metric.group != group) continue;
    if (metric.value) {
      values[StrCat("seed ", run.seed, " ", metric.scores)] = *metric.value;
    }
  }
  return values;
}

OrderedJson GroupAnswer(const PairedGroup& group) {
  OrderedJson out = {{"a", NumberOrNull(group.a)},
                     {"b", NumberOrNull(group.b)},
                     {"difference", NumberOrNull(group.difference)},
                     {"interval", nullptr},
                     {"standard_error", nullptr},
                     {"p", nullptr},
                     {"p_adjusted", nullptr},
                     {"mde", nullptr},
                     {"margin", group.margin},
                     {"p_equivalent", nullptr},
                     {"outcome", NameOf(group.finding)}};
  if (!group.difference) return out;
  out["interval"] = {group.interval.lo, group.interval.hi};
  out["standard_error"] = group.standard_error;
  out["p"] = group.p;
  out["p_adjusted"] = group.p_adjusted;
  out["mde"] = group.mde;
  out["p_equivalent"] = group.p_equivalent;
  return out;
}

}  // namespace

std::vector<ComparedRow> RowsOf(const Store& store,
                                const std::string& campaign) {
  const auto found = FindCampaign(store, campaign);
  if (!found) throw ConfigError("the store holds no campaign");
  return Named(store, RowsOfCells(Cells(store, found->id)));
}

std::vector<ComparedRow> FindRows(const Store& store, const std::string& word) {
  const std::size_t slash = word.find('/');
  std::vector<std::string> names;
  std::string campaign;  // "": the newest
  for (const CampaignRow& each : Campaigns(store)) {
    if (each.name == word) return RowsOf(store, word);
    if (each.name == word.substr(0, slash)) campaign = each.name;
    names.push_back(each.name);
  }
  const std::string label = campaign.empty() ? word : word.substr(slash + 1);
  std::vector<ComparedRow> found;
  std::vector<ComparedRow> of_method;
  if (!names.empty()) {
    for (ComparedRow& row : RowsOf(store, campaign)) {
      names.push_back(campaign.empty() ? row.label
                                       : StrCat(campaign, "/", row.label));
      if (row.label == label) {
        found.push_back(std::move(row));
      } else if (row.runs.front().method == label) {
        of_method.push_back(std::move(row));
      }
    }
  }
  if (found.empty()) found = std::move(of_method);
  if (!found.empty()) return Named(store, std::move(found));
  const auto runs = Runs(store, {.key = word});
  if (runs.size() == 1) {
    return Named(store, {{.dataset = runs[0].dataset,
                          .label = runs[0].method,
                          .runs = {FindRun(store, word)},
                          .data = ""}});
  }
  if (runs.size() > 1) FindRun(store, word);  // says which ones there are
  throw ConfigError(UnknownName("run, row or campaign", word, names));
}

std::vector<Replicates> ResampleRun(const Store& store, const RunRow& run,
                                    const Definition& definition,
                                    const BootstrapOptions& options,
                                    DataAccess& data) {
  std::vector<Replicates> out;
  // Episodes share their query images: their mean is taken resample by
  // resample, as that of seeds.
  for (const std::string& scores : CountedScores(store, run)) {
    const ScoredData in = DataFromRun(store, run, data, scores);
    out.push_back(BootstrapImages(in.scores.view(), in.label_spans(), in.groups,
                                  definition, options));
  }
  return out;
}

std::vector<Replicates> Resample(Store& store, const ComparedRow& row,
                                 const Definition& definition,
                                 const BootstrapOptions& options,
                                 DataAccess& data) {
  std::vector<Replicates> out;
  for (const RunRow& run : row.runs) {
    for (Replicates& each :
         ResampleRun(store, run, definition, options, data)) {
      out.push_back(std::move(each));
    }
    CountTestEvaluation(store, run.key);
  }
  return out;
}

Definition DefinitionOf(const Store& store, const RunRow& run,
                        const std::string& id) {
  return ParseDefinition(
      id.empty() ? "ap.step" : id,
      ParseLabelPolicy(ProvenanceOf(store, run.id).identity.label_policy));
}

std::string WhyNotComparable(const Store& store, const RunRow& a,
                             const RunRow& b) {
  const RunIdentity x = ProvenanceOf(store, a.id).identity;
  const RunIdentity y = ProvenanceOf(store, b.id).identity;
  if (x.dataset != y.dataset) {
    return StrCat("data sets ", x.dataset, " and ", y.dataset);
  }
  if (x.test_list_sha256 != y.test_list_sha256) {
    return "test splits differ in images or labels";
  }
  if (x.episodes_sha256 != y.episodes_sha256) return "episodes differ";
  if (x.label_policy != y.label_policy) {
    return StrCat("label policies '", x.label_policy, "' and '", y.label_policy,
                  "'");
  }
  if (a.selection != b.selection) {
    return StrCat("selections ", a.selection, " and ", b.selection);
  }
  return "";
}

bool OnTheSameData(const Store& store, const ComparedRow& a,
                   const ComparedRow& b) {
  const RunIdentity x = ProvenanceOf(store, a.runs.front().id).identity;
  const RunIdentity y = ProvenanceOf(store, b.runs.front().id).identity;
  return x.dataset == y.dataset && x.dataset_options == y.dataset_options &&
         x.episodes_sha256 == y.episodes_sha256;
}

UnitValues UnitsOf(const Store& store, const ComparedRow& a,
                   const ComparedRow& b, const Definition& definition,
                   const std::string& group) {
  const std::string id = IdOf(definition);
  UnitValues out{.unit = "episode"};
  std::map<std::string, double> episodes_a;
  std::map<std::string, double> episodes_b;
  for (const RunRow& run : a.runs) {
    episodes_a.merge(EpisodesOf(store, run, id, group));
  }
  for (const RunRow& run : b.runs) {
    episodes_b.merge(EpisodesOf(store, run, id, group));
  }
  for (const auto& [name, value] : episodes_a) {
    const auto other = episodes_b.find(name);
    if (other == episodes_b.end()) continue;
    out.a.push_back(value);
    out.b.push_back(other->second);
  }
  if (!out.a.empty()) {
    out.paired = true;
    return out;
  }
  out.unit = "seed";
  std::vector<std::uint64_t> seeds_a;
  std::vector<std::uint64_t> seeds_b;
  const auto collect = [&](const ComparedRow& row, std::vector<double>& values,
                           std::vector<std::uint64_t>& seeds) {
    for (const RunRow& run : row.runs) {
      const MetricMap metrics = MetricsOf(store, run.id);
      const auto groups = metrics.find(id);
      if (groups == metrics.end()) continue;
      const auto value = groups->second.find(group);
      if (value == groups->second.end() || !value->second) continue;
      values.push_back(*value->second);
      seeds.push_back(run.seed);
    }
  };
  collect(a, out.a, seeds_a);
  collect(b, out.b, seeds_b);
  out.paired = seeds_a == seeds_b;
  return out;
}

RowStanding RankRows(const std::vector<Replicates>& means) {
  RowStanding out{.definition = means.front().definition,
                  .images = means.front().images};
  for (std::size_t g = 0; g < means.front().groups.size(); ++g) {
    std::vector<std::size_t> order(means.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(
        order.begin(), order.end(), [&](std::size_t x, std::size_t y) {
          return means[x].groups[g].percent > means[y].groups[g].percent;
        });
    std::vector<std::vector<double>> values;
    for (const std::size_t i : order) {
      values.push_back(means[i].groups[g].values);
    }
    const auto letters = CompactLetters(Distinguishable(values));
    const std::string& name = means.front().groups[g].name;
    out.group_names.push_back(name);
    for (std::size_t i = 0; i < order.size(); ++i) {
      const GroupReplicates& group = means[order[i]].groups[g];
      RowStanding::Entry entry{
          .row = order[i], .percent = group.percent, .letters = letters[i]};
      if (group.percent) {
        entry.interval = BasicInterval(group.values, *group.percent, 0.95);
      }
      out.groups[name].push_back(std::move(entry));
    }
  }
  return out;
}

OrderedJson ToJson(const PairedComparison& compared,
                   const std::vector<std::string>& class_names) {
  OrderedJson groups = OrderedJson::object();
  for (const PairedGroup& group : compared.groups) {
    groups[group.name] = GroupAnswer(group);
  }
  OrderedJson classes = OrderedJson::array();
  for (const PairedClass& each : compared.classes) {
    OrderedJson row = {{"class", each.index}};
    const auto index = static_cast<std::size_t>(each.index);
    if (index < class_names.size()) row["name"] = class_names[index];
    row["a"] = NumberOrNull(each.a);
    row["b"] = NumberOrNull(each.b);
    row["difference"] = NumberOrNull(each.difference);
    row["interval"] = nullptr;
    row["p"] = nullptr;
    row["p_adjusted"] = nullptr;
    if (each.difference) {
      row["interval"] = {each.interval.lo, each.interval.hi};
      row["p"] = each.p;
      row["p_adjusted"] = each.p_adjusted;
    }
    classes.push_back(std::move(row));
  }
  return {{"groups", std::move(groups)}, {"classes", std::move(classes)}};
}

}  // namespace tailmark
