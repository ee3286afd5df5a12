// HP-DVAL at full size: a ViT-B/16 with random weights, a few optimiser steps
// of one stage on random pictures, then scored batches. One process a stage, so
// that its peak memory is the stage's own. Prints one line of JSON.
//
//   hp_dval_steps --stage 1 --classes 80 --batch 8 --steps 2
//
// python/hp_dval_peer.py takes turns with it. Exit code 1: a loss or score is
// not finite.

#include <sys/resource.h>

#include <ATen/Parallel.h>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/allocation.h"
#include "harness/base/clock.h"
#include "harness/base/json.h"
#include "methods/clip/clip_encoder.h"
#include "methods/hp_dval/trainer.h"
#include "methods/optim/autocast.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

struct StepsOptions {
  std::string stage = "1";
  std::string precision = "fp32";  ///< Or "bf16", as a recipe's.
  std::int64_t classes = 80;
  std::int64_t images = 1909;
  std::int64_t batch = 8;
  std::int64_t steps = 2;
  std::int64_t scored = 5;  ///< Batches scored after the steps.
  std::int64_t words = 10;  ///< Ids of a text, start and end included.
  std::int64_t threads = 1;
  bool recompute = false;
  bool tiny = false;
};

ClipModel RandomClip(bool tiny) {
  ClipConfig config;
  config.patch_size = 16;
  if (tiny) {
    config.image_size = 32;
    config.vision = {.width = 64, .mlp = 128, .layers = 2, .heads = 2};
    config.text = {.width = 64, .mlp = 128, .layers = 2, .heads = 2};
    config.joint_width = 32;
  }
  ClipModel model(config, at::TensorOptions(at::kFloat));
  InitialiseLikeOpenAi(model, 1);
  return model;
}

/// A text for each class, told apart by one word: "start w ... class . end".
at::Tensor Texts(const StepsOptions& o, const ClipConfig& config) {
  auto ids = at::zeros({o.classes, config.context_length}, at::kLong);
  ids.narrow(1, 0, o.words).fill_(1);
  ids.select(1, o.words - 3).copy_(at::arange(o.classes) + 10);
  ids.select(1, o.words - 1).fill_(config.end.id);
  return ids;
}

double PeakMiB() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

/// As long a tail as COCO-LT's: from 6 in 10 images down to 6 images.
std::vector<std::int64_t> Counts(const StepsOptions& o) {
  std::vector<std::int64_t> counts;
  for (std::int64_t c = 0; c < o.classes; ++c) {
    const double rank = static_cast<double>(c) / static_cast<double>(o.classes);
    counts.push_back(
        6 + static_cast<std::int64_t>(0.6 * static_cast<double>(o.images) *
                                      std::exp(-5.0 * rank)));
  }
  return counts;
}

class FullSize {
 public:
  explicit FullSize(const StepsOptions& o)
      : o_(o), clip_(RandomClip(o.tiny), nullptr, "random") {
    settings_.stage1_positive = settings_.stage2_positive = "const";
    settings_.recompute = o.recompute;
    const auto stage = o.stage == "1"   ? HpDvalStage::kOne
                       : o.stage == "2" ? HpDvalStage::kTwo
                                        : HpDvalStage::kJoint;
    const ClipConfig& config = clip_.model().config;
    Student student;
    student.encoder = clip_.Copy(Towers::kImage);
    if (stage != HpDvalStage::kOne) {
      student.global_context = at::randn({4, config.text.width}) * 0.02;
      student.local_context = at::randn({4, config.text.width}) * 0.02;
    }
    const auto texts = Texts(o, config);
    trainer_.emplace(HpDvalTrainer::Setup{
        .stage = stage,
        .options = &settings_,
        .clip = &clip_,
        .student = std::move(student),
        .tokens = {.templates = texts, .placeholders = texts},
        .precision = [precision = o.precision]() -> std::shared_ptr<void> {
          Problem problem;
          problem.precision = precision;
          return std::make_shared<Autocast>(problem);
        }});
    trainer_->Begin(DistributionBalancedLoss({.positive = DbPositive::kConst},
                                             Counts(o), o.images, at::kCPU),
                    {.max_lr = 1e-5, .total_steps = 4800, .warm_up = 0.1});
    const std::int64_t side = config.image_size;
    pixels_ = at::randn({o.batch, 3, side, side});
    labels_ = at::rand({o.batch, o.classes}).lt(0.05).to(at::kFloat);
    labels_.select(1, 0).fill_(1);
  }

