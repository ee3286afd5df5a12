#include "results/pack.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/record/ustar.h"
#include "results/measure.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kSchema = "tailmark-pack/1";
constexpr std::string_view kSums = "SHA256SUMS";
/// Percent; another machine adds in the same order, so this is generous.
constexpr double kSame = 1e-9;

std::vector<std::string> FilesBelow(const fs::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files.push_back(entry.path().lexically_relative(folder).generic_string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string SumsOf(const fs::path& folder) {
  std::string sums;
  for (const std::string& file : FilesBelow(folder)) {
    if (file == kSums) continue;
    sums += StrCat(Sha256File(folder / file), "  ", file, "\n");
  }
  return sums;
}

/// path -> hash; lines that are none are said in `wrong`.
std::map<std::string, std::string> ReadSums(const fs::path& file,
                                            std::vector<std::string>& wrong) {
  std::map<std::string, std::string> sums;
  const std::string text = ReadFile(file);
  std::size_t at = 0;
  for (int number = 1; at < text.size(); ++number) {
    const auto end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    at = end == text.npos ? text.size() : end + 1;
    const bool fits =
        end != text.npos && line.size() > 66 && line.substr(64, 2) == "  ";
    if (fits && sums.emplace(line.substr(66), line.substr(0, 64)).second) {
      continue;
    }
    wrong.push_back(StrCat(kSums, ": line ", number, " is no hash and file"));
  }
  return sums;
}

std::vector<std::string> CompareSums(const fs::path& folder) {
  std::vector<std::string> wrong;
  if (!fs::is_regular_file(folder / kSums)) {
    return {StrCat(kSums, ": is not in the pack")};
  }
  auto sums = ReadSums(folder / kSums, wrong);
  for (const std::string& file : FilesBelow(folder)) {
    if (file == kSums) continue;
    const auto it = sums.find(file);
    if (it == sums.end()) {
      wrong.push_back(StrCat(file, ": ", kSums, " does not list it"));
      continue;
    }
    if (const std::string found = Sha256File(folder / file);
        found != it->second) {
      wrong.push_back(StrCat(file, ": SHA-256 is ", found, ", ", kSums,
                             " says ", it->second));
    }
    sums.erase(it);
  }
  for (const auto& [file, hash] : sums) {
    wrong.push_back(StrCat(file, ": is not in the pack"));
  }
  return wrong;
}

/// Bytes between files and after them say nothing, and must not: an archive of
/// these very files has only one form.
std::optional<std::string> OtherForm(const fs::path& archive,
                                     const std::vector<fs::path>& folders,
                                     const fs::path& scratch) {
  const fs::path again = scratch / "again.tar";
  WriteTar(again, folders);
  const std::string is = ReadFile(archive);
  const std::string expected = ReadFile(again);
  if (is == expected) return std::nullopt;
  const auto differ =
      std::mismatch(is.begin(), is.end(), expected.begin(), expected.end());
  return StrCat(archive.filename().string(), ": byte ",
                differ.first - is.begin(),
                " is not what packing these files gives");
}

/// Numbers of definitions that the pack claims anything of: one that was packed
/// before a definition was known says nothing of it.
OrderedJson OfKnownDefinitions(const Json& claimed, const OrderedJson& all) {
  std::set<std::string> known;
  for (const Json& number : claimed) {
    if (number.is_object()) known.insert(number.value("definition", ""));
  }
  OrderedJson found = OrderedJson::array();
  for (const OrderedJson& number : all) {
    if (known.contains(number["definition"].get<std::string>())) {
      found.push_back(number);
    }
  }
  return found;
}

/// A sentence on the first number that is not as claimed, or "".
std::string Differ(const Json& claimed, const OrderedJson& all) {
  if (!claimed.is_array() || claimed.empty()) {
    return StrCat("PACK.json claims no number, there are ", all.size());
  }
  const OrderedJson found = OfKnownDefinitions(claimed, all);
  if (claimed.size() != found.size()) {
    return StrCat("PACK.json claims ", claimed.size(), " numbers, there are ",
                  found.size());
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Json is = found[i];
    Json says = claimed[i];
    if (!says.is_object()) return StrCat("PACK.json: number ", i, " is none");
    const Json percent = says.value("percent", Json(nullptr));
    says["percent"] = is["percent"];
    const bool same = percent == is["percent"] ||
                      (percent.is_number() && is["percent"].is_number() &&
                       std::abs(percent.get<double>() -
                                is["percent"].get<double>()) <= kSame);
    if (same && says == is) continue;
    return StrCat(is["scores"].get<std::string>(), ", ",
                  is["definition"].get<std::string>(), ", ",
                  is["group"].get<std::string>(), ": PACK.json claims ",
                  claimed[i].dump(), ", the scores give ", is.dump());
  }
  return "";
}

void RequireClaims(const Json& pack, const std::set<std::string>& keys,
                   std::vector<std::string>& wrong) {
  if (!pack.is_object() || !pack.contains("schema") ||
      pack["schema"] != Json(kSchema) || !pack.contains("runs") ||
      !pack["runs"].is_object()) {
    wrong.push_back(StrCat("PACK.json: is not of schema ", kSchema));
    return;
  }
  for (const auto& [key, numbers] : pack["runs"].items()) {
    if (!keys.contains(key)) {
      wrong.push_back(StrCat("runs/", key,
                             ": PACK.json claims it, and it is "
                             "not in the pack"));
    }
  }
  for (const std::string& key : keys) {
    if (!pack["runs"].contains(key)) {
      wrong.push_back(StrCat("runs/", key, ": PACK.json does not know it"));
    }
  }
}

LabelPolicy PolicyOf(const fs::path& bundle, const RunRecord& record) {
  try {
    return ParseLabelPolicy(record.spec.identity.label_policy);
  } catch (const ConfigError& error) {
    throw DataError(StrCat((bundle / "run.json").string(),
                           ": label_policy: ", error.what()));
  }
}

VerifiedRun VerifyRun(const fs::path& bundle, const Json* claimed,
                      const LabelSource& labels, const fs::path& packed) {
  VerifiedRun run;
  run.key = bundle.filename().string();
  run.verdict = "wrong";
  RunRecord record;
  try {
    record = ReadBundle(bundle);
  } catch (const DataError& error) {
    run.why = error.what();
    return run;
  }
  run.method = record.spec.identity.method;
  run.dataset = record.spec.identity.dataset;
  run.seed = record.spec.seed;
  const std::string key = RunKey(record.spec);
  if (claimed != nullptr && key != run.key) {
    run.why = StrCat("run.json describes the run ", key);
    return run;
  }
  run.key = key;
  if (record.state != RunState::kDone) {
    run.why = StrCat("run.json says '", NameOf(record.state), "'");
    return run;
  }
  const DatasetFacts* facts = nullptr;
  try {
    facts = &labels(record.spec, packed);
  } catch (const DataError& error) {
    run.verdict = "labels missing";
    run.why = error.what();
    return run;
  }
  try {
    run.numbers = NumbersOf(bundle, record, *facts);
  } catch (const DataError& error) {
    run.why = error.what();
    return run;
  }
  if (claimed != nullptr) {
    run.claimed = true;
    run.why = Differ(*claimed, run.numbers);
  }
  if (run.why.empty()) run.verdict = "holds";
  return run;
}

Verification VerifyPackFolder(const fs::path& folder,
                              const LabelSource& labels) {
  Verification out{.tampered = CompareSums(folder), .runs = {}};
  if (!out.tampered.empty()) return out;
  std::set<std::string> keys;
  if (fs::is_directory(folder / "runs")) {
    for (const auto& entry : fs::directory_iterator(folder / "runs")) {
      keys.insert(entry.path().filename().string());
    }
  }
  Json pack;
  try {
    pack = ReadJson(folder / "PACK.json");
  } catch (const DataError& error) {
    out.tampered.push_back(StrCat("PACK.json: ", error.what()));
    return out;
  }
  RequireClaims(pack, keys, out.tampered);
  if (!out.tampered.empty()) return out;
  for (const std::string& key : keys) {
    out.runs.push_back(VerifyRun(folder / "runs" / key, &pack["runs"][key],
                                 labels, folder / "labels"));
  }
  return out;
}

}  // namespace

OrderedJson NumbersOf(const fs::path& bundle, const RunRecord& record,
                      const DatasetFacts& facts) {
  OrderedJson numbers = OrderedJson::array();
  const LabelPolicy policy = PolicyOf(bundle, record);
  for (const ScoreFile& file : record.scores) {
    const Measured measured = Measure(bundle, file, facts, policy);
    if (!measured.nan.empty()) throw DataError(measured.nan);
    for (const DefinitionResult& result : measured.evaluation.results) {
      for (const GroupMean& mean : result.means) {
        numbers.push_back({{"scores", file.split},
                           {"definition", IdOf(result.definition)},
                           {"group", mean.name},
                           {"percent", mean.percent ? OrderedJson(*mean.percent)
                                                    : OrderedJson(nullptr)},
                           {"classes", mean.classes},
                           {"undefined_classes", mean.undefined}});
      }
    }
  }
  return numbers;
}

void WritePack(const fs::path& archive, const std::vector<RunToPack>& runs,
               const PackedLabels& labels, const fs::path& scratch) {
  fs::remove_all(scratch);
  const fs::path folder = scratch / kPackFolder;
  MakeFolders(folder / "runs");
  Json claims = Json::object();
  for (const RunToPack& run : runs) {
    const RunRecord record = ReadBundle(run.bundle);
    if (record.state != RunState::kDone) {
      throw DataError(StrCat(run.bundle.string(), ": run.json says '",
                             NameOf(record.state), "', which has no numbers"));
    }
    const std::string key = RunKey(record.spec);
    fs::copy(run.bundle, folder / "runs" / key, fs::copy_options::recursive);
    claims[key] = NumbersOf(run.bundle, record, run.facts);
  }
  for (const auto& [path, bytes] : labels) {
    MakeFolders((folder / "labels" / path).parent_path());
    WriteFileAtomic(folder / "labels" / path, bytes);
  }
  WriteFileAtomic(folder / "PACK.json",
                  Json({{"schema", kSchema}, {"runs", claims}}).dump(1) + "\n");
  WriteFileAtomic(folder / kSums, SumsOf(folder));
  WriteTar(archive, {folder});
}

Verification Verify(const fs::path& path, const LabelSource& labels,
                    const fs::path& scratch) {
  if (fs::is_directory(path)) {
    const fs::path folder = fs::weakly_canonical(path);
    return {.tampered = {}, .runs = {VerifyRun(folder, nullptr, labels, "")}};
  }
  if (!fs::is_regular_file(path)) {
    throw DataError(StrCat(path.string(), ": no pack or bundle there"));
  }
  fs::remove_all(scratch);
  std::vector<fs::path> folders;
  try {
    for (const std::string& top : ReadTar(path, scratch / "unpacked")) {
      folders.push_back(scratch / "unpacked" / top);
    }
  } catch (const DataError& error) {
    return {.tampered = {error.what()}, .runs = {}};
  }
  Verification out;
  if (folders.size() == 1 && folders[0].filename() == kPackFolder) {
    out = VerifyPackFolder(folders[0], labels);
    if (!out.tampered.empty()) return out;
    if (const auto other = OtherForm(path, folders, scratch)) {
      return {.tampered = {*other}, .runs = {}};
    }
    return out;
  }
  for (const fs::path& folder : folders) {
    out.runs.push_back(VerifyRun(folder, nullptr, labels, ""));
  }
  if (folders.empty()) out.tampered.push_back("the archive is empty");
  return out;
}

}  // namespace tailmark
