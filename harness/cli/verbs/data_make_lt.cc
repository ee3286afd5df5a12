#include <iostream>

#include "datasets/long_tail.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/cli/data_access.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/settings.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

struct MakeOptions {
  std::string name;
  std::string root;
  std::vector<std::string> set;
  std::string out;
  std::optional<std::int64_t> most;
  std::optional<std::int64_t> least;
  std::optional<std::int64_t> seed;
  std::string power;
  bool json = false;
};

std::int64_t AtLeast(const char* name, const std::optional<std::int64_t>& given,
                     std::int64_t fallback, std::int64_t least) {
  const std::int64_t value = given.value_or(fallback);
  if (value >= least) return value;
  throw ConfigError(StrCat(name, " ", value, " is less than ", least));
}

LongTailRule RuleOf(const MakeOptions& options) {
  LongTailRule rule{.most = AtLeast("--most", options.most, 0, 0),
                    .least = AtLeast("--least", options.least, 1, 1)};
  rule.seed = static_cast<std::uint64_t>(AtLeast("--seed", options.seed, 0, 0));
  if (options.power.empty()) return rule;
  std::size_t end = 0;
  try {
    rule.power = std::stod(options.power, &end);
  } catch (const std::exception&) {
    end = 0;
  }
  if (end != options.power.size()) {
    throw ConfigError(StrCat("--power ", options.power, " is no number"));
  }
  return rule;
}

std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\n") == text.npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

/// The rows as data set `folder` reads a training list.
std::string ListOf(const Dataset& data, const std::vector<std::int64_t>& rows) {
  std::string text = "path,labels\n";
  for (const std::int64_t row : rows) {
    std::string labels;
    for (std::int64_t c = 0; c < data.train_labels().classes; ++c) {
      if (!data.train_labels().Positive(row, c)) continue;
      const auto& name = data.classes()[static_cast<std::size_t>(c)].name;
      if (name.find('|') != name.npos) {
        throw DataError(StrCat("class '", name,
                               "' has a | in its name, which parts labels"));
      }
      labels += (labels.empty() ? "" : "|") + name;
    }
    text += StrCat(CsvField(data.train().ids[static_cast<std::size_t>(row)]),
                   ",", CsvField(labels), "\n");
  }
  return text;
}

std::vector<std::int64_t> Count(const LabelMatrix& labels,
                                const std::vector<std::int64_t>& rows) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(labels.classes));
  for (const std::int64_t row : rows) {
    for (std::int64_t c = 0; c < labels.classes; ++c) {
      counts[static_cast<std::size_t>(c)] += labels.Positive(row, c);
    }
  }
  return counts;
}

int Make(const MakeOptions& options) {
  if (options.out.empty()) throw ConfigError("give -o FILE.csv");
  const LongTailRule rule = RuleOf(options);
  DataAccess data;
  const auto& entry = data.registry().Find(options.name);
  const auto root = options.root.empty() ? DefaultDataRoot(entry.info)
                                         : fs::absolute(options.root);
  const auto dataset =
      entry.open({.name = options.name,
                  .options = OptionsOfSet(entry.info.options, options.set),
                  .root = root});
  const LabelMatrix& labels = dataset->train_labels();
  std::vector<std::int64_t> all(static_cast<std::size_t>(labels.rows));
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<std::int64_t>(i);
  }
  const auto available = Count(labels, all);
  const auto targets = LongTailTargets(available, rule);
  const auto rows = DrawLongTail(labels, targets, rule.seed);
  const auto counts = Count(labels, rows);
  WriteFileAtomic(options.out, ListOf(*dataset, rows));
  OrderedJson classes = OrderedJson::array();
  std::vector<std::vector<std::string>> table = {
      {"CLASS", "GROUP", "AVAILABLE", "WANTED", "DRAWN"}};
  for (std::size_t c = 0; c < counts.size(); ++c) {
    const std::string& name = dataset->classes()[c].name;
    const std::string group(NameOf(GroupByCount(counts[c])));
    classes.push_back({{"name", name},
                       {"group", group},
                       {"available", available[c]},
                       {"wanted", targets[c]},
                       {"drawn", counts[c]}});
    table.push_back({name, group, std::to_string(available[c]),
                     std::to_string(targets[c]), std::to_string(counts[c])});
  }
  if (options.json) {
    std::cout << OrderedJson{{"file", options.out},
                             {"images", rows.size()},
                             {"seed", rule.seed},
                             {"power", rule.power},
                             {"classes", classes}}
                     .dump(2)
              << "\n";
  } else {
    std::cout << TextTable(table) << options.out << ": " << rows.size()
              << " images; use it with data set folder, option train\n";
  }
  return kExitOk;
}

}  // namespace

Verb DataMakeLtVerb() {
  auto options = std::make_shared<MakeOptions>();
  return {
      .name = "make-lt",
      .summary = "Cut a long-tailed training list out of any data set",
      .example =
          "tailmark data make-lt folder --root /data/mine --set "
          "labels=labels.csv --most 900 --least 6 --seed 1 -o lt.csv",
      .declare =
          [options](Args& args) {
            args.Positional("NAME", options->name, true, "A data set");
            args.Option("--root", options->root, "DIR", "Where its files lie");
            args.Repeated("--set", options->set, "OPTION=VALUE",
                          "An option of the data set");
            args.Option("-o,--out", options->out, "FILE.csv",
                        "Where to put the list");
            args.Option("--most", options->most, "N",
                        "Positives of the most frequent class (default: all)");
            args.Option("--least", options->least, "N",
                        "Positives of the rarest class (default: 1)");
            args.Option("--power", options->power, "A",
                        "Exponent of the Pareto law (default: 6)");
            args.Option("--seed", options->seed, "N",
                        "Names the draw of images (default: 0)");
            args.Flag("--json", options->json, "Print JSON");
          },
      .run = [options] { return Make(*options); }};
}

}  // namespace tailmark
