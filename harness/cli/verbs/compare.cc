#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

#include "harness/base/error.h"
#include "harness/base/log.h"
#include "harness/cli/comparing.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/planning.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"
#include "harness/metrics/rank_flips.h"
#include "harness/metrics/significance.h"

namespace tailmark {
namespace {

constexpr std::size_t kMostImages = 10;
constexpr std::size_t kMostClasses = 5;

struct CompareVerbOptions {
  std::vector<std::string> what;  ///< One or two words.
  std::string scores, against, labels, known, groups;
  std::string definition;
  std::optional<std::int64_t> resamples;
  std::optional<std::int64_t> seed;
  bool json = false;

  BootstrapOptions bootstrap() const {
    return {.resamples = resamples.value_or(2000),
            .seed = static_cast<std::uint64_t>(seed.value_or(0))};
  }
};

std::string Points(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%+.2f", value);
  return text;
}
std::string Fixed(const std::optional<double>& value, const char* format) {
  if (!value) return "undefined";
  char text[32];
  std::snprintf(text, sizeof text, format, *value);
  return text;
}

/// The two sides with everything that was found. Differences are a - b: the
/// first named against the second.
struct Answer {
  std::string a, b;
  std::int64_t images = 0;
  Definition definition;
  BootstrapOptions options;
  PairedComparison compared;
  std::vector<std::string> class_names;
  WorstImages worst;
  ScoreDrift drift;
  OrderedJson units = nullptr;
};

OrderedJson ImagesAnswer(const std::vector<ImageInfluence>& images) {
  OrderedJson out = OrderedJson::array();
  for (const ImageInfluence& image : images) {
    out.push_back({{"row", image.row}, {"points", image.influence}});
  }
  return out;
}

OrderedJson DriftAnswer(const ScoreDrift& drift) {
  std::int64_t gained = 0;
  std::int64_t lost = 0;
  std::int64_t pairs = 0;
  for (const ClassFlips& flips : drift.classes) {
    gained += flips.gained;
    lost += flips.lost;
    pairs += flips.pairs;
  }
  OrderedJson largest = OrderedJson::array();
  for (const FlippedPair& pair : drift.pairs) {
    largest.push_back({{"class", pair.class_index},
                       {"positive_row", pair.positive_row},
                       {"negative_row", pair.negative_row},
                       {"gained", pair.gained},
                       {"points", pair.effect}});
  }
  return {{"pairs", pairs},        {"gained", gained},
          {"lost", lost},          {"largest_move", drift.largest},
          {"p99_move", drift.p99}, {"largest", std::move(largest)}};
}

OrderedJson AnswerToJson(const Answer& answer) {
  OrderedJson out = {{"a", answer.a},
                     {"b", answer.b},
                     {"difference", "a - b"},
                     {"images", answer.images},
                     {"definition", IdOf(answer.definition)},
                     {"resamples", answer.options.resamples},
                     {"seed", answer.options.seed},
                     {"interval", "percentile, 95 %"}};
  const OrderedJson compared = ToJson(answer.compared, answer.class_names);
  out["groups"] = compared["groups"];
  out["classes"] = compared["classes"];
  out["units"] = answer.units;
  out["worst_images"] = {{"against_a", ImagesAnswer(answer.worst.against)},
                         {"for_a", ImagesAnswer(answer.worst.for_b)}};
  out["rank_flips"] = DriftAnswer(answer.drift);
  return out;
}

std::string ClassName(const Answer& answer, std::int64_t index) {
  const auto i = static_cast<std::size_t>(index);
  return i < answer.class_names.size() ? answer.class_names[i]
                                       : StrCat("class ", index);
}

void PrintClasses(const Answer& answer) {
  std::vector<const PairedClass*> order;
  for (const PairedClass& each : answer.compared.classes) {
    if (each.difference && *each.difference != 0) order.push_back(&each);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const PairedClass* x, const PairedClass* y) {
                     return *x->difference < *y->difference;
                   });
  if (order.empty()) return;
  std::vector<std::vector<std::string>> table = {
      {"CLASS", "A - B", "95 % INTERVAL", "P (BH)"}};
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i >= kMostClasses && i + kMostClasses < order.size()) continue;
    const PairedClass& each = *order[i];
    table.push_back(
        {ClassName(answer, each.index), Points(*each.difference),
         StrCat(Points(each.interval.lo), " to ", Points(each.interval.hi)),
         Fixed(each.p_adjusted, "%.3g")});
  }
  std::cout << "\nLargest losses and wins by class:\n" << TextTable(table);
}

