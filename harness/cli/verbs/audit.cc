#include <cmath>
#include <iostream>
#include <set>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"
#include "results/lint.h"
#include "results/published.h"

namespace tailmark {
namespace {

struct AuditOptions {
  std::string file;
  std::vector<std::string> groups;  ///< "head=22"
  bool json = false;
};

std::map<std::string, int> GroupsOf(const std::vector<std::string>& given) {
  std::map<std::string, int> groups;
  for (const std::string& each : given) {
    const auto equals = each.find('=');
    int size = 0;
    try {
      if (equals != each.npos) size = std::stoi(each.substr(equals + 1));
    } catch (const std::exception&) {
      size = 0;
    }
    if (equals == 0 || size < 1) {
      throw ConfigError(StrCat("--group ", each,
                               ": write --group NAME=CLASSES, as in head=22"));
    }
    groups[each.substr(0, equals)] = size;
  }
  return groups;
}

OrderedJson LintFindingToJson(const LintFinding& finding) {
  const auto number = [](const std::optional<double>& value) {
    return value ? OrderedJson(*value) : OrderedJson(nullptr);
  };
  return {{"source", finding.source},
          {"table", finding.table},
          {"row", finding.row},
          {"dataset", finding.dataset},
          {"cell", finding.cell},
          {"rule", finding.rule},
          {"printed", number(finding.printed)},
          {"expected", number(finding.expected)},
          {"explanation", finding.explanation}};
}

/// Cells whose groups could be held against their total, and how many failed.
struct Score {
  int cells = 0;
  int wrong = 0;
};
Score ScoreOf(const PublishedTable& table) {
  Score score;
  for (const PublishedRow& row : table.rows) {
    const auto mean = GroupMeanOf(table, row);
    if (!mean) continue;
    ++score.cells;
    score.wrong += mean->Holds(row.Find("total")->value) ? 0 : 1;
  }
  return score;
}

/// Data sets with a total and groups in the table, but no sizes of the groups.
std::set<std::string> Unweighted(const PublishedTable& table) {
  std::set<std::string> datasets;
  for (const PublishedRow& row : table.rows) {
    if (table.groups.contains(row.dataset) || row.Find("total") == nullptr) {
      continue;
    }
    if (row.Find("head") != nullptr || row.Find("tail") != nullptr) {
      datasets.insert(row.dataset);
    }
  }
  return datasets;
}

void Print(const std::vector<Published>& all) {
  for (const Published& published : all) {
    const auto findings = Lint(published);
    for (const PublishedTable& table : published.tables) {
      std::cout << table.source << ":" << table.id << ", " << table.rows.size()
                << (table.rows.size() == 1 ? " row" : " rows");
      if (const Score score = ScoreOf(table); score.cells > 0) {
        std::cout << "; " << score.wrong << " of " << score.cells
                  << " cells have groups that do not average to their total";
      }
      std::cout << "\n";
      for (const std::string& dataset : Unweighted(table)) {
        std::cout << "  "
                  << (dataset.empty() ? "groups" : dataset + "'s groups")
                  << " are not held against their total: say how many classes "
                     "each has, --group head=22 --group medium=33 ...\n";
      }
      for (const LintFinding& each : findings) {
        if (each.table != table.id) continue;
        std::cout << "  " << each.row
                  << (each.dataset.empty() ? "" : " on " + each.dataset) << ", "
                  << each.cell << " [" << each.rule << "]: " << each.explanation
                  << "\n";
      }
    }
  }
}

int Audit(const AuditOptions& options) {
  std::vector<Published> all;
  const auto groups = GroupsOf(options.groups);
  if (options.file.empty()) {
    if (!groups.empty()) {
      throw ConfigError("--group is for a table of yours: give its FILE");
    }
    all = ReadAllPublished();
  } else {
    all.push_back(ReadPublished(options.file, groups));
  }
  if (!options.json) {
    Print(all);
    return kExitOk;
  }
  OrderedJson findings = OrderedJson::array();
  for (const Published& published : all) {
    for (const LintFinding& each : Lint(published)) {
      findings.push_back(LintFindingToJson(each));
    }
  }
  std::cout << findings.dump(2) << "\n";
  return kExitOk;
}

}  // namespace

Verb AuditVerb() {
  auto options = std::make_shared<AuditOptions>();
  return {.name = "audit",
          .summary =
              "Check printed tables: do groups average to totals, F1 to "
              "precision and recall",
          .example =
              "tailmark audit mytable.csv --group head=22 --group "
              "medium=33 --group tail=25 --json",
          .declare =
              [options](Args& args) {
                args.Positional("FILE", options->file, false,
                                "A table as .csv or .json (default: the "
                                "published tables that come with Tailmark)");
                args.Repeated("--group", options->groups, "NAME=CLASSES",
                              "Classes of a group, where the data set is not "
                              "coco-lt or voc-lt");
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options] { return Audit(*options); }};
}

}  // namespace tailmark
