#include "harness/record/bundle.h"

#include <algorithm>
#include <array>
#include <set>

#include "harness/base/digest.h"
#include "harness/base/files.h"
#include "harness/base/options_json.h"
#include "harness/record/json_members.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kRecordSchema = "tailmark-run-record/1";
constexpr std::array<std::string_view, 10> kStates = {
    "planned", "running", "done", "failed",  "timeout",
    "oom",     "killed",  "lost", "skipped", "not_applicable"};

Json PhaseToJson(const PhaseTime& phase) {
  return {{"phase", phase.phase},
          {"wall_s", phase.wall_s},
          {"cpu_s", phase.cpu_s},
          {"peak_rss", phase.peak_rss},
          {"items", phase.items}};
}

PhaseTime PhaseFromJson(const Json& json) {
  JsonMembers in(json, "run record, phase");
  PhaseTime phase;
  phase.phase = in.Get<std::string>("phase");
  phase.wall_s = in.Get<double>("wall_s");
  phase.cpu_s = in.Get<double>("cpu_s");
  phase.peak_rss = in.Get<std::int64_t>("peak_rss");
  phase.items = in.Get<std::int64_t>("items");
  in.Finish();
  return phase;
}

Json CurvePointToJson(const CurvePoint& point) {
  return {{"name", point.name}, {"step", point.step}, {"value", point.value}};
}

CurvePoint CurvePointFromJson(const Json& json) {
  JsonMembers in(json, "run record, curve");
  CurvePoint point;
  point.name = in.Get<std::string>("name");
  point.step = in.Get<std::int64_t>("step");
  point.value = in.Get<double>("value");
  in.Finish();
  return point;
}

template <class T, class ToJsonOf>
Json ListToJson(const std::vector<T>& items, ToJsonOf to_json) {
  Json out = Json::array();
  for (const T& item : items) out.push_back(to_json(item));
  return out;
}

template <class T>
std::vector<T> ListFromJson(const Json& json, T (*read)(const Json&)) {
  std::vector<T> out;
  for (const Json& item : json) out.push_back(read(item));
  return out;
}

template <class T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// What may change after DONE was written, or is for people only.
bool IsOutsideSeal(const std::string& path) {
  return path == "DONE" || path == "events.jsonl" || path == "log.txt";
}

// What WriteFileAtomic leaves when its process is killed: "name.tmp.<pid>".
bool IsTemporary(const std::string& path) {
  const auto at = path.rfind(".tmp.");
  return at != path.npos && at + 5 < path.size() &&
         path.find_first_not_of("0123456789", at + 5) == path.npos;
}

/// Paths of the regular files in `folder`, from it, sorted.
std::vector<std::string> FilesIn(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code code;
  fs::recursive_directory_iterator it(folder, code);
  for (; !code && it != fs::recursive_directory_iterator();
       it.increment(code)) {
    const std::string name =
        it->path().lexically_relative(folder).generic_string();
    if (it->is_symlink()) {
      throw DataError(StrCat(folder.string(), ": ", name,
                             " is a link, which a bundle may not hold"));
    }
    if (it->is_regular_file()) files.push_back(name);
  }
  if (code) throw DataError(StrCat(folder.string(), ": ", code.message()));
  std::sort(files.begin(), files.end());
  return files;
}

bool IsInside(const std::string& path) {
  const fs::path p(path);
  if (path.empty() || p.is_absolute()) return false;
  return std::none_of(p.begin(), p.end(),
                      [](const fs::path& part) { return part == ".."; });
}

