#include "results/ingest.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/metrics/invariants.h"
#include "results/blobs.h"
#include "results/ingest_rows.h"
#include "results/measure.h"
#include "results/sql.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

template <std::size_t N>
void CheckWord(const std::string& where, std::string_view what,
               const std::string& word,
               const std::array<std::string_view, N>& allowed) {
  if (std::find(allowed.begin(), allowed.end(), word) != allowed.end()) return;
  std::string list;
  for (const auto each : allowed) list += StrCat(list.empty() ? "" : "|", each);
  throw DataError(
      StrCat(where, ": ", what, " is '", word, "', expected ", list));
}

/// What the schema would refuse, said with the bundle's name.
void CheckWords(const std::string& where, const RunRecord& record,
                const DatasetFacts& facts) {
  constexpr std::array<std::string_view, 4> kSelections = {
      "last", "validation", "best_on_test", "none"};
  constexpr std::array<std::string_view, 5> kScales = {"logit", "probability",
                                                       "cosine", "unknown", ""};
  constexpr std::array<std::string_view, 5> kGroups = {"head", "medium", "tail",
                                                       "base", "novel"};
  constexpr std::array<std::string_view, 5> kRoles = {
      "train", "validation", "test", "support", "query"};
  CheckWord(where, "selection", record.spec.identity.selection, kSelections);
  for (const ScoreFile& file : record.scores) {
    CheckWord(where, StrCat("the scale of ", file.path), file.scale, kScales);
  }
  for (const ClassFacts& c : facts.classes) {
    CheckWord(where, StrCat("the group of class '", c.name, "'"), c.group,
              kGroups);
  }
  for (const SplitFacts& split : facts.splits) {
    CheckWord(where, StrCat("the role of split '", split.name, "'"), split.role,
              kRoles);
  }
}

/// The data set that is here now must be the one the run was planned on.
void CheckLists(const std::string& where, const RunIdentity& identity,
                const DatasetFacts& facts) {
  for (const SplitFacts& split : facts.splits) {
    if (split.episode >= 0) continue;
    const std::string* planned = nullptr;
    if (split.role == "train") planned = &identity.train_list_sha256;
    if (split.role == "test") planned = &identity.test_list_sha256;
    if (planned == nullptr || *planned == split.list_sha256) continue;
    throw DataError(
        StrCat(where, ": was made on another '", split.name, "' list of ",
               identity.dataset, ": its hash is ", *planned, ", here it is ",
               split.list_sha256,
               ". Point to the data it was made on, or run it again"));
  }
}

LabelPolicy PolicyOf(const std::string& where, const RunIdentity& identity) {
  try {
    return ParseLabelPolicy(identity.label_policy);
  } catch (const ConfigError& error) {
    throw DataError(StrCat(where, ": label_policy: ", error.what()));
  }
}

struct StoredRun {
  std::int64_t id = 0;
  int attempt = 0;
  RunState state = RunState::kDone;
  std::string reason;
};

std::optional<StoredRun> FindStored(const Sql& sql, const std::string& key,
                                    std::string_view condition,
                                    const std::string& value) {
  Statement find = sql.Prepare(
      StrCat("SELECT id, attempt, state, reason FROM run WHERE key = ? AND ",
             condition, " = ?"));
  find.Bind(key, value);
  if (!find.Step()) return std::nullopt;
  return StoredRun{.id = find.Int(0),
                   .attempt = static_cast<int>(find.Int(1)),
                   .state = RunStateFromName(find.Text(2)),
                   .reason = find.Text(3)};
}

IngestResult Answer(IngestOutcome outcome, const StoredRun& run) {
  return {.outcome = outcome,
          .run_id = run.id,
          .attempt = run.attempt,
          .state = run.state,
          .reason = run.reason,
          .warnings = {}};
}

/// What another finished run of the key scored differently: sentences.
std::vector<std::string> OtherScores(const Sql& sql, std::int64_t run,
                                     const RunRecord& record) {
  std::vector<std::string> out;
  Statement find =
      sql.Prepare("SELECT sha256 FROM score WHERE run_id = ? AND name = ?");
  for (const ScoreFile& file : record.scores) {
    find.Bind(run, file.split);
    if (find.Step() && find.Text(0) == file.sha256) continue;
    out.push_back(StrCat("another run of the same key gave other scores for '",
                         file.split, "': ", file.sha256));
  }
  return out;
}

