#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "harness/base/options.h"
#include "methods/losses/named.h"
#include "methods/nn/fit_loop.h"
#include "methods/nn/prompt_learner.h"

/// What the prompt methods share. Defaults, which are `coop`'s and `lmpt`'s,
/// are those of LMPT's experiments on COCO-LT with ViT-B/16 (the command of its
/// release and lmpt/train.py), except the schedule, which there asks the test
/// split.
namespace tailmark {

struct ContextOptions {
  std::string context = "class";
  std::int64_t length = 16;
  std::string init_text;
  std::string position = "end";
  std::string name_lens = "true";

  static constexpr auto Fields() {
    using O = ContextOptions;
    return std::tuple{
        Field{"context", &O::context,
              "A context for each class, or one shared by all",
              OneOf{"class|shared"}},
        Field{"length", &O::length, "Context tokens, without init_text",
              Between(1, 64)},
        Field{"init_text", &O::init_text,
              "Words the context starts as; empty: random"},
        Field{"position", &O::position, "Where the class name stands",
              OneOf{kClassPositions}},
        Field{"name_lens", &O::name_lens,
              "Tokens of a name when it is not at the end: true; or repo, "
              "always 1, as LMPT's release has it",
              OneOf{"true|repo"}},
    };
  }

  PromptShape Shape() const {
    return {.length = length,
            .class_specific = context == "class",
            .init_text = init_text,
            .position = ClassPositionNamed(position),
            .true_name_lengths = name_lens == "true"};
  }
};

struct LossOptions {
  std::string loss = "db-batch";
  double db_gamma = 0.2;
  double db_neg_scale = 2.0;
  double db_init_bias = 0.05;
  double pos_scale = 5.0;
  std::string empty_class = "clamp";

  static constexpr auto Fields() {
    using O = LossOptions;
    return std::tuple{
        Field{"loss", &O::loss, "See methods/losses/named.h",
              OneOf{kLossNames}},
        Field{"db_gamma", &O::db_gamma,
              "DB loss: centre of the weight (0.2 COCO-LT, 0.3 VOC-LT)",
              AnyNumber()},
        Field{"db_neg_scale", &O::db_neg_scale,
              "DB loss: slope of the negatives (2 COCO-LT, 5 VOC-LT)",
              Positive()},
        Field{"db_init_bias", &O::db_init_bias, "DB loss: kappa",
              NonNegative()},
        Field{"pos_scale", &O::pos_scale,
              "dbstar-const: slope of the positives (5 COCO-LT, 10 VOC-LT)",
              Positive()},
        Field{"empty_class", &O::empty_class,
              "DB loss, a class that no or every training image shows: clamp "
              "its count, or reject the data",
              OneOf{"clamp|reject"}},
    };
  }

  DbOptions Db() const {
    return {.gamma = db_gamma,
            .neg_scale = db_neg_scale,
            .init_bias = db_init_bias,
            .pos_scale = pos_scale,
            .empty_class = empty_class == "reject" ? DbEmptyClass::kReject
                                                   : DbEmptyClass::kClamp};
  }
};

/// The fields of a fit that FitLoop runs, for an options struct with members of
/// these names and defaults of its own.
template <class O>
constexpr auto FitFields(const char* weight_decay,
                         const char* batch_size = "Images a step") {
  return std::tuple{
      Field{"optimiser", &O::optimiser, "Momentum of sgd is 0.9",
            OneOf{kOptimiserNames}},
      Field{"lr", &O::lr, "Highest step size", Positive()},
      Field{"weight_decay", &O::weight_decay, weight_decay, NonNegative()},
      Field{"schedule", &O::schedule,
            "Of the step size; plateau watches the training loss, "
            "plateau-test the test split's mAP (as released)",
            OneOf{kScheduleNames}},
      Field{"warm_up", &O::warm_up,
            "cosine, cosine-epoch: epochs; one-cycle: part of the steps",
            Between(0, 1000)},
      Field{"epochs", &O::epochs, "Passes over the training images",
            Between(1, 100'000)},
      Field{"batch_size", &O::batch_size, batch_size, Between(1, 1'048'576)},
      Field{"augment", &O::augment,
            "flip: each image mirrored with probability 1/2",
            OneOf{"none|flip"}},
  };
}

/// What FitFields() of the same struct say.
template <class O>
FitPlan FitPlanOf(const O& options) {
  return {.epochs = options.epochs,
          .batch_size = options.batch_size,
          .augment = options.augment,
          .optimiser = options.optimiser,
          .lr = options.lr,
          .schedule = options.schedule,
          .warm_up = options.warm_up};
}

struct FitOptions {
  std::string optimiser = "sgd";
  double lr = 5e-4;
  double weight_decay = 1e-4;
  std::string schedule = "plateau";
  double warm_up = 0;
  std::int64_t epochs = 50;
  std::int64_t batch_size = 64;
  std::string augment = "flip";

  static constexpr auto Fields() {
    return FitFields<FitOptions>("Of the context; coupled for sgd and adam");
  }

  FitPlan Plan() const { return FitPlanOf(*this); }
};

struct ScoreOptions {
  std::string logit_offset = "none";
  std::string score = "softmax";
  std::string bn = "eval";
  bool acceleration = true;

  static constexpr auto Fields() {
    using O = ScoreOptions;
    return std::tuple{
        Field{"logit_offset", &O::logit_offset,
              "Subtracted from the logits in the loss: none; or density, the "
              "quantile of the first logits at the share of positive labels",
              OneOf{"none|density"}},
        Field{"score", &O::score,
              "softmax over the classes, in float16 as released, or the logit",
              OneOf{"softmax|softmax-fp16|logit"}},
        Field{"bn", &O::bn,
              "BatchNorm of a ResNet encoder: eval; or train, by the batch's "
              "statistics with running figures moving, as LMPT's release does "
              "(images are then encoded in every epoch)",
              OneOf{"eval|train"}},
        Field{"acceleration", &O::acceleration,
              "false: every image and text is encoded whenever it is met, all "
              "positions; the same scores up to rounding, slower"},
    };
  }
};

struct PromptOptions : ContextOptions, LossOptions, FitOptions, ScoreOptions {
  static constexpr auto Fields() {
    return std::tuple_cat(ContextOptions::Fields(), LossOptions::Fields(),
                          FitOptions::Fields(), ScoreOptions::Fields());
  }
};

}  // namespace tailmark
