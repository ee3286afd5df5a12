#include "harness/metrics/definition.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <span>

#include "harness/base/error.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace {

// Enumerators index these lists.
constexpr std::string_view kTies[] = {"grouped", "input", "reverse",
                                      "best",    "worst", "expected"};
constexpr std::string_view kDifficult[] = {"ignore", "negative", "positive"};
constexpr std::string_view kEmpty[] = {"keep", "drop"};
constexpr std::string_view kNoPositive[] = {"exclude", "zero"};

struct TiesRow {
  Ties ties;
  std::string_view summary;
};
struct FamilyRow {
  ApFamily family;
  std::string_view name;
  int version;
  std::span<const TiesRow> ties;  // the family's own way first
};

constexpr TiesRow kStepTies[] = {
    {Ties::kGrouped,
     "step-wise AP, equal scores enter together (scikit-learn, LMPT)"}};
constexpr TiesRow kRankTies[] = {
    {Ties::kInput,
     "mean precision at the positives, ties in row order (meters, ASL)"},
    {Ties::kReverse,
     "mean precision at the positives, ties in reversed row order"},
    {Ties::kBest,
     "mean precision at the positives, ties broken in favour of the method"},
    {Ties::kWorst,
     "mean precision at the positives, ties broken against the method"},
    {Ties::kExpected,
     "mean precision at the positives, averaged over all orders of ties"}};
constexpr TiesRow kVoc10Ties[] = {
    {Ties::kInput,
     "area under the precision envelope, ties in row order (VOC2010 devkit)"},
    {Ties::kGrouped,
     "area under the precision envelope, equal scores enter together"}};
constexpr TiesRow kVoc07Ties[] = {
    {Ties::kInput,
     "envelope at recall 0, 0.1, ..., 1, ties in row order (VOC2007 devkit)"},
    {Ties::kGrouped,
     "envelope at recall 0, 0.1, ..., 1, equal scores enter together"}};
constexpr TiesRow kTrapezoidTies[] = {
    {Ties::kGrouped,
     "linear interpolation from (0, 1), equal scores enter together"}};
constexpr TiesRow kBinnedTies[] = {
    {Ties::kGrouped,
     "step-wise AP at fixed thresholds in [0, 1] (torchmetrics thresholds=T)"}};
constexpr int kUsualBins = 200;
constexpr int kMostBins = 100'000;

// A new family is a row here, an enumerator and a case in
// average_precision.cc. Enumerators index this list too.
constexpr FamilyRow kFamilies[] = {
    {ApFamily::kStep, "ap.step", 1, kStepTies},
    {ApFamily::kRank, "ap.rank", 1, kRankTies},
    {ApFamily::kVoc10, "ap.voc10", 1, kVoc10Ties},
    {ApFamily::kVoc07, "ap.voc07", 1, kVoc07Ties},
    {ApFamily::kTrapezoid, "ap.trapezoid", 1, kTrapezoidTies},
    {ApFamily::kBinned, "ap.binned", 1, kBinnedTies},
};

const FamilyRow& RowOf(ApFamily family) {
  return kFamilies[static_cast<std::size_t>(family)];
}
Ties OwnTies(ApFamily family) { return RowOf(family).ties.front().ties; }

