#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "harness/base/options.h"

namespace tailmark {

/// Everything HP-DVAL's paper and its release differ in or leave open is an
/// option; deviations.cc says which value is whose. Defaults: COCO-LT,
/// ViT-B/16.
struct HpDvalOptions {
  std::string stage = "2";
  std::string stage2_from = "stage1-ema";
  std::string student_init = "clip";
  std::string imagenet_weights;
  std::string embedding = "clip-proj";
  std::string score_norm = "l2-classes";
  double logit_scale = 20.0;
  std::string alpha_on = "global";
  double alpha = 0.4;
  std::int64_t top_k = 32;
  std::string loss = "dbstar";
  std::string rebalance = "positives";
  std::string stage1_positive = "frequency";
  std::string stage2_positive = "frequency";
  double pos_scale = 5.0;
  std::string focal = "element";
  double db_gamma = 0.2;
  double db_neg_scale = 2.0;
  double db_init_bias = 0.05;
  std::string teacher = "separate";
  double kd_weight = 1.0;
  std::string text_encoder = "frozen";
  std::string prompt_init = "normal";
  std::int64_t context_tokens = 4;
  std::string consistency_on = "global";
  double consistency_weight = 1.0;
  std::int64_t stage1_epochs = 20;
  std::int64_t stage2_epochs = 10;
  std::int64_t batch_size = 32;
  double stage1_lr = 1e-5;
  double stage2_lr = 5e-6;
  double weight_decay = 1e-4;
  std::string decay_on = "matrices";
  double beta2 = 0.999;
  std::string schedule = "one-cycle";
  std::int64_t horizon = 80;
  double warm_up = 0.1;
  double ema_decay = 0.998;
  std::string input_norm = "clip";
  std::string augment = "cutout-randaugment";
  std::int64_t base_epochs = 18;
  std::int64_t base_batch_size = 32;
  std::int64_t base_horizon = 80;
  double base_beta2 = 0.999;
  std::string base_decay_on = "matrices";
  std::string base_augment = "cutout-randaugment";
  bool recompute = false;

