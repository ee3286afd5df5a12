#include "results/campaign.h"

#include <utility>

#include "harness/base/clock.h"
#include "harness/base/error.h"
#include "harness/base/suggest.h"
#include "results/run_rows.h"
#include "results/sql.h"

namespace tailmark {
namespace {

constexpr std::string_view kCampaign =
    "SELECT c.id, c.name, c.created_utc, c.command, c.json, (SELECT count(*) "
    "FROM campaign_run x WHERE x.campaign_id = c.id) FROM campaign c ";
constexpr std::string_view kNewestFirst = " ORDER BY c.turn DESC";

CampaignRow ReadCampaign(const Statement& in) {
  return {.id = in.Int(0),
          .name = in.Text(1),
          .created_utc = in.Text(2),
          .command = in.Text(3),
          .recipe_json = in.Text(4),
          .cells = in.Int(5)};
}

/// What makes two plans the same: the cells and what is known of them.
std::string HashOfPlan(const CampaignPlan& plan) {
  Json cells = Json::array();
  for (const PlannedRun& run : plan.runs) {
    cells.push_back({RunKey(run.spec), run.label, NameOf(run.state)});
  }
  return HashOf(cells);
}

void InsertCells(Sql& sql, std::int64_t campaign, const CampaignPlan& plan) {
  Statement insert = sql.Prepare(
      "INSERT INTO campaign_run(campaign_id, position, key, recipe, seed, "
      "method, dataset, label, state, reason, spec) VALUES(?, ?, ?, ?, ?, ?, "
      "?, ?, ?, ?, ?)");
  std::int64_t position = 0;
  for (const PlannedRun& run : plan.runs) {
    const bool planned = run.state == RunState::kPlanned;
    const std::optional<std::string> reason =
        planned ? std::nullopt : std::optional(run.reason);
    insert.Run(campaign, position++, RunKey(run.spec),
               RecipeId(run.spec.identity), run.spec.seed,
               run.spec.identity.method, run.spec.identity.dataset, run.label,
               NameOf(run.state), reason, Canonical(ToJson(run.spec)));
  }
}

}  // namespace

std::int64_t RegisterCampaign(Store& store, const CampaignPlan& plan) {
  for (const PlannedRun& run : plan.runs) {
    TM_CHECK(run.state == RunState::kPlanned ||
                 run.state == RunState::kNotApplicable ||
                 run.state == RunState::kSkipped,
             NameOf(run.state));
  }
  Sql& sql = store.sql();
  const std::string hash = HashOfPlan(plan);
  Transaction transaction(sql);
  const std::int64_t turn =
      sql.Int("SELECT coalesce(max(turn), 0) + 1 FROM campaign");
  Statement find =
      sql.Prepare("SELECT id FROM campaign WHERE name = ? AND plan_sha256 = ?");
  find.Bind(plan.name, hash);
  std::int64_t id = 0;
  if (find.Step()) {
    id = find.Int(0);
    sql.Prepare("UPDATE campaign SET turn = ? WHERE id = ? AND turn < ?")
        .Run(turn, id, turn - 1);
  } else {
    sql.Prepare(
           "INSERT INTO campaign(name, plan_sha256, turn, created_utc, "
           "command, json) VALUES(?, ?, ?, ?, ?, ?)")
        .Run(plan.name, hash, turn, UtcNow(), plan.command,
             Canonical(plan.recipe));
    id = sql.LastId();
    InsertCells(sql, id, plan);
  }
  transaction.Commit();
  return id;
}

std::vector<CampaignRow> Campaigns(const Store& store) {
  Statement find = store.sql().Prepare(StrCat(kCampaign, kNewestFirst));
  std::vector<CampaignRow> rows;
  while (find.Step()) rows.push_back(ReadCampaign(find));
  return rows;
}

std::optional<CampaignRow> FindCampaign(const Store& store,
                                        std::string_view name) {
  Statement find = store.sql().Prepare(
      StrCat(kCampaign, name.empty() ? "" : "WHERE c.name = ?", kNewestFirst));
  if (!name.empty()) find.Bind(name);
  if (find.Step()) return ReadCampaign(find);
  if (name.empty()) return std::nullopt;
  std::vector<std::string> names;
  for (const CampaignRow& row : Campaigns(store)) names.push_back(row.name);
  if (names.empty()) return std::nullopt;
  throw ConfigError(UnknownName("campaign", name, names));
}

std::vector<Cell> Cells(const Store& store, std::int64_t campaign_id) {
  const Snapshot snapshot(store.sql());
  std::map<std::string, RunRow> runs;
  for (RunRow& run : CampaignRuns(store, campaign_id)) {
    std::string key = run.key;
    runs.emplace(std::move(key), std::move(run));
  }
  Statement find = store.sql().Prepare(
      "SELECT position, label, key, recipe, method, dataset, seed, state, "
      "reason, NOT EXISTS(SELECT 1 FROM json_each(spec, '$.tags') WHERE value "
      "= ?) FROM campaign_run WHERE campaign_id = ? ORDER BY position");
  find.Bind(kTaskTag, campaign_id);
  std::vector<Cell> cells;
  while (find.Step()) {
    Cell cell{.position = find.Int(0),
              .label = find.Text(1),
              .key = find.Text(2),
              .recipe = find.Text(3),
              .method = find.Text(4),
              .dataset = find.Text(5),
              .seed = static_cast<std::uint64_t>(find.Int(6)),
              .row = find.Int(9) != 0,
              .state = RunStateFromName(find.Text(7)),
              .reason = find.Text(8),
              .run = std::nullopt};
    if (const auto it = runs.find(cell.key); it != runs.end()) {
      cell.run = it->second;
      cell.state = it->second.state;
      cell.reason = it->second.reason;
    }
    cells.push_back(std::move(cell));
  }
  return cells;
}

std::vector<PlannedRun> PlannedRuns(const Store& store,
                                    std::int64_t campaign_id) {
  Statement find = store.sql().Prepare(
      "SELECT spec, label, state, reason FROM campaign_run WHERE campaign_id = "
      "? ORDER BY position");
  find.Bind(campaign_id);
  std::vector<PlannedRun> runs;
  while (find.Step()) {
    runs.push_back({.spec = RunSpecFromJson(ParseJson(find.Text(0), "spec")),
                    .label = find.Text(1),
                    .state = RunStateFromName(find.Text(2)),
                    .reason = find.Text(3)});
  }
  return runs;
}

std::map<RunState, std::int64_t> StateCounts(const Store& store,
                                             std::int64_t campaign_id) {
  std::map<RunState, std::int64_t> counts;
  for (const Cell& cell : Cells(store, campaign_id)) ++counts[cell.state];
  return counts;
}

}  // namespace tailmark