void Print(const Answer& answer) {
  std::cout << "a: " << answer.a << "\nb: " << answer.b << "\n"
            << answer.images << " images, " << answer.options.resamples
            << " resamples, " << IdOf(answer.definition) << "\n\n";
  std::vector<std::vector<std::string>> table = {
      {"GROUP", "A", "B", "A - B", "95 % INTERVAL", "P", "P (HOLM)", "MDE",
       "MARGIN", "OUTCOME"}};
  for (const PairedGroup& group : answer.compared.groups) {
    std::vector<std::string> row = {group.name, Fixed(group.a, "%.2f"),
                                    Fixed(group.b, "%.2f")};
    if (group.difference) {
      for (const std::string& cell :
           {Points(*group.difference),
            StrCat(Points(group.interval.lo), " to ",
                   Points(group.interval.hi)),
            Fixed(group.p, "%.3g"), Fixed(group.p_adjusted, "%.3g"),
            Fixed(group.mde, "%.2f"), Fixed(group.margin, "%.1f")}) {
        row.push_back(cell);
      }
    } else {
      row.insert(row.end(), 6, "");
    }
    row.emplace_back(NameOf(group.finding));
    table.push_back(std::move(row));
  }
  std::cout << TextTable(table);
  PrintClasses(answer);
  if (!answer.units.is_null()) {
    std::cout << "\nOver " << answer.units["unit"].get<std::string>()
              << "s, another source of variation: "
              << answer.units["summary"].get<std::string>() << "\n";
  }
  for (const ImageInfluence& image : answer.worst.against) {
    if (&image == &answer.worst.against.front()) {
      std::cout << "\nImages that speak most against a (row, points):\n ";
    }
    std::cout << " " << image.row << " (" << Fixed(image.influence, "%+.3f")
              << ")";
  }
  if (!answer.worst.against.empty()) std::cout << "\n";
  const OrderedJson drift = DriftAnswer(answer.drift);
  std::cout << "\nPairs of a positive and a negative image that changed "
               "places: a gained "
            << drift["gained"] << ", lost " << drift["lost"] << " of "
            << drift["pairs"] << "\n";
}

/// Seeds or episodes: never merged with the variation over images.
OrderedJson UnitsAnswer(const UnitValues& units) {
  const bool paired = units.paired && units.a.size() >= 2;
  if (!paired && (units.a.size() + units.b.size() < 3 || units.a.empty() ||
                  units.b.empty())) {
    return nullptr;
  }
  const MeanTest test =
      paired ? PairedTest(units.b, units.a) : WelchTest(units.b, units.a);
  const double permutation =
      paired ? SignFlipP(units.b, units.a) : PermutationP(units.b, units.a);
  OrderedJson out = {{"unit", units.unit},
                     {"paired", paired},
                     {"a", units.a},
                     {"b", units.b},
                     {"difference", test.difference},
                     {"interval", {test.interval.lo, test.interval.hi}},
                     {"p", test.p},
                     {"test", paired ? "paired t" : "Welch t"},
                     {"p_permutation", permutation}};
  out["summary"] = StrCat(
      Points(test.difference), " (95 % ", Points(test.interval.lo), " to ",
      Points(test.interval.hi), "), p ", Fixed(test.p, "%.3g"),
      paired ? " (paired t), " : " (Welch), ", Fixed(permutation, "%.3g"),
      " (permutation), n = ", units.a.size(), " and ", units.b.size());
  return out;
}

