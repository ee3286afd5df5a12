#include "harness/cli/score_rows.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "harness/base/clock.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/npy.h"
#include "harness/launch/task_run.h"
#include "harness/metrics/arrays.h"
#include "harness/record/json_members.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSchema = "tailmark-scores/1";

/// The first of these that is there; the last one's name when none is.
fs::path FirstOf(const std::vector<fs::path>& paths) {
  for (const fs::path& path : paths) {
    if (fs::is_regular_file(path)) return path;
  }
  return paths.back();
}

bool Matches(std::string_view name, std::string_view pattern) {
  const auto star = pattern.find('*');
  if (star == pattern.npos) return name == pattern;
  const auto before = pattern.substr(0, star);
  const auto after = pattern.substr(star + 1);
  return name.size() >= before.size() + after.size() &&
         name.starts_with(before) && name.ends_with(after);
}

/// The files that a reference means, sorted.
std::vector<fs::path> MeantBy(const fs::path& reference) {
  if (reference.filename().string().find('*') == std::string::npos) {
    return {reference};
  }
  std::vector<fs::path> files;
  std::error_code code;
  for (const auto& entry :
       fs::directory_iterator(reference.parent_path(), code)) {
    if (entry.path().extension() == ".npy" &&
        Matches(entry.path().filename().string(),
                reference.filename().string())) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) {
    throw ConfigError(
        StrCat("scores:", reference.string(), ": no .npy file there"));
  }
  return files;
}

std::vector<std::string> ReadIds(const fs::path& path) {
  std::istringstream in(ReadFile(path));
  std::vector<std::string> ids;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) ids.push_back(line);
  }
  return ids;
}

/// Place of every name; refuses one that comes twice.
std::map<std::string, std::size_t> PlacesOf(
    const std::vector<std::string>& names, const std::string& where,
    std::string_view what) {
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!places.emplace(names[i], i).second) {
      throw DataError(
          StrCat(where, ": ", what, " '", names[i], "' is named twice"));
    }
  }
  return places;
}

/// For each of `wanted` its place among `given`.
std::vector<std::size_t> Match(const std::vector<std::string>& given,
                               const std::vector<std::string>& wanted,
                               const std::string& where,
                               std::string_view what) {
  const auto places = PlacesOf(given, where, what);
  std::vector<std::size_t> order;
  for (const std::string& name : wanted) {
    const auto at = places.find(name);
    if (at == places.end()) {
      throw DataError(StrCat(where, ": ", what, " '", name,
                             "' of the test split is not there"));
    }
    order.push_back(at->second);
  }
  if (given.size() == wanted.size()) return order;
  const auto known = PlacesOf(wanted, "the test split", what);
  for (const std::string& name : given) {
    if (!known.contains(name)) {
      throw DataError(
          StrCat(where, ": ", what, " '", name, "' is none of the test split"));
    }
  }
  return order;
}

/// Rows and columns in the order of the data set.
template <class T>
std::vector<T> Arranged(const std::vector<T>& values, std::size_t columns,
                        const std::vector<std::size_t>& rows,
                        const std::vector<std::size_t>& classes) {
  std::vector<T> out;
  out.reserve(rows.size() * classes.size());
  for (const std::size_t row : rows) {
    for (const std::size_t c : classes) {
      out.push_back(values[row * columns + c]);
    }
  }
  return out;
}

ScoreFile WriteScores(const fs::path& bundle, const ScoreFileInfo& info,
                      const std::vector<std::string>& ids,
                      const std::vector<std::string>& classes) {
  const ScoreArray array =
      ScoresFromNpy(ReadNpy(info.scores), info.scores.string());
  const std::vector<std::string> given = ReadIds(info.ids);
  const auto rows = static_cast<std::size_t>(array.rows);
  const auto columns = static_cast<std::size_t>(array.classes);
  if (rows != given.size() || columns != info.classes.size()) {
    throw DataError(StrCat(
        info.scores.string(), ": ", rows, " x ", columns, " scores for ",
        given.size(), " ids in ", info.ids.filename().string(), " and ",
        info.classes.size(), " classes in ", info.meta.filename().string()));
  }
  const auto row_order = Match(given, ids, info.ids.string(), "image");
  const auto class_order =
      Match(info.classes, classes, info.meta.string(), "class");
  const std::vector<std::int64_t> shape = {
      static_cast<std::int64_t>(ids.size()),
      static_cast<std::int64_t>(classes.size())};
  ScoreFile file{
      .split = "test",
      .path = "scores/test.npy",
      .dtype = std::holds_alternative<std::vector<float>>(array.values)
                   ? "float32"
                   : "float64",
      .rows = shape[0],
      .cols = shape[1],
      .scale = info.scale};
  std::visit(
      [&](const auto& values) {
        using T = typename std::decay_t<decltype(values)>::value_type;
        WriteNpy(bundle / file.path,
                 sizeof(T) == 4 ? DType::kFloat32 : DType::kFloat64, shape,
                 Arranged(values, columns, row_order, class_order));
      },
      array.values);
  file.sha256 = Sha256File(bundle / file.path);
  return file;
}

std::vector<std::string> TestIds(const Dataset& dataset, std::int64_t limit) {
  const Split& test = dataset.test();
  std::vector<std::string> ids;
  const std::int64_t rows =
      limit > 0 ? std::min(limit, test.size()) : test.size();
  for (std::int64_t row = 0; row < rows; ++row) {
    ids.push_back(test.ids[static_cast<std::size_t>(row)]);
  }
  return ids;
}

std::string WithoutExtension(const fs::path& path) {
  return (path.parent_path() / path.stem()).string();
}

}  // namespace

