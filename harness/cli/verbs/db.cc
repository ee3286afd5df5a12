#include <iostream>

#include "harness/base/progress.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/planning.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"
#include "results/maintenance.h"

namespace tailmark {
namespace {

struct DbOptions {
  std::string sql;
  std::optional<std::int64_t> limit;
  bool json = false;
};

OrderedJson CellToJson(const SqlValue& cell) {
  return std::visit(
      [](const auto& value) -> OrderedJson {
        using T = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return nullptr;
        } else {
          return value;
        }
      },
      cell);
}

std::string CellText(const SqlValue& cell) {
  const OrderedJson json = CellToJson(cell);
  if (json.is_null()) return "NULL";
  return json.is_string() ? json.get<std::string>() : json.dump();
}

int Check(const DbOptions& options, const GlobalOptions& global) {
  const Store store = OpenStoreToRead(global);
  const CheckResult result = CheckStore(store);
  if (options.json) {
    OrderedJson defects = OrderedJson::array();
    for (const Defect& each : result.defects) {
      defects.push_back(
          {{"kind", each.kind}, {"what", each.what}, {"fatal", each.fatal}});
    }
    std::cout << OrderedJson({{"ok", result.ok()},
                              {"runs", result.runs},
                              {"blobs", result.blobs},
                              {"bundles", result.bundles},
                              {"findings", std::move(defects)}})
                     .dump(2)
              << "\n";
  } else {
    for (const Defect& each : result.defects) {
      std::cout << (each.fatal ? "error    " : "wasteful ") << each.kind << ": "
                << each.what << "\n";
    }
    std::cout << result.runs << " runs, " << result.blobs << " score files ("
              << FormatBytes(static_cast<double>(result.blob_bytes)) << "), "
              << result.bundles << " bundles: "
              << (result.ok() ? "all as they were written" : "damaged") << "\n";
  }
  return result.ok() ? kExitOk : kExitStore;
}

int Query(const DbOptions& options, const GlobalOptions& global) {
  const Store store = OpenStoreToRead(global);
  const Table table =
      QueryStore(store, options.sql, options.limit.value_or(100000));
  if (options.json) {
    OrderedJson rows = OrderedJson::array();
    for (const auto& row : table.rows) {
      OrderedJson object = OrderedJson::object();
      for (std::size_t i = 0; i < row.size(); ++i) {
        object[table.columns[i]] = CellToJson(row[i]);
      }
      rows.push_back(std::move(object));
    }
    std::cout << rows.dump(2) << "\n";
    return kExitOk;
  }
  std::vector<std::vector<std::string>> text = {table.columns};
  for (const auto& row : table.rows) {
    text.emplace_back();
    for (const auto& cell : row) text.back().push_back(CellText(cell));
  }
  std::cout << TextTable(text);
  if (table.truncated) std::cerr << "there are more rows; give --limit N\n";
  return kExitOk;
}

/// Opening to write brings an older store up to date; reading never does.
int Migrate(const GlobalOptions& global) {
  const auto folder = StoreFolder(global);
  if (!StoreExists(folder)) OpenStoreToRead(global);  // says what is missing
  const Store store(folder);
  std::cout << folder.string() << ": version " << store.version() << "\n";
  return kExitOk;
}

int Vacuum(const GlobalOptions& global) {
  OpenStoreToRead(global);  // says so when there is none
  Store store(StoreFolder(global));
  const VacuumResult result = VacuumStore(store);
  std::cout << result.files_removed << " files removed, "
            << FormatBytes(static_cast<double>(result.bytes_freed))
            << " freed\n";
  return kExitOk;
}

}  // namespace

Verb DbVerb(const GlobalOptions& global) {
  auto options = std::make_shared<DbOptions>();
  const auto json = [options](Args& args) {
    args.Flag("--json", options->json, "Print JSON");
  };
  return {
      .name = "db",
      .summary = "Look after the store: check, migrate, query, vacuum",
      .example = "tailmark db check",
      .declare = {},
      .run = {},
      .verbs = {{.name = "check",
                 .summary = "Verify the database and every stored byte",
                 .example = "tailmark db check --json",
                 .declare = json,
                 .run = [options, &global] { return Check(*options, global); }},
                {.name = "migrate",
                 .summary = "Bring an older store up to date; a copy is kept",
                 .example = "tailmark db migrate",
                 .declare = [](Args&) {},
                 .run = [&global] { return Migrate(global); }},
                {.name = "query",
                 .summary = "Any SQL that only reads",
                 .example = "tailmark db query \"SELECT * FROM leaderboard\"",
                 .declare =
                     [options, json](Args& args) {
                       args.Positional("SQL", options->sql, true,
                                       "One statement");
                       args.Option("--limit", options->limit, "N", "Most rows");
                       json(args);
                     },
                 .run = [options, &global] { return Query(*options, global); }},
                {.name = "vacuum",
                 .summary = "Remove what no run needs and shrink the database",
                 .example = "tailmark db vacuum",
                 .declare = [](Args&) {},
                 .run = [&global] { return Vacuum(global); }}}};
}

}  // namespace tailmark