Answer CompareData(const ScoredData& a, const ScoredData& b,
                   const Definition& definition,
                   const CompareVerbOptions& options) {
  Answer out{.a = a.name,
             .b = b.name,
             .definition = definition,
             .options = options.bootstrap(),
             .class_names = a.class_names};
  const auto resample = [&](const ScoredData& side) {
    return BootstrapImages(side.scores.view(), a.label_spans(), a.groups,
                           definition, out.options);
  };
  const Replicates of_b = resample(b);
  out.images = of_b.images;
  out.compared = ComparePaired(of_b, resample(a));
  // ComparePaired subtracts its first from its second.
  for (PairedGroup& group : out.compared.groups) std::swap(group.a, group.b);
  for (PairedClass& each : out.compared.classes) std::swap(each.a, each.b);
  out.worst = FindWorstImages(b.scores.view(), a.scores.view(), a.label_spans(),
                              definition, kMostImages);
  out.drift = FindDrift(b.scores.view(), a.scores.view(), a.label_spans(),
                        definition.policy);
  return out;
}

void PrintAnswers(const std::vector<Answer>& answers, bool json, bool one) {
  if (!json) {
    for (const Answer& answer : answers) {
      Print(answer);
      if (&answer != &answers.back()) std::cout << "\n";
    }
    return;
  }
  if (one) {
    std::cout << AnswerToJson(answers.front()).dump(2) << "\n";
    return;
  }
  OrderedJson all = OrderedJson::array();
  for (const Answer& answer : answers) all.push_back(AnswerToJson(answer));
  std::cout << all.dump(2) << "\n";
}

int CompareFiles(const CompareVerbOptions& options) {
  if (options.scores.empty() || options.against.empty() ||
      options.labels.empty()) {
    throw ConfigError(
        "give two runs, rows or campaigns, or --scores A.npy --against B.npy "
        "--labels L.npy");
  }
  const ScoredData a = DataFromFiles(options.scores, options.labels,
                                     options.known, options.groups);
  const ScoredData b = DataFromFiles(options.against, options.labels,
                                     options.known, options.groups);
  const std::string id =
      options.definition.empty() ? "ap.step" : options.definition;
  PrintAnswers({CompareData(a, b, ParseDefinition(id, a.policy), options)},
               options.json, true);
  return kExitOk;
}

/// One pair of rows: images through the mean over seeds, seeds or episodes on
/// their own.
Answer CompareRows(Store& store, DataAccess& data, const ComparedRow& a,
                   const ComparedRow& b, const CompareVerbOptions& options) {
  const RunRow& first = a.runs.front();
  const Definition definition = DefinitionOf(store, first, options.definition);
  Answer out;
  const bool episodes = CountedScores(store, first).size() > 1;
  if (a.runs.size() == 1 && b.runs.size() == 1 && !episodes) {
    out = CompareData(DataFromRun(store, first, data),
                      DataFromRun(store, b.runs.front(), data), definition,
                      options);
    CountTestEvaluation(store, first.key);
    CountTestEvaluation(store, b.runs.front().key);
  } else {
    // Images and flips of the first seed, or episode, speak for the row.
    const std::string scores = CountedScores(store, first).front();
    const ScoredData in = DataFromRun(store, first, data, scores);
    out.definition = definition;
    out.options = options.bootstrap();
    const auto mean_a =
        MeanOverSeeds(Resample(store, a, definition, out.options, data));
    const auto mean_b =
        MeanOverSeeds(Resample(store, b, definition, out.options, data));
    out.images = mean_a.images;
    out.compared = ComparePaired(mean_b, mean_a);
    for (PairedGroup& group : out.compared.groups) std::swap(group.a, group.b);
    for (PairedClass& each : out.compared.classes) std::swap(each.a, each.b);
    out.class_names = in.class_names;
    const ScoredData other = DataFromRun(store, b.runs.front(), data, scores);
    out.worst = FindWorstImages(other.scores.view(), in.scores.view(),
                                in.label_spans(), definition, kMostImages);
    out.drift = FindDrift(other.scores.view(), in.scores.view(),
                          in.label_spans(), definition.policy);
  }
  const auto name = [](const ComparedRow& row) {
    return StrCat(row.label, " on ", row.data, ", ", row.runs.size(),
                  row.runs.size() == 1 ? " run" : " runs");
  };
  out.a = name(a);
  out.b = name(b);
  out.units = UnitsAnswer(UnitsOf(store, a, b, definition, "total"));
  return out;
}

