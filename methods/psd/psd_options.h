#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "harness/base/cost.h"
#include "harness/base/deviation.h"
#include "methods/partition/partition_options.h"

namespace tailmark {

/// What is trained, and how. Defaults are those of the long-tailed adaptation
/// (specification 1.11) for COCO-LT with CLIP ViT-B/16.
struct PsdTraining {
  std::string variant = "finetune";
  std::string branch = "all";
  std::int64_t part = 0;
  std::int64_t merge_below = 50;
  std::string loss = "asl";
  double db_gamma = 0.2;
  double db_neg_scale = 2.0;
  double db_init_bias = 0.05;
  std::string reduction = "sum";
  std::string head_init = "text";
  double head_scale = 10.0;
  double head_bias = -3.0;
  bool unit_feature = true;
  std::int64_t context_length = 16;
  double logit_scale = 0.0;
  std::int64_t adapter_tokens = 8;
  std::string optimiser = "adam";
  double lr = 1e-5;
  double head_lr = 1e-4;
  double weight_decay = 1e-4;
  double warm_up = 0.1;
  std::int64_t epochs = 80;
  std::int64_t batch_size = 32;
  double ema_decay = 0.0;
  std::string weights_used = "ema";
  std::string augment = "cutout-randaugment";

  static constexpr auto Fields() {
    using O = PsdTraining;
    return std::tuple{
        Field{"variant", &O::variant,
              "What is trained: image tower and head; a context shared by the "
              "classes; visual prompts and head; a head alone",
              OneOf{"finetune|prompt|adapter|linear_probe"}},
        Field{"branch", &O::branch,
              "Trained classes: all, or one part of a graph's partition "
              "(teachers)",
              OneOf{"all|together|apart"}},
        Field{"part", &O::part, "Which part of the branch", NonNegative()},
        Field{"merge_below", &O::merge_below,
              "Training images a part needs, or it joins its nearest; 0: never",
              NonNegative()},
        Field{"loss", &O::loss, "ASL 4/0/0.05, or the DB loss",
              OneOf{"asl|db"}},
        Field{"db_gamma", &O::db_gamma,
              "DB loss: centre of the weight (0.2 COCO-LT, 0.3 VOC-LT)",
              AnyNumber()},
        Field{"db_neg_scale", &O::db_neg_scale,
              "DB loss: slope of the negatives (2 COCO-LT, 5 VOC-LT)",
              Positive()},
        Field{"db_init_bias", &O::db_init_bias, "DB loss: kappa",
              NonNegative()},
        Field{"reduction", &O::reduction,
              "Losses are summed over images and classes; batch: then divided "
              "by the images",
              OneOf{"sum|batch"}},
        Field{"head_init", &O::head_init,
              "A head starts at the class names' features, or at 0",
              OneOf{"text|zeros"}},
        Field{"head_scale", &O::head_scale, "head_init=text: its length",
              Positive()},
        Field{"head_bias", &O::head_bias, "Where biases start", AnyNumber()},
        Field{"unit_feature", &O::unit_feature,
              "The head sees the image feature divided by its length"},
        Field{"context_length", &O::context_length,
              "variant=prompt: context tokens", Between(1, 64)},
        Field{"logit_scale", &O::logit_scale,
              "variant=prompt: factor of the cosine; 0: the encoder's",
              NonNegative()},
        Field{"adapter_tokens", &O::adapter_tokens,
              "variant=adapter: visual prompts in front of each block",
              Between(1, 1024)},
        Field{"optimiser", &O::optimiser,
              "adam: decay added to the gradient, as released",
              OneOf{"adam|adamw|sgd"}},
        Field{"lr", &O::lr,
              "Highest step size of the image tower, of the one-cycle schedule",
              Positive()},
        Field{"head_lr", &O::head_lr, "The same of everything else",
              Positive()},
        Field{"weight_decay", &O::weight_decay,
              "On tensors of two and more dimensions", NonNegative()},
        Field{"warm_up", &O::warm_up, "Part of the steps on the way up",
              Fraction()},
        Field{"epochs", &O::epochs, "Passes over the training images",
              Between(1, 100'000)},
        Field{"batch_size", &O::batch_size, "Images a step",
              Between(1, 1'048'576)},
        Field{"ema_decay", &O::ema_decay,
              "Of the running average; 0: 0.82^(1 / steps an epoch)",
              Between(0, 0.999999)},
        Field{"weights_used", &O::weights_used,
              "Scores, and a student's teachers, come from the running average "
              "or the last step",
              OneOf{"ema|raw"}},
        Field{"augment", &O::augment, "What happens to a training image",
              OneOf{"cutout-randaugment|randaugment|flip|none"}},
    };
  }
};

/// What only a student has; its teachers forget these.
struct PsdStudent {
  std::string teachers = "both";
  std::string output = "student";
  double alpha = 0.5;
  double classification_weight = 0.5;
  bool round_weights = false;
  std::string kd = "mse";
  double kd_divisor = 1.0;
  double kd_temperature = 4.0;
  double student_lr_factor = 1.0;

  static constexpr auto Fields() {
    using O = PsdStudent;
    return std::tuple{
        Field{"teachers", &O::teachers,
              "A teacher for each part of both graphs, or of one; one of all "
              "classes (self-distillation); none",
              OneOf{"both|together|apart|self|none"}},
        Field{"output", &O::output,
              "Scores of the student, or, without one, of its teachers: of one "
              "graph's, or the mean of both",
              OneOf{"student|together|apart|mean"}},
        Field{"alpha", &O::alpha, "Share of the graph `together`", Fraction()},
        Field{"classification_weight", &O::classification_weight,
              "Of the labels; the rest is the teachers'", Fraction()},
        Field{"round_weights", &O::round_weights,
              "The weight of the graph `apart` to two digits, as released"},
        Field{"kd", &O::kd,
              "Squared difference of logits, or divergence over classes",
              OneOf{"mse|kl"}},
        Field{"kd_divisor", &O::kd_divisor,
              "Divides both logits first: 10 for cosines times 100",
              Positive()},
        Field{"kd_temperature", &O::kd_temperature, "With kd=kl", Positive()},
        Field{"student_lr_factor", &O::student_lr_factor,
              "The student's step sizes against its teachers': 0.1 released",
              Positive()},
    };
  }
};

/// Where the release does otherwise, or only it says anything.
std::vector<Deviation> PsdDeviations();
/// What a run takes, by options and data.
Cost PsdCost();

struct PsdOptions : PsdStudent, PsdTraining, PartitionChoice {
  static constexpr auto Fields() {
    return std::tuple_cat(PsdStudent::Fields(), PsdTraining::Fields(),
                          PartitionChoice::Fields());
  }
};

}  // namespace tailmark
