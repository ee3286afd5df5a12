#include "harness/cli/data_access.h"

#include <algorithm>
#include <utility>

#include "datasets/builtin.h"
#include "datasets/episodes.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/base/options_json.h"

namespace tailmark {
namespace {

/// The first `limit` rows; all when it is 0.
Split First(const Split& split, std::int64_t limit) {
  Split out = split;
  if (limit > 0 && limit < split.size()) {
    out.ids.resize(static_cast<std::size_t>(limit));
  }
  return out;
}

LabelMatrix First(const LabelMatrix& labels, std::int64_t rows) {
  LabelMatrix out = labels;
  out.rows = std::min(rows, labels.rows);
  const auto cells = static_cast<std::size_t>(out.rows * out.classes);
  out.positive.resize(cells);
  if (!out.known.empty()) out.known.resize(cells);
  return out;
}

/// Both splits after `limit`.
struct Limited {
  Split train, test;
  LabelMatrix train_labels, test_labels;
};

Limited Limit(const OpenedData& data, std::int64_t limit) {
  Limited out;
  out.train = First(data.dataset->train(), limit);
  out.test = First(data.dataset->test(), limit);
  out.train_labels = First(data.dataset->train_labels(), out.train.size());
  out.test_labels = First(data.test_labels, out.test.size());
  return out;
}

void RequireSame(const std::string& what, const std::string& found,
                 const std::string& expected) {
  if (found == expected) return;
  throw DataError(StrCat("the data here are not those of the run: ", what,
                         " is ", found, ", the run has ", expected));
}

}  // namespace

std::filesystem::path DefaultDataRoot(const DatasetInfo& info) {
  if (!info.fetchable) return {};
  if (const auto data = GetEnv("TAILMARK_DATA")) {
    return std::filesystem::absolute(*data) / info.name;
  }
  if (const auto home = GetEnv("HOME")) {
    return std::filesystem::path(*home) / ".local/share/tailmark" / info.name;
  }
  return {};
}

namespace {

std::string EpisodesHashOf(const Dataset& dataset) {
  const Episodes* episodes = dataset.episodes();
  return episodes == nullptr ? "" : EpisodesHash(*episodes);
}

/// How many episodes, and images of one, on the average.
std::pair<std::int64_t, double> CountOf(const Episodes* episodes) {
  if (episodes == nullptr || episodes->episodes.empty()) return {0, 0};
  double images = 0;
  for (const Episode& each : episodes->episodes) {
    images += static_cast<double>(each.support.size());
  }
  const std::size_t count = episodes->episodes.size();
  return {static_cast<std::int64_t>(count),
          images / static_cast<double>(count)};
}

/// Supports, and the query images once an episode: there only the novel classes
/// are scored.
void AddEpisodes(const Episodes& episodes, const SplitFacts& test,
                 std::size_t classes, DatasetFacts& facts) {
  SplitFacts query = test;
  query.role = "query";
  query.known.assign(query.positive.size(), 0);
  for (std::size_t row = 0; row < query.positive.size(); row += classes) {
    for (const std::int64_t column : episodes.novel) {
      const std::size_t cell = row + static_cast<std::size_t>(column);
      query.known[cell] = test.known.empty() ? 1 : test.known[cell];
    }
  }
  for (const Episode& each : episodes.episodes) {
    facts.splits.push_back(
        {.name = "support",
         .role = "support",
         .episode = each.number,
         .rows = each.support.size(),
         .list_sha256 = ListHash(each.support, each.labels)});
    query.episode = each.number;
    facts.splits.push_back(query);
  }
}

}  // namespace

DataAccess::DataAccess(std::filesystem::path cache)
    : cache_(std::move(cache)), test_labels_(BuiltinTestLabels()) {
  RegisterBuiltinDatasets(registry_);
}

const OpenedData& DataAccess::Open(const DatasetSpec& spec) {
  const std::string key = StrCat(spec.name, "\n", ToJson(spec.options).dump(),
                                 "\n", spec.root.string());
  const auto it = opened_.find(key);
  if (it != opened_.end()) return it->second;
  const DatasetRegistry::Entry& entry = registry_.Find(spec.name);
  if (entry.info.needs_root && !entry.info.fetchable && spec.root.empty()) {
    throw DataError(StrCat("data set '", spec.name,
                           "' reads files and has no root; write \"root\" in "
                           "the recipe or --set datasets.",
                           spec.name, ".root=FOLDER"));
  }
  DatasetSpec cached = spec;
  if (cached.cache.empty()) cached.cache = cache_;
  OpenedData data{.dataset = entry.open(cached),
                  .test_labels = test_labels_.Load(spec)};
  return opened_.emplace(key, std::move(data)).first->second;
}

PlannedData DataAccess::Facts(const DatasetUse& use, const OptionMap& options,
                              std::int64_t limit) {
  const OpenedData& data =
      Open({.name = use.FullName(), .options = options, .root = use.root});
  const Limited limited = Limit(data, limit);
  const auto [episodes, supports] = CountOf(data.dataset->episodes());
  return {.version = registry_.Find(use.use).info.version,
          .manifest_sha256 = data.dataset->manifest_sha256(),
          .label_policy = data.dataset->label_policy(),
          .train_list_sha256 = ListHash(limited.train, limited.train_labels),
          .test_list_sha256 = ListHash(limited.test, limited.test_labels),
          .episodes_sha256 = EpisodesHashOf(*data.dataset),
          .train_images = limited.train.size(),
          .captions = !data.dataset->train_captions().empty(),
          .test_images = limited.test.size(),
          .classes = static_cast<std::int64_t>(data.dataset->classes().size()),
          .episodes = episodes,
          .supports = supports};
}

const DatasetFacts& DataAccess::FactsOf(const RunSpec& spec) {
  return Gather(spec, true);
}

const DatasetFacts& DataAccess::LabelsOf(const RunSpec& spec) {
  return Gather(spec, false);
}

const DatasetFacts& DataAccess::Gather(const RunSpec& spec, bool pictures) {
  const RunIdentity& id = spec.identity;
  const std::string key =
      StrCat(pictures ? "" : "labels\n", spec.place.data_root.string(), "\n",
             id.dataset, "\n", id.manifest_sha256, "\n", id.train_list_sha256,
             "\n", id.test_list_sha256, "\n", id.episodes_sha256);
  const auto it = facts_.find(key);
  if (it != facts_.end()) return it->second;
  const OpenedData& data = Open({.name = id.dataset,
                                 .options = id.dataset_options,
                                 .root = spec.place.data_root});
  RequireSame("version", StrCat(registry_.Find(id.dataset).info.version),
              StrCat(id.dataset_version));
  if (pictures) {
    RequireSame("the manifest's SHA-256", data.dataset->manifest_sha256(),
                id.manifest_sha256);
  }
  const Limited limited = Limit(data, id.limit);
  DatasetFacts facts;
  for (const ClassInfo& each : data.dataset->classes()) {
    facts.classes.push_back({.name = each.name,
                             .train_positives = each.train_positives,
                             .group = std::string(NameOf(each.group))});
  }
  facts.splits.push_back(
      {.name = "train",
       .role = "train",
       .rows = limited.train.size(),
       .list_sha256 = ListHash(limited.train, limited.train_labels)});
  facts.splits.push_back(
      {.name = "test",
       .role = "test",
       .rows = limited.test.size(),
       .list_sha256 = ListHash(limited.test, limited.test_labels),
       .positive = limited.test_labels.positive,
       .known = limited.test_labels.known});
  if (const Episodes* episodes = data.dataset->episodes()) {
    RequireSame("the episodes' SHA-256", EpisodesHash(*episodes),
                id.episodes_sha256);
    const SplitFacts test = facts.splits.back();
    AddEpisodes(*episodes, test, facts.classes.size(), facts);
  }
  RequireSame("the training list's SHA-256", facts.splits[0].list_sha256,
              id.train_list_sha256);
  RequireSame("the test list's SHA-256", facts.splits[1].list_sha256,
              id.test_list_sha256);
  return facts_.emplace(key, std::move(facts)).first->second;
}

}  // namespace tailmark