// Calls `use` on each part between separators; an empty part is a part.
template <class Use>
void ForEachPart(std::string_view text, char separator, Use use) {
  while (true) {
    const auto end = text.find(separator);
    use(text.substr(0, end));
    if (end == text.npos) return;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string> Strings(std::span<const std::string_view> words) {
  return {words.begin(), words.end()};
}

// The enumerator of that name, or a ConfigError that names the whole text.
template <class Enum>
Enum FromName(std::string_view key, std::string_view value,
              std::span<const std::string_view> names, std::string_view text) {
  const auto it = std::find(names.begin(), names.end(), value);
  if (it == names.end()) {
    throw ConfigError(StrCat(
        "'", text,
        "': ", UnknownName(StrCat("value of ", key), value, Strings(names))));
  }
  return static_cast<Enum>(it - names.begin());
}

std::pair<std::string_view, std::string_view> SplitPair(std::string_view part) {
  const auto equals = part.find('=');
  if (equals == part.npos) return {part, {}};
  return {part.substr(0, equals), part.substr(equals + 1)};
}

// False when the key is none of a policy's.
bool SetPolicy(LabelPolicy& policy, std::string_view key,
               std::string_view value, std::string_view text) {
  if (key == "difficult") {
    policy.difficult = FromName<Difficult>(key, value, kDifficult, text);
  } else if (key == "empty") {
    policy.empty = FromName<Empty>(key, value, kEmpty, text);
  } else if (key == "nopos") {
    policy.no_positive = FromName<NoPositive>(key, value, kNoPositive, text);
  } else {
    return false;
  }
  return true;
}

// Refuses a key that was there before.
void Once(std::vector<std::string_view>& seen, std::string_view key,
          std::string_view text) {
  if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
    throw ConfigError(StrCat("'", text, "' says ", key, " twice"));
  }
  seen.push_back(key);
}

const FamilyRow& FindFamily(std::string_view name, std::string_view id) {
  std::vector<std::string> names;
  for (const FamilyRow& row : kFamilies) {
    if (row.name == name) return row;
    names.emplace_back(row.name);
  }
  // The whole of what was asked for, so that it can be found in a recipe.
  const std::string in = name == id ? "" : StrCat(" in '", id, "'");
  throw ConfigError(UnknownName("definition", name, names) + in);
}

// "v1" -> 1.
std::optional<int> VersionIn(std::string_view part) {
  if (part.size() < 2 || part[0] != 'v') return std::nullopt;
  int version = 0;
  const auto* end = part.data() + part.size();
  const auto [at, error] = std::from_chars(part.data() + 1, end, version);
  if (error != std::errc() || at != end) return std::nullopt;
  return version;
}

// A whole number in "bins=200"; refuses what is not one of the family's.
int BinsIn(std::string_view value, const FamilyRow& family,
           std::string_view id) {
  if (family.family != ApFamily::kBinned) {
    throw ConfigError(StrCat("'", id, "': ", family.name,
                             " has no bins; only ap.binned has"));
  }
  int bins = 0;
  const auto* end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, bins);
  if (error != std::errc() || at != end || bins < 2 || bins > kMostBins) {
    throw ConfigError(StrCat("'", id, "': bins=", value,
                             ", expected a whole number from 2 to ",
                             kMostBins));
  }
  return bins;
}

double EpsIn(std::string_view value, const FamilyRow& family,
             std::string_view id) {
  if (family.family != ApFamily::kRank) {
    throw ConfigError(
        StrCat("'", id, "': ", family.name, " has no eps; only ap.rank has"));
  }
  double eps = 0;
  const auto* end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, eps);
  if (error != std::errc() || at != end || !(eps > 0 && eps < 1)) {
    throw ConfigError(StrCat("'", id, "': eps=", value,
                             ", expected a number above 0 and below 1"));
  }
  return eps;
}

void SetPart(Definition& out, std::string_view part, const FamilyRow& family,
             std::vector<std::string_view>& seen, std::string_view id) {
  if (const auto version = VersionIn(part)) {
    Once(seen, "the version", id);
    if (*version != family.version) {
      throw ConfigError(StrCat("'", id, "': this program computes version ",
                               family.version, " of ", family.name, ", not ",
                               *version, "; write v", family.version,
                               " or leave it out"));
    }
    return;
  }
  const auto [key, value] = SplitPair(part);
  Once(seen, key, id);
  if (key == "bins") {
    out.bins = BinsIn(value, family, id);
    return;
  }
  if (key == "eps") {
    out.eps = EpsIn(value, family, id);
    return;
  }
  if (key == "ties") {
    out.ties = FromName<Ties>(key, value, kTies, id);
    if (IsValid(family.family, out.ties)) return;
    std::string allowed;
    for (const TiesRow& row : family.ties) {
      allowed += StrCat(allowed.empty() ? "" : ", ", NameOf(row.ties));
    }
    throw ConfigError(StrCat("'", id, "': ", family.name,
                             " has no ties=", value, "; it has: ", allowed));
  }
  if (SetPolicy(out.policy, key, value, id)) return;
  const std::string keys[] = {"ties",  "bins",  "eps", "difficult",
                              "empty", "nopos", "v1"};
  throw ConfigError(
      StrCat("'", id, "': ", UnknownName("part of a definition", key, keys)));
}

}  // namespace

std::string_view NameOf(ApFamily family) { return RowOf(family).name; }
std::string_view NameOf(Ties ties) {
  return kTies[static_cast<std::size_t>(ties)];
}
std::string_view NameOf(Difficult value) {
  return kDifficult[static_cast<std::size_t>(value)];
}
std::string_view NameOf(Empty value) {
  return kEmpty[static_cast<std::size_t>(value)];
}
std::string_view NameOf(NoPositive value) {
  return kNoPositive[static_cast<std::size_t>(value)];
}

