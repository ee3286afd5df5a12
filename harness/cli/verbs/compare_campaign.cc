#include <cstdio>
#include <iostream>

#include "harness/base/error.h"
#include "harness/base/log.h"
#include "harness/cli/comparing.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/planning.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"

namespace tailmark {
namespace {

std::string Fixed(const OrderedJson& value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value.get<double>());
  return text;
}

/// All rows against each other: letters per group.
OrderedJson LettersOf(Store& store, DataAccess& data,
                      const std::vector<ComparedRow>& rows,
                      const std::string& definition_id,
                      const BootstrapOptions& bootstrap) {
  const Definition definition =
      DefinitionOf(store, rows.front().runs.front(), definition_id);
  std::vector<Replicates> means;
  for (const ComparedRow& row : rows) {
    means.push_back(
        MeanOverSeeds(Resample(store, row, definition, bootstrap, data)));
  }
  const RowStanding ranked = RankRows(means);
  OrderedJson groups = OrderedJson::object();
  for (const std::string& name : ranked.group_names) {
    OrderedJson list = OrderedJson::array();
    for (const RowStanding::Entry& entry : ranked.groups.at(name)) {
      OrderedJson row = {{"row", rows[entry.row].label},
                         {"percent", NumberOrNull(entry.percent)},
                         {"interval", nullptr},
                         {"letters", entry.letters}};
      if (entry.interval) {
        row["interval"] = {entry.interval->lo, entry.interval->hi};
      }
      list.push_back(std::move(row));
    }
    groups[name] = std::move(list);
  }
  return {{"dataset", rows.front().data}, {"definition", IdOf(definition)},
          {"images", ranked.images},      {"resamples", bootstrap.resamples},
          {"interval", "basic, 95 %"},    {"groups", std::move(groups)}};
}

void PrintLetters(const OrderedJson& answer) {
  std::cout << answer["dataset"].get<std::string>() << ", " << answer["images"]
            << " images, " << answer["definition"].get<std::string>()
            << "; rows that share a letter are not distinguishable\n";
  for (const auto& [group, rows] : answer["groups"].items()) {
    std::vector<std::vector<std::string>> table = {
        {group, "mAP", "95 % INTERVAL", "LETTERS"}};
    for (const OrderedJson& row : rows) {
      const bool defined = !row["percent"].is_null();
      table.push_back({row["row"].get<std::string>(),
                       defined ? Fixed(row["percent"]) : "undefined",
                       defined ? StrCat(Fixed(row["interval"][0]), " to ",
                                        Fixed(row["interval"][1]))
                               : "",
                       row["letters"].get<std::string>()});
    }
    std::cout << "\n" << TextTable(table);
  }
}

}  // namespace

int CompareCampaign(const std::string& campaign, const std::string& definition,
                    const BootstrapOptions& bootstrap, bool json,
                    const GlobalOptions& global) {
  OpenStoreToRead(global);
  Store store(StoreFolder(global));
  DataAccess data;
  std::map<std::string, std::vector<ComparedRow>> by_data;
  for (ComparedRow& row : FindRows(store, campaign)) {
    by_data[row.data].push_back(std::move(row));
  }
  OrderedJson answers = OrderedJson::array();
  for (const auto& [name, rows] : by_data) {
    std::vector<ComparedRow> alike;
    for (const ComparedRow& row : rows) {
      const std::string why =
          WhyNotComparable(store, rows.front().runs.front(), row.runs.front());
      if (why.empty()) {
        alike.push_back(row);
      } else {
        LogWarning(StrCat(row.label, " is left out: ", why));
      }
    }
    if (alike.size() < 2) continue;
    answers.push_back(LettersOf(store, data, alike, definition, bootstrap));
  }
  if (answers.empty()) {
    LogError("nothing to compare: give two runs, rows or campaigns");
    return kExitNothing;
  }
  if (json) {
    std::cout << answers.dump(2) << "\n";
    return kExitOk;
  }
  for (const OrderedJson& answer : answers) PrintLetters(answer);
  return kExitOk;
}

}  // namespace tailmark