  static constexpr auto Fields() {
    using O = HpDvalOptions;
    return std::tuple{
        Field{"stage", &O::stage,
              "1: the student by dual-view alignment; 2: prompts on top of "
              "stage 1; joint: both at once",
              OneOf{"1|2|joint"}},
        Field{"stage2_from", &O::stage2_from,
              "Student of stage 2: stage 1's EMA weights, or CLIP's own",
              OneOf{"stage1-ema|clip"}},
        Field{"student_init", &O::student_init,
              "Where the student begins: CLIP's tower, a ViT trained on "
              "ImageNet-1K (imagenet_weights), or, in episodes, what a fit to "
              "the base classes came to (base_*)",
              OneOf{"clip|imagenet1k|base-run"}},
        Field{"imagenet_weights", &O::imagenet_weights,
              "ViT of CLIP's shape as safetensors with timm's names"},
        Field{"embedding", &O::embedding,
              "From tokens to CLIP's space: CLIP's projection, or two linear "
              "layers with tanh between",
              OneOf{"clip-proj|two-linear"}},
        Field{"score_norm", &O::score_norm,
              "Dot products, L2-normalised over the classes; or logit_scale "
              "times cosine",
              OneOf{"l2-classes|cosine"}},
        Field{"logit_scale", &O::logit_scale, "Of score_norm = cosine",
              Positive()},
        Field{"alpha_on", &O::alpha_on, "The view that alpha weights",
              OneOf{"global|local"}},
        Field{"alpha", &O::alpha, "Weight of that view; the other has the rest",
              Fraction()},
        Field{"top_k", &O::top_k,
              "Patches of the local view, at most all there are",
              Between(1, 65'536)},
        Field{"loss", &O::loss,
              "dbstar: the distribution-balanced family, shaped by the "
              "options below",
              OneOf{"dbstar|bce|mls|cb-focal|asl|asl-sum|db-nofocal"}},
        Field{"rebalance", &O::rebalance,
              "dbstar: r_i over the image's positives or over all classes",
              OneOf{"positives|all-classes"}},
        Field{"stage1_positive", &O::stage1_positive,
              "dbstar: slope of a positive's logit in stage 1: n_i / n_max, "
              "pos_scale, or 1",
              OneOf{"frequency|const|none"}},
        Field{"stage2_positive", &O::stage2_positive,
              "The same in stage 2 and joint", OneOf{"frequency|const|none"}},
        Field{"pos_scale", &O::pos_scale, "5 COCO-LT, 10 VOC-LT", Positive()},
        Field{"focal", &O::focal,
              "dbstar: focal factor of each element, one of the batch, none",
              OneOf{"element|batch|none"}},
        Field{"db_gamma", &O::db_gamma, "mu: 0.2 COCO-LT, 0.3 VOC-LT",
              AnyNumber()},
        Field{"db_neg_scale", &O::db_neg_scale, "lambda: 2 COCO-LT, 5 VOC-LT",
              Positive()},
        Field{"db_init_bias", &O::db_init_bias,
              "kappa before the division by lambda", NonNegative()},
        Field{"teacher", &O::teacher,
              "Frozen CLIP beside the student; shared: the student itself, so "
              "that L_kd is 0",
              OneOf{"separate|shared"}},
        Field{"kd_weight", &O::kd_weight, "Weight of L_kd, a mean",
              NonNegative()},
        Field{"text_encoder", &O::text_encoder, "In stage 1",
              OneOf{"frozen|trained"}},
        Field{"prompt_init", &O::prompt_init,
              "Context vectors: N(0, 0.02), or the words 'a photo of a'",
              OneOf{"normal|photo"}},
        Field{"context_tokens", &O::context_tokens,
              "M, of each of the two prompts; photo: 4", Between(1, 1024)},
        Field{"consistency_on", &O::consistency_on,
              "The prompts that L_sc ties to the template",
              OneOf{"global|local"}},
        Field{"consistency_weight", &O::consistency_weight,
              "Weight of L_sc, a mean", NonNegative()},
        Field{"stage1_epochs", &O::stage1_epochs, "Of stage 1 and joint",
              Between(1, 100'000)},
        Field{"stage2_epochs", &O::stage2_epochs, "Of stage 2",
              Between(1, 100'000)},
        Field{"batch_size", &O::batch_size, "Images a step",
              Between(1, 1'048'576)},
        Field{"stage1_lr", &O::stage1_lr,
              "Highest AdamW step size of stage 1 and joint", Positive()},
        Field{"stage2_lr", &O::stage2_lr, "The same of stage 2", Positive()},
        Field{"weight_decay", &O::weight_decay, "Decoupled", NonNegative()},
        Field{"decay_on", &O::decay_on,
              "matrices: not biases, norms and the class token",
              OneOf{"matrices|all"}},
        Field{"beta2", &O::beta2, "AdamW's; the release's few-shot runs: 0.9",
              Between(0, 0.9999999)},
        Field{"schedule", &O::schedule, "Of step size and beta1",
              OneOf{"one-cycle|constant"}},
        Field{"horizon", &O::horizon,
              "Epochs the schedule is made for; 0: as many as there are",
              Between(0, 100'000)},
        Field{"warm_up", &O::warm_up, "Part of the horizon on the way up",
              Fraction()},
        Field{"ema_decay", &O::ema_decay,
              "Of the averaged weights that are scored; 0: the last ones",
              Fraction()},
        Field{"input_norm", &O::input_norm,
              "none: CLIP's mean and deviation undone, pixels in [0, 1]",
              OneOf{"clip|none"}},
        Field{"augment", &O::augment, "Of training images",
              OneOf{"cutout-randaugment|randaugment|flip|none"}},
        Field{"base_epochs", &O::base_epochs,
              "student_init = base-run: the fit to the base classes, here its "
              "epochs",
              Between(1, 100'000)},
        Field{"base_batch_size", &O::base_batch_size, "Its images a step",
              Between(1, 1'048'576)},
        Field{"base_horizon", &O::base_horizon, "Its horizon",
              Between(0, 100'000)},
        Field{"base_beta2", &O::base_beta2, "Its beta2", Between(0, 0.9999999)},
        Field{"base_decay_on", &O::base_decay_on, "What decays in it",
              OneOf{"matrices|all"}},
        Field{"base_augment", &O::base_augment, "Its augmentation",
              OneOf{"cutout-randaugment|randaugment|flip|none"}},
        Field{"recompute", &O::recompute,
              "Less memory, more time: activations computed again in the "
              "backward pass; moves no bit"},
    };
  }
};

}  // namespace tailmark