/// path -> sha256 as DONE lists them. Throws DataError when it is not a DONE.
std::map<std::string, std::string> ReadDone(const fs::path& folder) {
  const fs::path done = folder / "DONE";
  if (!fs::exists(done)) {
    throw DataError(StrCat(folder.string(),
                           ": no DONE: the run did not finish, or this is not "
                           "a bundle"));
  }
  std::map<std::string, std::string> hashes;
  const std::string text = ReadFile(done, std::int64_t{1} << 24);
  std::string_view rest = text;
  for (int line = 1; !rest.empty(); ++line) {
    const auto end = rest.find('\n');
    const std::string_view row = rest.substr(0, end);
    const std::string path(row.size() > 66 ? row.substr(66) : "");
    const bool hex = row.substr(0, 64).find_first_not_of("0123456789abcdef") ==
                     std::string_view::npos;
    if (end == rest.npos || !IsInside(path) || !hex ||
        row.substr(64, 2) != "  " ||
        !hashes.emplace(path, row.substr(0, 64)).second) {
      throw DataError(StrCat(done.string(), ":", line,
                             ": expected \"sha256  path\", found '", row, "'"));
    }
    rest.remove_prefix(end + 1);
  }
  if (!hashes.contains("run.json")) {
    throw DataError(StrCat(done.string(), ": does not list run.json"));
  }
  return hashes;
}

void CheckHashes(const fs::path& folder,
                 const std::map<std::string, std::string>& hashes) {
  for (const auto& [path, expected] : hashes) {
    const fs::path file = folder / path;
    if (!fs::is_regular_file(fs::symlink_status(file))) {
      throw DataError(StrCat(file.string(), ": is in DONE but missing"));
    }
    const std::string found = Sha256File(file);
    if (found != expected) {
      throw DataError(StrCat(file.string(), ": SHA-256 is ", found,
                             ", DONE says ", expected));
    }
  }
  for (const std::string& path : FilesIn(folder)) {
    if (!IsOutsideSeal(path) && !hashes.contains(path)) {
      throw DataError(
          StrCat((folder / path).string(), ": is not listed in DONE"));
    }
  }
}

}  // namespace

Json ToJson(const ScoreFile& file) {
  return {{"split", file.split}, {"path", file.path}, {"sha256", file.sha256},
          {"dtype", file.dtype}, {"rows", file.rows}, {"cols", file.cols},
          {"scale", file.scale}};
}

ScoreFile ScoreFileFromJson(const Json& json) {
  JsonMembers in(json, "run record, score file");
  ScoreFile file;
  file.split = in.Get<std::string>("split");
  file.path = in.Get<std::string>("path");
  file.sha256 = in.Get<std::string>("sha256");
  file.dtype = in.Get<std::string>("dtype");
  file.rows = in.Get<std::int64_t>("rows");
  file.cols = in.Get<std::int64_t>("cols");
  file.scale = in.Get<std::string>("scale");
  in.Finish();
  return file;
}

std::string_view NameOf(RunState state) {
  return kStates[static_cast<std::size_t>(state)];
}

RunState RunStateFromName(std::string_view name) {
  const auto it = std::find(kStates.begin(), kStates.end(), name);
  if (it == kStates.end()) {
    throw DataError(StrCat("unknown run state '", name, "'"));
  }
  return static_cast<RunState>(it - kStates.begin());
}

Json ToJson(const RunRecord& record) {
  return {{"schema", kRecordSchema},
          {"spec", ToJson(record.spec)},
          {"state", NameOf(record.state)},
          {"reason", record.reason},
          {"exit_code", OrNull(record.exit_code)},
          {"signal", OrNull(record.signal)},
          {"created_utc", record.created_utc},
          {"started_utc", record.started_utc},
          {"finished_utc", record.finished_utc},
          {"host", record.host},
          {"environment", record.environment},
          {"environment_fingerprint", record.environment_fingerprint},
          {"build", ToJson(record.build)},
          {"seeds", record.seeds},
          {"resolved_options", ToJson(record.resolved_options)},
          {"trained_parameters", record.trained_parameters},
          {"scores",
           ListToJson(record.scores,
                      [](const ScoreFile& file) { return ToJson(file); })},
          {"phases", ListToJson(record.phases, PhaseToJson)},
          {"curves", ListToJson(record.curves, CurvePointToJson)},
          {"command", record.command}};
}

