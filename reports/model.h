#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reports/published_model.h"

namespace tailmark {

/// Everything a report shows, as plain values: build_model.h fills it from a
/// store, every renderer reads it and nothing else. Figures are unrounded; AP
/// and mAP are in percent. Equal models give equal bytes.

/// Group name ("total", "head", ...) -> figure in percent.
using GroupFigures = std::map<std::string, Figure>;

/// An interval over test images, percent.
struct ReportInterval {
  double lo = 0;
  double hi = 0;
  std::string method;  ///< "basic bootstrap, B = 2000".
};

/// One value a step (epoch). Curves named "test/..." are mAP of the test split.
struct ReportCurve {
  std::string name;
  std::vector<std::pair<std::int64_t, double>> points;
};

struct ReportPhase {
  std::string phase;  ///< "features", "fit", "predict", ...
  double wall_s = 0;
  std::optional<std::int64_t> peak_rss;  ///< Bytes.
  std::optional<std::int64_t> items;
};

/// How far ties decide the score of one run's test matrix.
struct ReportTies {
  Figure distinct_per_class;  ///< Distinct scores, mean over classes.
  Figure tied_fraction;       ///< Of all scores, 0..1.
  Figure saturated_fraction;  ///< At the lowest or highest value, 0..1.
  Figure rank_best;           ///< Total mAP, positives first among ties.
  Figure rank_worst;          ///< Total mAP, positives last among ties.
};

/// One seed of a row: done with figures, or not done with the reason.
struct ReportRun {
  std::uint64_t seed = 0;
  std::string key;
  std::string build;           ///< Digest of the sources that made it.
  std::string environment;     ///< Fingerprint.
  std::string state = "done";  ///< NameOf(RunState).
  std::string reason;          ///< Why it is not done.
  std::string mend;            ///< The command that makes it done.

  std::map<std::string, GroupFigures> values;  ///< Definition -> groups.
  /// Of a few-shot protocol: definition -> group -> value of each episode;
  /// `values` are their means.
  std::map<std::string, std::map<std::string, std::vector<double>>> episodes{};
  /// Of selection "best_on_test": default definition -> groups with the epoch
  /// picked on the test labels, of episodes for each by itself.
  std::map<std::string, GroupFigures> picked{};
  std::vector<Figure> class_ap;  ///< Default definition, [C], percent.
  std::optional<ReportTies> ties;
  std::vector<ReportCurve> curves;
  std::vector<ReportPhase> phases;
  std::optional<std::int64_t> test_evaluations;

  bool done() const { return state == "done"; }
};

/// A method with fixed options on one data set: the runs of one recipe.
struct ReportRow {
  std::string method;  ///< "linear_probe".
  int version = 1;
  std::string family;  ///< Chooses colour and shape; "" means the method.
  /// For people; unique within a data set, equal on every data set.
  std::string label;
  std::string short_label;  ///< For charts; "" means the label.
  std::string note;         ///< What sets it apart, small under the label.
  std::string recipe;       ///< Recipe id.
  std::string selection;    ///< "last", "validation", "best_on_test".
  /// "partial", "best_on_test", "foreign": shown in words, never ranked.
  std::vector<std::string> brands;
  bool stochastic = true;  ///< False: one seed says it all.

  // What it was given (fairness ledger). Empty: not recorded.
  std::optional<std::int64_t> trained_parameters;
  std::string epochs;
  std::string weights;  ///< "nano-clip".
  std::string input;    ///< "clip-48", "features".
  std::string text;     ///< "names", "captions"; "none".
  /// Beyond training images and their labels: "given groups"; "none".
  std::string extra_data = "none";
  std::int64_t needed_runs = 0;  ///< Teachers and first stages before it.
  std::string device;            ///< "cpu", "cuda".

  std::string command;          ///< Reruns this row.
  std::vector<ReportRun> runs;  ///< By seed.

  /// Group -> interval around the mean, default definition.
  std::map<std::string, ReportInterval> intervals;
  /// Group -> letters; rows that share one are not distinguishable. Empty: no
  /// test was made.
  std::map<std::string, std::string> letters;
};

struct ReportClass {
  std::string name;
  std::int64_t train_positives = 0;
  std::int64_t test_positives = 0;
  std::string group;  ///< "head", "medium", "tail", "base", "novel".
};

/// Which classes are seen together in training images, and a partition of them
/// by that: what methods that group classes start from.
struct ReportLabelGraph {
  std::vector<double> together;      ///< [C, C] edge weights, 0..1, symmetric.
  std::vector<int> part_of;          ///< [C] 0..K-1, larger parts first.
  std::vector<std::int64_t> images;  ///< [K] training images of each part.
  Figure weight_within;              ///< Mean edge weight inside the parts.
  Figure random_weight;   ///< The same of random parts of their sizes.
  Figure bootstrap_rand;  ///< Agreement with bootstrap draws, 1 is full.
  std::string sha256;     ///< Of options, names and labels.
};

struct ReportDataset {
  std::string name;
  std::string version;
  std::string label_policy;
  std::string manifest_sha256;
  std::string train_list_sha256;  ///< Ids and label bits; "" when unknown.
  std::string test_list_sha256;
  std::int64_t train_images = 0;
  std::int64_t test_images = 0;
  std::vector<ReportClass> classes;      ///< Column order of the scores.
  std::vector<std::string> groups;       ///< Without "total", in order shown.
  std::vector<std::string> definitions;  ///< Full ids, the default first.
  std::string baseline;  ///< Label of the row others are held against; "".
  std::optional<ReportLabelGraph> label_graph;
  std::vector<ReportPublished> published;  ///< Table by table.
  std::vector<ReportRow> rows;
};

struct ReportBuild {
  std::string digest;
  std::string version;
  std::string git_sha;
  bool dirty = false;
  std::string compiler;
  std::string flags;
  std::string torch_version;
  std::int64_t runs = 0;
};

/// Fields that may move a number; never a host name or a path.
struct ReportEnvironment {
  std::string fingerprint;
  std::vector<std::pair<std::string, std::string>> fields;
  std::int64_t runs = 0;
};

struct ReportWeights {
  std::string name;
  std::string sha256;
};

struct ReportModel {
  std::string campaign;
  std::string finished_utc;  ///< Of the last run in it; never the clock.
  std::string store;         ///< File name only.
  int store_schema = 0;
  std::string command;  ///< Writes this report again.
  std::vector<ReportBuild> builds;
  std::vector<ReportEnvironment> environments;
  std::vector<ReportWeights> weights;
  std::vector<ReportDataset> datasets;
};

}  // namespace tailmark
