#include "harness/cli/packed_labels.h"

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/base/json_integer.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

// A cell of a row: absent, present, present and marked difficult, unknown.
constexpr char kAbsent = '0', kPresent = '1', kDifficult = 'd', kUnknown = '?';

char CellOf(bool positive, bool known) {
  if (known) return positive ? kPresent : kAbsent;
  return positive ? kDifficult : kUnknown;
}

void ReadRow(const std::string& row, std::size_t classes, LabelMatrix& labels) {
  if (row.size() != classes) {
    throw DataError(
        StrCat("a row has ", row.size(), " cells, expected ", classes));
  }
  for (const char cell : row) {
    if (CellOf(cell == kPresent || cell == kDifficult,
               cell == kPresent || cell == kAbsent) != cell) {
      throw DataError(StrCat("a row holds '", std::string(1, cell),
                             "', expected 0, 1, d or ?"));
    }
    labels.positive.push_back(cell == kPresent || cell == kDifficult);
    labels.known.push_back(cell == kPresent || cell == kAbsent);
  }
}

/// What labels.json says, checked against the run's key.
DatasetFacts FactsFrom(const Json& json, const RunIdentity& identity) {
  DatasetFacts facts;
  for (const Json& each : json.at("classes")) {
    facts.classes.push_back(
        {.name = each.at("name").get<std::string>(),
         .train_positives = IntegerOf<std::int64_t>(each.at("train_positives"),
                                                    "train_positives", 0),
         .group = each.at("group").get<std::string>()});
  }
  Split split{.name = "test",
              .role = SplitRole::kTest,
              .ids = json.at("ids").get<std::vector<std::string>>()};
  LabelMatrix labels;
  labels.rows = split.size();
  labels.classes = static_cast<std::int64_t>(facts.classes.size());
  const Json& rows = json.at("rows");
  if (rows.size() != split.ids.size()) {
    throw DataError(
        StrCat("holds ", rows.size(), " rows and ", split.size(), " ids"));
  }
  for (const Json& row : rows) {
    ReadRow(row.get<std::string>(), facts.classes.size(), labels);
  }
  const std::string hash = ListHash(split, labels);
  if (hash != identity.test_list_sha256) {
    throw DataError(StrCat("ids and labels have the hash ", hash,
                           ", the run has ", identity.test_list_sha256));
  }
  facts.splits.push_back({.name = "test",
                          .role = "test",
                          .rows = labels.rows,
                          .list_sha256 = hash,
                          .positive = std::move(labels.positive),
                          .known = std::move(labels.known)});
  return facts;
}

RunSpec At(RunSpec spec, const fs::path& root) {
  spec.place.data_root = root;
  return spec;
}

}  // namespace

bool HasCommittedLabels(DataAccess& data, const RunSpec& spec) {
  const DatasetInfo& info = data.registry().Find(spec.identity.dataset).info;
  return !info.needs_root || info.fetchable;
}

void AddLabels(DataAccess& data, const RunSpec& spec, PackedLabels& labels) {
  const RunIdentity& id = spec.identity;
  const std::string path = id.test_list_sha256 + "/labels.json";
  if (labels.contains(path)) return;
  if (!id.episodes_sha256.empty()) {
    throw ConfigError(StrCat("--with-labels: '", id.dataset,
                             "' has episodes, whose labels do not travel"));
  }
  const DatasetFacts& facts = data.LabelsOf(spec);
  const OpenedData& opened = data.Open({.name = id.dataset,
                                        .options = id.dataset_options,
                                        .root = spec.place.data_root});
  Json json = {{"classes", Json::array()}, {"rows", Json::array()}};
  for (const ClassFacts& each : facts.classes) {
    json["classes"].push_back({{"name", each.name},
                               {"train_positives", each.train_positives},
                               {"group", each.group}});
  }
  for (const SplitFacts& split : facts.splits) {
    if (split.name != "test") continue;
    const auto& ids = opened.dataset->test().ids;
    json["ids"] =
        std::vector<std::string>(ids.begin(), ids.begin() + split.rows);
    std::size_t cell = 0;
    for (std::int64_t row = 0; row < split.rows; ++row) {
      std::string line;
      for (std::size_t c = 0; c < facts.classes.size(); ++c, ++cell) {
        line += CellOf(split.positive[cell] != 0,
                       split.known.empty() || split.known[cell] != 0);
      }
      json["rows"].push_back(line);
    }
  }
  labels[path] = json.dump(1) + "\n";
}

const DatasetFacts& LabelFinder::Find(const RunSpec& spec,
                                      const fs::path& packed) try {
  const RunIdentity& id = spec.identity;
  if (HasCommittedLabels(data_, spec)) return data_.LabelsOf(At(spec, ""));
  const fs::path file = packed / id.test_list_sha256 / "labels.json";
  if (!packed.empty() && fs::is_regular_file(file)) {
    const auto it = packed_.find(id.test_list_sha256);
    if (it != packed_.end()) return it->second;
    try {
      return packed_.emplace(id.test_list_sha256, FactsFrom(ReadJson(file), id))
          .first->second;
    } catch (const Json::exception& error) {
      throw DataError(StrCat(file.string(), ": ", error.what()));
    } catch (const DataError& error) {
      throw DataError(StrCat(file.string(), ": ", error.what()));
    }
  }
  if (!root_.empty()) return data_.LabelsOf(At(spec, root_));
  throw DataError(StrCat("the labels of '", id.dataset,
                         "' are its owner's: ask for a pack made with "
                         "--with-labels, or give --root"));
} catch (const ConfigError& error) {
  throw DataError(error.what());
}

}  // namespace tailmark