ScoreFileInfo ReadScoreFile(const fs::path& scores) {
  ScoreFileInfo info{.scores = scores};
  if (scores.extension() == ".json") {
    info.meta = scores;
    info.scores = WithoutExtension(scores) + ".npy";
  } else {
    info.meta = FirstOf({WithoutExtension(scores) + ".json",
                         scores.parent_path() / "meta.json"});
  }
  for (const fs::path& path : {info.scores, info.meta}) {
    if (!fs::is_regular_file(path)) {
      throw DataError(path.string() + ": is not there");
    }
  }
  const Json json = ReadJson(info.meta);
  JsonMembers in(json, info.meta.string());
  if (const auto schema = in.Get<std::string>("schema"); schema != kSchema) {
    throw DataError(StrCat(info.meta.string(), ": schema '", schema,
                           "', expected '", kSchema, "'"));
  }
  // One meta.json may stand for many files.
  const bool shared = info.meta.filename() == "meta.json";
  const auto name = in.Get<std::string>("name", "");
  info.name = name.empty() || shared ? info.scores.stem().string() : name;
  info.version = in.Get<int>("version", 1);
  info.summary = in.Get<std::string>("summary", "scores of " + info.name);
  info.classes = in.Get<std::vector<std::string>>("classes");
  info.scale = in.Get<std::string>("scale", "unknown");
  info.pipeline = in.Get<std::string>("pipeline", "foreign");
  const auto ids = in.Get<std::string>("ids", "");
  in.Finish();
  if (info.pipeline != "foreign" && info.pipeline != "harness") {
    throw DataError(StrCat(info.meta.string(), ": pipeline '", info.pipeline,
                           "', expected foreign or harness"));
  }
  info.ids = ids.empty() ? FirstOf({WithoutExtension(info.scores) + ".ids.txt",
                                    scores.parent_path() / "ids.txt"})
                         : info.meta.parent_path() / ids;
  if (!fs::is_regular_file(info.ids)) {
    throw DataError(info.ids.string() + ": is not there");
  }
  info.sha256 = Sha256Hex(StrCat(Sha256File(info.scores), Sha256File(info.meta),
                                 Sha256File(info.ids)));
  return info;
}

std::vector<std::string> ReadScoreIds(const ScoreFileInfo& info) {
  return ReadIds(info.ids);
}

bool IsScoreFile(const fs::path& plugin) {
  return plugin.extension() == ".npy";
}

bool OnlyScoreRows(const Recipe& recipe) {
  return std::all_of(recipe.methods.begin(), recipe.methods.end(),
                     [](const MethodUse& use) {
                       return use.plugin && use.plugin->kind == "scores";
                     });
}

void AddScoreRows(Recipe& recipe, Catalog& catalog) {
  std::vector<MethodUse> methods;
  for (MethodUse& use : recipe.methods) {
    if (!use.plugin || use.plugin->kind != "scores") {
      methods.push_back(std::move(use));
      continue;
    }
    const bool named = use.name != use.use;
    const auto files = MeantBy(use.plugin->path);
    for (const fs::path& file : files) {
      const ScoreFileInfo info = ReadScoreFile(file);
      for (const MethodEntry& known : catalog.methods) {
        if (known.name == info.name) {
          throw ConfigError(StrCat(info.meta.string(), ": the name '",
                                   info.name,
                                   "' is that of a method; rename it"));
        }
      }
      catalog.methods.push_back(
          {.name = info.name,
           .version = info.version,
           .summary = info.summary,
           .input = "none",
           .trains = false,
           .stochastic = false,
           .precisions = {"fp32", "bf16", "fp16", "fp16-state"},
           .plugin = info.scores,
           .artifact_sha256 = info.sha256});
      MethodUse one = use;
      one.use = info.name;
      if (!named || files.size() > 1) one.name = info.name;
      one.plugin.reset();
      // A file holds one set of scores: seeds would be copies.
      one.seeds = {0};
      methods.push_back(std::move(one));
    }
  }
  recipe.methods = std::move(methods);
}

void MakeScoreBundle(const PlanTask& task, DataAccess& data,
                     const fs::path& bundles) {
  const fs::path bundle = FilesOf(bundles, task.key).done;
  if (IsSealed(bundle)) return;
  const ScoreFileInfo info = ReadScoreFile(task.spec.place.plugin);
  if (info.sha256 != task.spec.identity.method_artifact) {
    throw DataError(
        StrCat(info.scores.string(), ": has changed since the plan was made"));
  }
  const RunIdentity& id = task.spec.identity;
  const OpenedData& opened = data.Open({.name = id.dataset,
                                        .options = id.dataset_options,
                                        .root = task.spec.place.data_root});
  if (opened.dataset->episodes() != nullptr) {
    throw DataError(StrCat(id.dataset,
                           " has episodes, each with scores of its own; a "
                           "scores: row is one matrix"));
  }
  std::vector<std::string> classes;
  for (const ClassInfo& each : opened.dataset->classes()) {
    classes.push_back(each.name);
  }
  const fs::path part = bundle.string() + ".part";
  fs::remove_all(part);
  MakeFolders(part / "scores");
  RunRecord record;
  record.spec = task.spec;
  record.state = RunState::kDone;
  record.created_utc = record.started_utc = UtcNow();
  const auto ids = TestIds(*opened.dataset, id.limit);
  record.scores = {WriteScores(part, info, ids, classes)};
  record.finished_utc = UtcNow();
  record.build.digest = task.spec.build;
  record.resolved_options = id.method_options;
  record.command = StrCat("scores:", info.scores.filename().string());
  std::string lines;
  for (const std::string& each : ids) lines += each + "\n";
  WriteFileAtomic(part / "ids.txt", lines);
  WriteFileAtomic(part / "run.json", ToJson(record).dump(1) + "\n");
  SealBundle(part);
  fs::rename(part, bundle);
}

}  // namespace tailmark