bool IsValid(ApFamily family, Ties ties) {
  const auto rows = RowOf(family).ties;
  return std::any_of(rows.begin(), rows.end(),
                     [&](const TiesRow& row) { return row.ties == ties; });
}

std::string ShortId(const Definition& definition) {
  std::string id(NameOf(definition.family));
  if (definition.ties != OwnTies(definition.family)) {
    id += StrCat("/ties=", NameOf(definition.ties));
  }
  if (definition.family == ApFamily::kBinned) {
    id += StrCat("/bins=", definition.bins);
  }
  if (definition.eps > 0) {
    char text[32];
    std::snprintf(text, sizeof text, "%.17g", definition.eps);
    // The shortest that reads back as itself.
    for (int digits = 1; digits < 17; ++digits) {
      char shorter[32];
      std::snprintf(shorter, sizeof shorter, "%.*g", digits, definition.eps);
      if (std::strtod(shorter, nullptr) == definition.eps) {
        std::copy(std::begin(shorter), std::end(shorter), text);
        break;
      }
    }
    id += StrCat("/eps=", text);
  }
  return id;
}

std::string IdOf(const Definition& definition) {
  const LabelPolicy& policy = definition.policy;
  return StrCat(ShortId(definition), "/difficult=", NameOf(policy.difficult),
                "/empty=", NameOf(policy.empty),
                "/nopos=", NameOf(policy.no_positive), "/v",
                definition.version);
}

Definition ParseDefinition(std::string_view id, const LabelPolicy& defaults) {
  const FamilyRow& family = FindFamily(id.substr(0, id.find('/')), id);
  Definition out{.family = family.family,
                 .ties = OwnTies(family.family),
                 .policy = defaults,
                 .bins = family.family == ApFamily::kBinned ? kUsualBins : 0,
                 .version = family.version};
  if (id.size() == family.name.size()) return out;
  std::vector<std::string_view> seen;
  ForEachPart(
      id.substr(family.name.size() + 1), '/',
      [&](std::string_view part) { SetPart(out, part, family, seen, id); });
  return out;
}

LabelPolicy ParseLabelPolicy(std::string_view text) {
  LabelPolicy policy;
  if (text.empty()) return policy;
  std::vector<std::string_view> seen;
  ForEachPart(text, ',', [&](std::string_view part) {
    const auto [key, value] = SplitPair(part);
    Once(seen, key, text);
    if (SetPolicy(policy, key, value, text)) return;
    const std::string keys[] = {"difficult", "empty", "nopos"};
    throw ConfigError(
        StrCat("'", text, "': ", UnknownName("label policy", key, keys)));
  });
  return policy;
}

std::string TextOf(const LabelPolicy& policy) {
  return StrCat("difficult=", NameOf(policy.difficult),
                ",empty=", NameOf(policy.empty),
                ",nopos=", NameOf(policy.no_positive));
}

DefinitionInfo InfoOf(const Definition& definition) {
  const FamilyRow& family = RowOf(definition.family);
  const auto row = std::find_if(
      family.ties.begin(), family.ties.end(),
      [&](const TiesRow& each) { return each.ties == definition.ties; });
  TM_CHECK(row != family.ties.end(), "no such definition");
  return {.name = ShortId(definition),
          .version = family.version,
          .summary = std::string(row->summary)};
}

std::vector<DefinitionInfo> KnownDefinitions() {
  std::vector<DefinitionInfo> all;
  for (const FamilyRow& family : kFamilies) {
    for (const TiesRow& row : family.ties) {
      const int bins = family.family == ApFamily::kBinned ? kUsualBins : 0;
      all.push_back(
          InfoOf({.family = family.family, .ties = row.ties, .bins = bins}));
    }
  }
  return all;
}

std::vector<Definition> DefaultDefinitions(const LabelPolicy& policy) {
  std::vector<Definition> all;
  for (const char* id : {"ap.step", "ap.rank", "ap.rank/ties=best",
                         "ap.rank/ties=worst", "ap.rank/ties=expected",
                         "ap.voc10", "ap.voc07", "ap.trapezoid", "ap.binned"}) {
    all.push_back(ParseDefinition(id, policy));
  }
  return all;
}

}  // namespace tailmark
