#include "tests/reports/sample.h"

#include <cmath>
#include <string>

#include "harness/base/error.h"

namespace tailmark {
namespace {

constexpr const char* kStep =
    "ap.step/difficult=positive/empty=keep/nopos=exclude/v1";
constexpr const char* kVoc07 =
    "ap.voc07/difficult=positive/empty=keep/nopos=exclude/v1";

ReportRun Run(std::uint64_t seed, GroupFigures step, GroupFigures voc07,
              std::vector<Figure> class_ap) {
  ReportRun run;
  run.seed = seed;
  run.key = StrCat("key", seed, "0123456789abcdef");
  run.build = "b1d2";
  run.environment = "e1f2";
  run.values = {{kStep, std::move(step)}, {kVoc07, std::move(voc07)}};
  run.class_ap = std::move(class_ap);
  run.ties = ReportTies{.distinct_per_class = 40,
                        .tied_fraction = 0.0125,
                        .saturated_fraction = 0.0,
                        .rank_best = 61.0,
                        .rank_worst = 60.5};
  run.phases = {{"features", 0.5, 100 << 20, 60}, {"fit", 1.25, 120 << 20, 60}};
  run.test_evaluations = 1;
  return run;
}

ReportRun Open(std::uint64_t seed, const char* state, const char* reason,
               const char* mend) {
  ReportRun run;
  run.seed = seed;
  run.key = StrCat("open", seed);
  run.state = state;
  run.reason = reason;
  run.mend = mend;
  return run;
}

ReportRow ZeroShot() {
  ReportRow row;
  row.method = "zero_shot_clip";
  row.family = "zero_shot_clip";
  row.label = "Zero-shot CLIP";
  row.short_label = "Zero-shot";
  row.recipe = "aa11";
  row.selection = "none";
  row.stochastic = false;
  row.weights = "nano-clip";
  row.input = "clip-48";
  row.text = "names";
  row.command = "tailmark run quickstart --only method=zero_shot_clip";
  row.runs = {Run(
      0, {{"total", 46.25}, {"head", 50.0}, {"medium", 45.0}, {"tail", 43.75}},
      {{"total", 47.5}, {"head", 51.0}, {"medium", 46.0}, {"tail", 45.5}},
      {50.0, 45.0, 43.75})};
  return row;
}

ReportRow Probe() {
  ReportRow row;
  row.method = "linear_probe";
  row.family = "linear_probe";
  row.label = "Linear probe, loss bce";
  row.short_label = "Probe bce";
  row.note = "loss bce";
  row.recipe = "bb22";
  row.selection = "last";
  row.trained_parameters = 1560;
  row.epochs = "30";
  row.weights = "nano-clip";
  row.input = "features";
  row.text = "none";
  row.command =
      "tailmark run quickstart --only method=linear_probe --seeds 0-2";
  row.runs = {
      Run(0,
          {{"total", 53.0}, {"head", 70.1}, {"medium", 52.0}, {"tail", 36.9}},
          {{"total", 46.0}, {"head", 60.0}, {"medium", 44.0}, {"tail", 34.0}},
          {70.1, 52.0, 36.9}),
      Run(1,
          {{"total", 53.3}, {"head", 70.2}, {"medium", 52.2}, {"tail", 37.5}},
          {{"total", 46.2}, {"head", 60.1}, {"medium", 44.2}, {"tail", 34.3}},
          {70.2, 52.2, 37.5}),
      Open(2, "timeout", "600 s wall time, epoch 3 of 5",
           "tailmark run quickstart --only method=linear_probe --rerun "
           "timeout")};
  for (ReportRun& run : row.runs) {
    if (!run.done()) continue;
    run.curves = {{"test/ap.step",
                   {{1, 48.0}, {2, 53.5}, {3, 53.0 + 0.3 * double(run.seed)}}},
                  {"train/loss", {{1, 0.7}, {2, 0.35}, {3, 0.25}}}};
    run.test_evaluations = 3;
  }
  return row;
}

ReportRow Prior() {
  ReportRow row;
  row.method = "label_prior";
  row.family = "label_prior";
  row.label = "Label prior";
  row.recipe = "cc33";
  row.selection = "none";
  row.stochastic = false;
  row.command = "tailmark run quickstart --only method=label_prior";
  row.runs = {Run(0,
                  {{"total", 10.0},
                   {"head", 12.0},
                   {"medium", 9.0},
                   {"tail", std::nullopt}},
                  {{"total", 12.0},
                   {"head", 13.0},
                   {"medium", 11.0},
                   {"tail", std::nullopt}},
                  {12.0, 9.0, std::nullopt})};
  return row;
}

void AddUnranked(ReportDataset& dataset) {
  ReportRow partial = Probe();
  partial.label = "Linear probe, first 400";
  partial.short_label.clear();
  partial.note = "run with --limit 400";
  partial.brands = {"partial"};
  partial.recipe = "dd44";
  partial.runs.resize(1);
  dataset.rows.push_back(partial);

  ReportRow missing;
  missing.method = "lmpt";
  missing.family = "lmpt";
  missing.label = "LMPT";
  missing.recipe = "ee55";
  missing.command = "tailmark run quickstart --only method=lmpt";
  missing.runs = {
      Open(0, "oom", "worker grew above 2 GiB",
           "tailmark run quickstart --only method=lmpt --rerun oom")};
  dataset.rows.push_back(missing);
}

}  // namespace

ReportModel SmallModel() {
  ReportDataset dataset;
  dataset.name = "embedded";
  dataset.version = "1";
  dataset.label_policy = "difficult=positive,empty=keep";
  dataset.manifest_sha256 = std::string(64, 'a');
  dataset.train_list_sha256 = std::string(64, 'b');
  dataset.test_list_sha256 = std::string(64, 'c');
  dataset.train_images = 200;
  dataset.test_images = 60;
  dataset.classes = {{"person", 150, 6, "head"},
                     {"ball", 40, 6, "medium"},
                     {"street lamp", 9, 6, "tail"}};
  dataset.groups = {"head", "medium", "tail"};
  dataset.definitions = {kStep, kVoc07};
  dataset.baseline = "Zero-shot CLIP";
  dataset.rows = {ZeroShot(), Probe(), Prior()};
  AddUnranked(dataset);

  ReportModel model;
  model.campaign = "quickstart";
  model.finished_utc = "2026-01-31T12:00:00Z";
  model.store = "results.db";
  model.store_schema = 1;
  model.command = "tailmark report --campaign quickstart -f html";
  model.builds = {{.digest = "b1d2",
                   .version = "0.1.0",
                   .git_sha = "3f9c2ab7d1e4",
                   .compiler = "g++ 12.2",
                   .flags = "-O2",
                   .torch_version = "2.13.0",
                   .runs = 4}};
  model.environments = {
      {"e1f2", {{"cpu", "2 cores, AVX2"}, {"threads", "1"}}, 4}};
  model.weights = {{"nano-clip", std::string(64, 'd')}};
  model.datasets = {dataset};
  return model;
}

ReportModel LargeModel(int methods, int classes) {
  ReportModel model = SmallModel();
  ReportDataset& dataset = model.datasets[0];
  dataset.rows.clear();
  dataset.classes.clear();
  dataset.test_images = 1248;
  for (int c = 0; c < classes; ++c) {
    const auto n = static_cast<std::int64_t>(
        1000.0 * std::pow(0.006, double(c) / classes));
    dataset.classes.push_back({StrCat("class name ", c), n, 120,
                               n >= 100  ? "head"
                               : n >= 20 ? "medium"
                                         : "tail"});
  }
  const char* families[] = {"zero_shot_clip", "linear_probe", "linear_probe",
                            "hp_dval",        "hp_dval",      "psd",
                            "finetune_clip",  "lmpt"};
  for (int m = 0; m < methods; ++m) {
    ReportRow row = Probe();
    row.family = families[m % 8];
    row.label = StrCat("Method number ", m, ", with an option");
    row.short_label = StrCat("Method ", m);
    row.recipe = StrCat("recipe", m);
    row.runs.clear();
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      GroupFigures sum;
      std::map<std::string, double> count;
      std::vector<Figure> ap;
      for (int c = 0; c < classes; ++c) {
        const double value =
            50 + 30 * std::sin(0.7 * c + 0.1 * m) + m + 0.3 * double(seed);
        ap.emplace_back(value);
        for (const std::string& group :
             {std::string("total"),
              dataset.classes[static_cast<std::size_t>(c)].group}) {
          sum[group] = sum[group].value_or(0) + value;
          ++count[group];
        }
      }
      for (auto& [group, value] : sum) value = *value / count[group];
      row.runs.push_back(Run(seed, sum, sum, ap));
      ReportCurve curve{"test/ap.step", {}};
      for (int e = 1; e <= 30; ++e)
        curve.points.emplace_back(e, 50.0 - 30.0 / e + m);
      row.runs.back().curves = {curve};
    }
    dataset.rows.push_back(row);
  }
  dataset.baseline = dataset.rows.empty() ? "" : dataset.rows[0].label;
  return model;
}