/// A run on its way into the store.
struct Arrival {
  const RunRecord& record;
  const RunHashes& hashes;
  const DatasetFacts& facts;
  const IngestOptions& options;
  RunState state = RunState::kDone;
  std::string reason;
  std::vector<Measured> measured;
  std::int64_t looks = 0;  ///< At the test labels.
  /// Curve name ("selected", "episode-3/selected") -> epoch picked on test.
  std::map<std::string, std::int64_t> picked;
};

/// The answer when nothing has to be stored; inside a transaction, because a
/// key that was done before may get an event.
std::optional<IngestResult> FindBefore(Sql& sql, const Arrival& arrival) {
  const auto& [key, record_sha256] = arrival.hashes;
  if (const auto same = FindStored(sql, key, "record_sha256", record_sha256)) {
    return Answer(IngestOutcome::kAlreadyStored, *same);
  }
  if (arrival.state != RunState::kDone) return std::nullopt;
  const auto done = FindStored(sql, key, "state", "done");
  if (!done) return std::nullopt;
  IngestResult result = Answer(IngestOutcome::kDoneBefore, *done);
  result.warnings = OtherScores(sql, done->id, arrival.record);
  for (const std::string& what : result.warnings) {
    InsertEvent(sql, done->id, "warning", what);
  }
  return result;
}

IngestResult StoreRun(const Store& store, const fs::path& bundle,
                      const Arrival& arrival) {
  Sql& sql = store.sql();
  Transaction transaction(sql);
  if (auto before = FindBefore(sql, arrival)) {
    transaction.Commit();
    return *std::move(before);
  }
  Statement last =
      sql.Prepare("SELECT coalesce(max(attempt), 0) FROM run WHERE key = ?");
  last.Bind(arrival.hashes.key);
  last.Step();
  IngestResult result{.outcome = IngestOutcome::kStored,
                      .run_id = 0,
                      .attempt = static_cast<int>(last.Int(0)) + 1,
                      .state = arrival.state,
                      .reason = arrival.reason,
                      .warnings = {}};
  const RunIds ids =
      InsertRun(sql, arrival.record, arrival.hashes, arrival.state,
                arrival.reason, result.attempt, arrival.facts, arrival.options);
  result.run_id = ids.run;
  for (const Measured& measured : arrival.measured) {
    // Under the write lock, so that nobody vacuums it before it has a row.
    KeepBlob(store, bundle / measured.file.path, measured.bytes,
             measured.file.sha256);
    InsertMeasured(sql, ids, measured);
    for (const std::string& what : Violations(measured.evaluation)) {
      InsertEvent(sql, ids.run, "error", what);
      result.warnings.push_back(what);
    }
    const std::string ties = TieWarning(measured.evaluation.diagnostics);
    if (!ties.empty() && measured.with_classes) {
      InsertEvent(sql, ids.run, "warning", ties);
      result.warnings.push_back(ties);
    }
  }
  sql.Prepare("UPDATE run SET test_evaluations = ? WHERE id = ?")
      .Run(arrival.looks, ids.run);
  for (const auto& [curve, epoch] : arrival.picked) {
    sql.Prepare("INSERT INTO curve VALUES(?, ?, ?, 1)")
        .Run(ids.run, curve, epoch);
  }
  transaction.Commit();
  return result;
}

/// A matrix of an epoch: "test.epoch-12.episode-3" is of epoch 12, part
/// "episode-3"; of a run without episodes the part is "".
struct EpochScores {
  std::int64_t epoch = 0;
  std::string part;
};
std::optional<EpochScores> EpochOf(const std::string& scores) {
  constexpr std::string_view kMark = "test.epoch-";
  if (!scores.starts_with(kMark)) return std::nullopt;
  EpochScores out;
  const char* end = scores.data() + scores.size();
  const char* rest =
      std::from_chars(scores.data() + kMark.size(), end, out.epoch).ptr;
  if (rest != end) out.part = std::string(rest + 1, end);
  return out;
}

/// Adds the matrix of the epoch that is best on the test split, the first of
/// equals, as "test.best_on_test"; of episodes, each by itself, as
/// "test.best_on_test.episode-3". `last` stays beside it.
void PickOnTest(Arrival& arrival, const Definition& definition) {
  struct Best {
    std::size_t place = 0;
    std::int64_t epoch = 0;
    double value = 0;
  };
  std::map<std::string, Best> best;  // By part.
  for (std::size_t i = 0; i < arrival.measured.size(); ++i) {
    const Measured& each = arrival.measured[i];
    const DefinitionResult* result = each.evaluation.Find(definition);
    const auto of = EpochOf(each.file.split);
    if (!of || result == nullptr) continue;
    const auto value = result->total().percent;
    if (!value) continue;
    const auto [found, first] =
        best.try_emplace(of->part, Best{i, of->epoch, *value});
    if (!first && *value > found->second.value) {
      found->second = {i, of->epoch, *value};
    }
  }
  for (const auto& [part, chosen] : best) {
    arrival.picked[part.empty() ? "selected" : StrCat(part, "/selected")] =
        chosen.epoch;
    Measured copy = arrival.measured[chosen.place];
    copy.file.split =
        StrCat("test.best_on_test", part.empty() ? "" : ".", part);
    copy.with_classes = true;
    arrival.measured.push_back(std::move(copy));
  }
}