  OrderedJson Run() {
    std::vector<double> losses;
    std::vector<double> seconds;
    for (std::int64_t i = 0; i < o_.steps; ++i) {
      const double before = ProcessCpuSeconds();
      const auto step = trainer_->Step(pixels_, labels_, {});
      losses.push_back(step.total.item<double>());
      seconds.push_back(ProcessCpuSeconds() - before);
    }
    const double peak = PeakMiB();
    trainer_->Scores(pixels_.narrow(0, 0, 1), /*averaged=*/true);  // texts
    for (const double loss : losses) finite_ = finite_ && std::isfinite(loss);
    std::vector<double> scored;
    for (std::int64_t i = 0; i < o_.scored; ++i) {
      const double before = ProcessCpuSeconds();
      const auto scores = trainer_->Scores(pixels_, /*averaged=*/true);
      scored.push_back((ProcessCpuSeconds() - before) /
                       static_cast<double>(o_.batch));
      finite_ = finite_ && scores.isfinite().all().item<bool>();
    }
    return {{"stage", o_.stage},
            {"step_cpu_s", seconds},
            {"loss", losses},
            {"score_cpu_s_an_image", scored},
            {"peak_mib", peak}};
  }
  bool finite() const { return finite_; }

 private:
  StepsOptions o_;
  ClipEncoder clip_;
  HpDvalOptions settings_;
  std::optional<HpDvalTrainer> trainer_;
  at::Tensor pixels_, labels_;
  bool finite_ = true;
};

/// "--name value" pairs; false for a name that there is not.
bool Parse(int argc, char** argv, StepsOptions& o) {
  std::map<std::string, std::int64_t*> numbers = {
      {"--classes", &o.classes}, {"--images", &o.images},
      {"--batch", &o.batch},     {"--steps", &o.steps},
      {"--words", &o.words},     {"--threads", &o.threads},
      {"--scored", &o.scored}};
  std::map<std::string, std::string*> words = {{"--stage", &o.stage},
                                               {"--precision", &o.precision}};
  std::map<std::string, bool*> flags = {{"--recompute", &o.recompute},
                                        {"--tiny", &o.tiny}};
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (flags.contains(name)) {
      *flags[name] = true;
    } else if (i + 1 == argc) {
      return false;
    } else if (words.contains(name)) {
      *words[name] = argv[++i];
    } else if (numbers.contains(name)) {
      *numbers[name] = std::atoll(argv[++i]);
    } else {
      return false;
    }
  }
  return true;
}

int Main(int argc, char** argv) {
  StepsOptions o;
  if (!Parse(argc, argv, o)) {
    std::cerr << "usage: hp_dval_steps [--stage 1|2|joint] [--classes N] "
                 "[--images N] [--batch N] [--steps N] [--scored N] "
                 "[--words N] [--threads N] [--precision fp32|bf16] "
                 "[--recompute] [--tiny]\n";
    return 2;
  }
  KeepFreedMemory();  // as the worker does
  at::set_num_threads(static_cast<int>(o.threads));
  at::manual_seed(1);
  FullSize run(o);
  std::cout << run.Run().dump() << "\n";
  return run.finite() ? 0 : 1;
}

}  // namespace
}  // namespace tailmark

int main(int argc, char** argv) { return tailmark::Main(argc, argv); }