ReportModel HostileModel() {
  ReportModel model = SmallModel();
  const std::string evil =
      "<script>alert('x')</script> a|b_c%d\"e\" & \\f{g} $h$ #i ~j ^k `l` "
      "\x1b[31m \xff ]]> -->";
  model.campaign = evil;
  model.command = evil;
  model.builds[0].compiler = evil;
  model.environments[0].fields[0] = {evil, evil};
  model.weights[0].name = evil;
  ReportDataset& dataset = model.datasets[0];
  dataset.name = evil;
  dataset.label_policy = evil;
  dataset.classes[0].name = evil;
  for (ReportRow& row : dataset.rows) {
    if (row.label == dataset.baseline) dataset.baseline += evil;
    row.label += evil;
    row.short_label = evil;
    row.note = evil;
    row.command = evil;
    row.family = evil;
    for (ReportRun& run : row.runs) {
      if (run.done()) continue;
      run.reason = evil;
      run.mend = evil;
    }
  }
  return model;
}

ReportModel EmptyModel() {
  ReportModel model = SmallModel();
  ReportDataset& dataset = model.datasets[0];
  for (ReportRow& row : dataset.rows) {
    for (ReportRun& run : row.runs) {
      run = Open(run.seed, "planned", "not started",
                 "tailmark resume quickstart");
    }
  }
  return model;
}

}  // namespace tailmark
