#include "results/baseline.h"

#include <algorithm>

#include "harness/base/clock.h"
#include "harness/base/error.h"
#include "harness/base/suggest.h"
#include "results/sql.h"
#include "results/verdicts.h"

namespace tailmark {
namespace {

bool Blank(std::string_view text) {
  return text.find_first_not_of(" \t\n") == text.npos;
}

/// A time that no acceptance of the name has yet: two within a second would
/// otherwise be one.
std::string FreshTime(const Sql& sql, const std::string& name) {
  std::string utc = UtcNow();
  Statement newest =
      sql.Prepare("SELECT max(accepted_utc) FROM baseline WHERE name = ?");
  newest.Bind(name);
  newest.Step();
  const std::string last = newest.Text(0);
  if (last < utc) return utc;
  return last + "+";  // sorts behind, and says that it was the same moment
}

}  // namespace

void AcceptBaseline(Store& store, const std::string& name,
                    const std::vector<RunRow>& runs, const std::string& why,
                    const std::string& by) {
  if (Blank(why)) {
    throw ConfigError(
        "a baseline needs a reason: --why \"what changed, and why it is "
        "right\"");
  }
  if (Blank(name)) throw ConfigError("a baseline needs a name");
  if (runs.empty()) throw ConfigError("there is no finished run to accept");
  Sql& sql = store.sql();
  Transaction transaction(sql);
  const std::string utc = FreshTime(sql, name);
  Statement insert = sql.Prepare(
      "INSERT INTO baseline(name, run_id, accepted_utc, accepted_by, why) "
      "VALUES(?, ?, ?, ?, ?)");
  for (const RunRow& run : runs) insert.Run(name, run.id, utc, by, why);
  transaction.Commit();
}

std::vector<Baseline> Baselines(const Store& store) {
  const auto runs = Runs(store);
  std::vector<Baseline> all;
  Statement rows = store.sql().Prepare(
      "SELECT name, accepted_utc, accepted_by, why, run_id FROM baseline ORDER "
      "BY name, accepted_utc");
  rows.Bind();
  while (rows.Step()) {
    if (all.empty() || all.back().name != rows.Text(0) ||
        all.back().accepted_utc != rows.Text(1)) {
      all.push_back({.name = rows.Text(0),
                     .accepted_utc = rows.Text(1),
                     .accepted_by = rows.Text(2),
                     .why = rows.Text(3)});
    }
    const std::int64_t id = rows.Int(4);
    const auto run = std::find_if(runs.begin(), runs.end(),
                                  [&](const RunRow& r) { return r.id == id; });
    if (run != runs.end()) all.back().runs.push_back(*run);
  }
  for (Baseline& each : all) {
    std::sort(each.runs.begin(), each.runs.end(),
              [&](const RunRow& a, const RunRow& b) {
                return std::tie(a.dataset, a.method, a.recipe, a.seed) <
                       std::tie(b.dataset, b.method, b.recipe, b.seed);
              });
  }
  return all;
}

namespace {

Baseline Find(const Store& store, std::string_view name, bool newest) {
  std::optional<Baseline> found;
  std::vector<std::string> names;
  for (Baseline& each : Baselines(store)) {
    if (names.empty() || names.back() != each.name) names.push_back(each.name);
    if (each.name == name && (newest || !found)) found = std::move(each);
  }
  if (found) return *std::move(found);
  if (names.empty()) {
    throw ConfigError(StrCat("unknown baseline '", name,
                             "': the store has none; tailmark baseline accept ",
                             name, " --why REASON makes one"));
  }
  throw ConfigError(UnknownName("baseline", name, names));
}

}  // namespace

Baseline FindBaseline(const Store& store, std::string_view name) {
  return Find(store, name, true);
}
Baseline OldestBaseline(const Store& store, std::string_view name) {
  return Find(store, name, false);
}

void StoreVerdicts(Store& store, const std::vector<VerdictRow>& rows) {
  Transaction transaction(store.sql());
  VerdictWriter writer(store.sql(), "check");
  for (const VerdictRow& row : rows) {
    const GateCell& cell = row.cell;
    const auto& interval = cell.interval;
    writer.Write({.subject = row.subject,
                  .reference = row.reference,
                  .definition = row.definition,
                  .group = cell.group,
                  .difference = cell.difference,
                  .lo = interval ? std::optional(interval->lo) : std::nullopt,
                  .hi = interval ? std::optional(interval->hi) : std::nullopt,
                  .p = cell.p,
                  .p_adjusted = cell.p_adjusted,
                  .mde = cell.mde,
                  .margin = cell.margin,
                  .test = cell.test,
                  .outcome = std::string(NameOf(cell.outcome)),
                  .tier = cell.tier
                              ? std::optional(static_cast<int>(*cell.tier))
                              : std::nullopt,
                  .tries = cell.tries,
                  .reason = cell.reason});
  }
  transaction.Commit();
}

std::int64_t VerdictCount(const Store& store) {
  return store.sql().Int("SELECT count(*) FROM verdict");
}

void StoreNoise(Store& store, const std::vector<NoiseRow>& rows) {
  Sql& sql = store.sql();
  Transaction transaction(sql);
  const std::string utc = UtcNow();
  Statement insert = sql.Prepare(
      "INSERT INTO noise(utc, fingerprint, recipe, repeats, tier, grp, sd, "
      "largest) VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
  for (const NoiseRow& row : rows) {
    insert.Run(utc, row.fingerprint, row.recipe, row.repeats, row.tier,
               row.group, row.sd, row.largest);
  }
  transaction.Commit();
}

std::vector<NoiseRow> Noise(const Store& store) {
  std::vector<NoiseRow> all;
  Statement rows = store.sql().Prepare(
      "SELECT fingerprint, recipe, repeats, tier, grp, sd, largest FROM noise "
      "ORDER BY id");
  rows.Bind();
  while (rows.Step()) {
    all.push_back({.fingerprint = rows.Text(0),
                   .recipe = rows.Text(1),
                   .repeats = rows.Int(2),
                   .tier = static_cast<int>(rows.Int(3)),
                   .group = rows.Text(4),
                   .sd = rows.Real(5),
                   .largest = rows.Real(6)});
  }
  return all;
}

double NoiseSd(const Store& store, std::string_view fingerprint) {
  double sd = 0;
  for (const NoiseRow& row : Noise(store)) {
    if (row.fingerprint == fingerprint && row.tier == 2 &&
        row.group == "total") {
      sd = std::max(sd, row.sd);
    }
  }
  return sd;
}

}  // namespace tailmark