/// Answers that a schedule got as it trained: lines of feedback.jsonl.
std::int64_t LooksWhileTraining(const fs::path& bundle) {
  const fs::path notes = bundle / "feedback.jsonl";
  std::error_code code;
  if (bundle.empty() || !fs::exists(notes, code)) return 0;
  const std::string text = ReadFile(notes);
  return std::count(text.begin(), text.end(), '\n');
}

/// Scores every matrix; a NaN makes the run a failed one without any.
void MeasureAll(const fs::path& bundle, Arrival& arrival) {
  const LabelPolicy policy =
      PolicyOf(bundle.string(), arrival.record.spec.identity);
  for (const ScoreFile& file : arrival.record.scores) {
    Measured measured = Measure(bundle, file, arrival.facts, policy);
    if (!measured.nan.empty()) {
      arrival.state = RunState::kFailed;
      arrival.reason = measured.nan;
      arrival.measured.clear();
      return;
    }
    arrival.measured.push_back(std::move(measured));
  }
  arrival.looks += static_cast<std::int64_t>(arrival.measured.size());
  if (arrival.record.spec.identity.selection == "best_on_test") {
    PickOnTest(arrival, ParseDefinition(arrival.options.definition, policy));
  }
}

}  // namespace

IngestResult IngestBundle(Store& store, const fs::path& bundle,
                          const DatasetFacts& facts,
                          const IngestOptions& options) {
  const RunRecord record = ReadBundle(bundle);
  const std::string where = bundle.string();
  if (record.state == RunState::kPlanned ||
      record.state == RunState::kRunning) {
    throw DataError(StrCat(where, ": run.json says '", NameOf(record.state),
                           "', which is no result"));
  }
  CheckWords(where, record, facts);
  const RunHashes hashes(record);
  Arrival arrival{.record = record,
                  .hashes = hashes,
                  .facts = facts,
                  .options = options,
                  .state = record.state,
                  .reason = record.reason,
                  .measured = {},
                  .looks = LooksWhileTraining(bundle)};
  if (record.state != RunState::kDone) {
    if (arrival.reason.empty()) arrival.reason = "no reason was recorded";
    return StoreRun(store, bundle, arrival);
  }
  if (const auto same = FindStored(store.sql(), hashes.key, "record_sha256",
                                   hashes.record_sha256)) {
    return Answer(IngestOutcome::kAlreadyStored, *same);
  }
  if (record.scores.empty() == record.spec.identity.scores) {
    throw DataError(StrCat(where, ": run.json says done ",
                           record.scores.empty()
                               ? "but names no scores"
                               : "and names scores, which it was not to make"));
  }
  CheckLists(where, record.spec.identity, facts);
  MeasureAll(bundle, arrival);
  return StoreRun(store, bundle, arrival);
}

IngestResult IngestUnfinished(Store& store, const RunRecord& record,
                              const DatasetFacts& facts,
                              const IngestOptions& options) {
  const RunState state = record.state;
  if (state == RunState::kPlanned || state == RunState::kRunning ||
      state == RunState::kDone) {
    throw ConfigError(StrCat("a run without a bundle cannot be stored as '",
                             NameOf(state),
                             "': only as failed, timeout, oom, killed, lost, "
                             "skipped or not_applicable"));
  }
  if (record.reason.empty()) {
    throw ConfigError(
        StrCat("a run that is '", NameOf(state), "' needs a reason"));
  }
  CheckWords("run record", record, facts);
  const RunHashes hashes(record);
  return StoreRun(store, "",
                  {.record = record,
                   .hashes = hashes,
                   .facts = facts,
                   .options = options,
                   .state = state,
                   .reason = record.reason,
                   .measured = {},
                   .looks = 0});
}

void CountTestEvaluation(Store& store, const std::string& key) {
  store.sql()
      .Prepare(
          "UPDATE run SET test_evaluations = test_evaluations + 1 WHERE key = "
          "? AND state = 'done'")
      .Run(key);
}

}  // namespace tailmark