RunRecord RunRecordFromJson(const Json& json) try {
  JsonMembers in(json, "run record");
  const auto schema = in.Get<std::string>("schema");
  if (schema != kRecordSchema) {
    throw DataError(StrCat("run record: schema is '", schema, "', expected '",
                           kRecordSchema, "'"));
  }
  RunRecord record;
  record.spec = RunSpecFromJson(in.At("spec"));
  record.state = RunStateFromName(in.Get<std::string>("state"));
  record.reason = in.Get<std::string>("reason");
  record.exit_code = in.Maybe<int>("exit_code");
  record.signal = in.Maybe<int>("signal");
  record.created_utc = in.Get<std::string>("created_utc");
  record.started_utc = in.Get<std::string>("started_utc");
  record.finished_utc = in.Get<std::string>("finished_utc");
  record.host = in.Get<std::string>("host");
  record.environment = in.At("environment");
  record.environment_fingerprint =
      in.Get<std::string>("environment_fingerprint");
  record.build = BuildInfoFromJson(in.At("build"));
  record.seeds = in.Get<std::map<std::string, std::uint64_t>>("seeds");
  record.resolved_options = OptionsFromJson(in.At("resolved_options"));
  record.trained_parameters = in.Get<std::int64_t>("trained_parameters");
  record.scores = ListFromJson(in.At("scores"), ScoreFileFromJson);
  record.phases = ListFromJson(in.At("phases"), PhaseFromJson);
  record.curves = ListFromJson(in.At("curves"), CurvePointFromJson);
  record.command = in.Get<std::string>("command");
  in.Finish();
  return record;
} catch (const ConfigError& error) {
  throw DataError(StrCat("run record: ", error.what()));
}

void SealBundle(const fs::path& folder) {
  std::string done;
  for (const std::string& path : FilesIn(folder)) {
    if (IsOutsideSeal(path)) continue;
    if (IsTemporary(path)) {
      fs::remove(folder / path);
      continue;
    }
    done += StrCat(Sha256File(folder / path), "  ", path, "\n");
  }
  WriteFileAtomic(folder / "DONE", done);
}

bool IsSealed(const fs::path& folder) try {
  for (const auto& entry : ReadDone(folder)) {
    if (!fs::is_regular_file(folder / entry.first)) return false;
  }
  return true;
} catch (const DataError&) {
  return false;
}

namespace {

/// Where a run's bundle may lie: one of --force lies beside the one it was to
/// repeat, or alone.
std::vector<fs::path> PlacesOf(const fs::path& bundles,
                               const std::string& key) {
  return {bundles / key, bundles / (key + ".forced")};
}

/// Its sealed state; "" when there is none.
fs::path SealedState(const fs::path& bundle) {
  std::error_code ignored;
  const fs::path state = bundle / "state.safetensors";
  const bool there = fs::is_regular_file(state, ignored) && IsSealed(bundle);
  return there ? state : fs::path();
}

bool IsFinished(const fs::path& bundle, const std::string& key) try {
  const RunRecord record = ReadBundle(bundle);
  return record.state == RunState::kDone && RunKey(record.spec) == key;
} catch (const DataError&) {
  return false;
} catch (const fs::filesystem_error&) {
  return false;
}

}  // namespace

fs::path FindState(const fs::path& bundles, const std::string& key) {
  for (const fs::path& bundle : PlacesOf(bundles, key)) {
    if (fs::path state = SealedState(bundle); !state.empty()) return state;
  }
  return {};
}

fs::path FindWholeState(const fs::path& bundles, const std::string& key) {
  for (const fs::path& bundle : PlacesOf(bundles, key)) {
    fs::path state = SealedState(bundle);
    if (!state.empty() && IsFinished(bundle, key)) return state;
  }
  return {};
}

RunRecord ReadBundle(const fs::path& folder) {
  const auto hashes = ReadDone(folder);
  CheckHashes(folder, hashes);
  const fs::path run = folder / "run.json";
  const Json json = ReadJson(run);
  RunRecord record;
  try {
    record = RunRecordFromJson(json);
  } catch (const DataError& error) {
    throw DataError(StrCat(run.string(), ": ", error.what()));
  }
  for (const ScoreFile& file : record.scores) {
    const auto it = hashes.find(file.path);
    if (it == hashes.end() || it->second != file.sha256) {
      throw DataError(StrCat(
          run.string(), ": names ", file.path, " with SHA-256 ", file.sha256,
          ", DONE ",
          it == hashes.end() ? "does not list it" : "says " + it->second));
    }
  }
  return record;
}

}  // namespace tailmark