int CompareWords(const CompareVerbOptions& options,
                 const GlobalOptions& global) {
  OpenStoreToRead(global);
  Store store(StoreFolder(global));
  DataAccess data;
  const auto rows_a = FindRows(store, options.what[0]);
  const auto rows_b = FindRows(store, options.what[1]);
  std::vector<Answer> answers;
  std::string why = "no data set is in both";
  for (const ComparedRow& a : rows_a) {
    for (const ComparedRow& b : rows_b) {
      const bool same_data = OnTheSameData(store, a, b);
      const bool same_row =
          a.dataset == b.dataset &&
          (rows_a.size() == 1 || rows_b.size() == 1 || a.label == b.label);
      const auto on = [&](const std::vector<ComparedRow>& rows) {
        return std::count_if(rows.begin(), rows.end(), [&](const auto& row) {
          return OnTheSameData(store, row, a);
        });
      };
      const bool only = same_data && on(rows_a) == 1 && on(rows_b) == 1;
      if (!same_row && !only) continue;
      const std::string not_comparable =
          WhyNotComparable(store, a.runs.front(), b.runs.front());
      if (!not_comparable.empty()) {
        why = StrCat(a.label, " and ", b.label,
                     " are not comparable: ", not_comparable);
        LogWarning(why);
        continue;
      }
      answers.push_back(CompareRows(store, data, a, b, options));
    }
  }
  if (answers.empty()) {
    LogError(StrCat("nothing to compare: ", why));
    return kExitNotComparable;
  }
  PrintAnswers(answers, options.json, false);
  return kExitOk;
}

int Compare(const CompareVerbOptions& options, const GlobalOptions& global) {
  if (options.seed && *options.seed < 0) {
    throw ConfigError(StrCat("--seed ", *options.seed, " is below 0"));
  }
  if (options.what.empty()) return CompareFiles(options);
  if (!options.scores.empty() || !options.labels.empty()) {
    throw ConfigError("give runs, or --scores and --labels, not both");
  }
  if (options.what.size() > 2) {
    throw ConfigError(StrCat("compare takes two runs, rows or campaigns, not ",
                             options.what.size()));
  }
  if (options.what.size() == 1) {
    return CompareCampaign(options.what[0], options.definition,
                           options.bootstrap(), options.json, global);
  }
  return CompareWords(options, global);
}

}  // namespace

Verb CompareVerb(const GlobalOptions& global) {
  auto options = std::make_shared<CompareVerbOptions>();
  return {.name = "compare",
          .summary =
              "Compare two runs, rows or campaigns on the same images; or all "
              "rows of a campaign",
          .example = "tailmark compare linear_probe zero_shot_clip",
          .declare =
              [options](Args& args) {
                args.Rest("WHAT", options->what, false,
                          "Two runs (keys), rows (labels; CAMPAIGN/LABEL of "
                          "an older campaign) or campaigns; or one campaign, "
                          "for letters");
                args.Option("--scores", options->scores, "A.npy",
                            "Scores [N, C] instead of runs");
                args.Option("--against", options->against, "B.npy",
                            "Scores of the same images");
                args.Option("--labels", options->labels, "L.npy",
                            "Labels [N, C], uint8 0 or 1");
                args.Option("--known", options->known, "K.npy",
                            "Which labels are known [N, C], bool");
                args.Option("--groups", options->groups, "G.json",
                            "{\"head\": [class indices], ...}");
                args.Option("--definition", options->definition, "ID",
                            "Of average precision (default: ap.step)");
                args.Option("--resamples", options->resamples, "B",
                            "Of the images (default: 2000)");
                args.Option("--seed", options->seed, "N",
                            "Of the resamples (default: 0)");
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options, &global] { return Compare(*options, global); }};
}

}  // namespace tailmark
