#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "harness/base/deviation.h"
#include "methods/partition/partition_options.h"

namespace tailmark {

/// Where the release does otherwise, or only it says anything.
std::vector<Deviation> MlVptDeviations();

/// Defaults are those of specification 2.8 for COCO-LT with CLIP ViT-B/16.
struct MlVptOptions : PartitionChoice {
  std::int64_t merge_below = 0;
  std::string branches = "both";
  std::int64_t experts = 3;
  std::int64_t adapter_width = 5;
  std::string gate = "class";
  bool prompts_apart = true;
  std::string head_init = "uniform";
  double head_scale = 10.0;
  std::string loss = "asl";
  double db_gamma = 0.2;
  double db_neg_scale = 2.0;
  double db_init_bias = 0.05;
  double lr = 5e-4;
  double weight_decay = 1e-2;
  double warm_up = 0.2;
  std::int64_t epochs = 80;
  std::int64_t batch_size = 32;
  double ema_decay = 0.0;
  std::string weights_used = "ema";
  std::string augment = "cutout-randaugment";

  static constexpr auto Fields() {
    using O = MlVptOptions;
    return std::tuple_cat(
        PartitionChoice::Fields(),
        std::tuple{
            Field{"merge_below", &O::merge_below,
                  "Training images a part needs, or it joins its nearest; 0: "
                  "never",
                  NonNegative()},
            Field{"branches", &O::branches,
                  "Groups of classes seen together, seen apart, or a branch "
                  "for each",
                  OneOf{"both|together|apart"}},
            Field{"experts", &O::experts,
                  "E, soft tokens of a group; 1: no gate", Between(1, 64)},
            Field{"adapter_width", &O::adapter_width,
                  "Hidden width of a token's adapter", Between(1, 4096)},
            Field{"gate", &O::gate,
                  "A gate vector for each class, or one for all of a group",
                  OneOf{"class|group"}},
            Field{"prompts_apart", &O::prompts_apart,
                  "Soft tokens do not attend to each other"},
            Field{"head_init", &O::head_init,
                  "Heads start at random, or at the class names' features "
                  "(ours, not the paper's)",
                  OneOf{"uniform|text"}},
            Field{"head_scale", &O::head_scale,
                  "With head_init=text: length of a head", Positive()},
            Field{"loss", &O::loss,
                  "Of each of the four terms: ASL 2/0/0 x 1000 as released, or "
                  "the DB loss",
                  OneOf{"asl|db"}},
            Field{"db_gamma", &O::db_gamma,
                  "DB loss: centre of the weight (0.2 COCO-LT, 0.3 VOC-LT)",
                  AnyNumber()},
            Field{"db_neg_scale", &O::db_neg_scale,
                  "DB loss: slope of the negatives (2 COCO-LT, 5 VOC-LT)",
                  Positive()},
            Field{"db_init_bias", &O::db_init_bias, "DB loss: kappa",
                  NonNegative()},
            Field{"lr", &O::lr,
                  "Highest AdamW step size of the one-cycle schedule",
                  Positive()},
            Field{"weight_decay", &O::weight_decay,
                  "Decoupled, on everything trained", NonNegative()},
            Field{"warm_up", &O::warm_up, "Part of the steps on the way up",
                  Fraction()},
            Field{"epochs", &O::epochs, "Passes over the training images",
                  Between(1, 100'000)},
            Field{"batch_size", &O::batch_size,
                  "Images a step; a last batch that is not full is left out",
                  Between(1, 1'048'576)},
            Field{"ema_decay", &O::ema_decay,
                  "Of the running average; 0: 0.82^(1 / (2 steps an epoch)), "
                  "the release's rule",
                  Between(0, 0.999999)},
            Field{"weights_used", &O::weights_used,
                  "Scores come from the running average or the last step",
                  OneOf{"ema|raw"}},
            Field{"augment", &O::augment, "What happens to a training image",
                  OneOf{"cutout-randaugment|randaugment|flip|none"}},
        });
  }
};

}  // namespace tailmark
