#include "methods/psd/psd_options.h"

// The paper's method section was not at hand: what its release does is known
// from its code (CPSD), and what is the paper's is left open.

namespace tailmark {

std::vector<Deviation> PsdDeviations() {
  const auto word = [](const char* value) { return std::string(value); };
  const auto whole = [](std::int64_t value) { return value; };
  return {
      {"parts of a graph",
       {},
       {{"parts", whole(5)}},
       "R data/*.json",
       "20 classes of VOC-LT give parts of a dozen images with five: preset "
       "voc-lt has three"},
      {"tiny parts",
       {},
       {{"merge_below", whole(0)}},
       "R partition/generate_with_adj.py",
       "COCO-LT with five parts: two classes that 17 of 1,909 images show have "
       "two teachers of their own"},
      {"clustering that is kept",
       {},
       {{"keep", word("ch")}, {"restarts", whole(4)}},
       "R partition/generate_with_adj.py",
       "In the graph `apart` the Calinski-Harabasz score likes parts of one "
       "class"},
      {"exponent of the graph `apart`",
       {},
       {{"apart_exponent", 0.5}},
       "R partition/generate_with_adj.py, data/",
       "The code has 1/2, its own COCO files come out with 1/3"},
      {"label loss",
       {},
       {{"loss", word("asl")}, {"reduction", word("sum")}},
       "R model/ASL_losses.py",
       "4/0/0.05, the focusing weight without gradient"},
      {"distillation",
       {},
       {{"kd", word("mse")},
        {"kd_divisor", 1.0},
        {"alpha", 0.5},
        {"classification_weight", 0.5}},
       "R dis_B_cpsd.py",
       "Squared differences of raw logits; cosines times 100 would swamp the "
       "labels: preset prompt divides by 10"},
      {"weight of the graph `apart`",
       {},
       {{"round_weights", true}},
       "R dis_B_cpsd.py",
       "Nothing at alpha 1/2; .38 for .375 at 1/4"},
      {"head",
       {},
       {{"head_init", word("zeros")},
        {"head_bias", 0.0},
        {"unit_feature", false}},
       "R model/",
       "CLIP has the class names to begin from, and a tail class needs it"},
      {"step sizes",
       {},
       {{"lr", 1e-4}, {"head_lr", 1e-4}, {"student_lr_factor", 0.1}},
       "R train_B_part.py, dis_B_cpsd.py",
       "Ten times the step for a tower from CLIP, and a student that hardly "
       "moves"},
      {"batch",
       {},
       {{"batch_size", whole(24)}},
       "R train_B_part.py",
       "80 instead of 60 steps an epoch on COCO-LT"},
      {"running average",
       {},
       {{"ema_decay", 0.9997}},
       "R train_B_part.py",
       "Made for 641 steps an epoch; here its rule, 0.82 left after an epoch"},
      {"augmentation",
       {},
       {{"augment", word("cutout-randaugment")}},
       "R coco_cluster.py",
       "Teachers and student see the same pictures"},
      {"selection",
       {},
       {{"protocol.selection", word("best_on_test")}},
       "R train_B_part.py",
       "The release picks each teacher, and then the student, by test scores; "
       "teachers here always give their last running average"},
  };
}

}  // namespace tailmark
