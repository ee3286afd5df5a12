#include "methods/ml_vpt/ml_vpt_options.h"

// No table and no method section of the paper could be read: what is known is
// the release's code (R).

namespace tailmark {

std::vector<Deviation> MlVptDeviations() {
  const auto word = [](const char* value) { return std::string(value); };
  const auto whole = [](std::int64_t value) { return value; };
  return {
      {"groups",
       {},
       {{"parts", whole(5)}, {"keep", word("ch")}},
       "R data/aux_data",
       "The release's groups of COCO are those of PSD's; here they come from "
       "the long-tailed training labels"},
      {"epochs and batch",
       {},
       {{"epochs", whole(40)}, {"batch_size", whole(64)}},
       "R config/",
       "1,160 steps on COCO-LT instead of 4,720; the release has 51,000 on "
       "COCO"},
      {"step size",
       {},
       {{"lr", 5e-4}, {"weight_decay", 1e-2}},
       "R config/",
       "The same here"},
      {"running average",
       {},
       {{"ema_decay", 0.0}},
       "R utils/",
       "0.82 left after two epochs, whatever the configuration says: the same "
       "here"},
      {"soft tokens among each other",
       {},
       {{"prompts_apart", true}},
       "R models/, backbone files",
       "Masked on some of its backbones, not on others; which of them made the "
       "paper's numbers is not known"},
      {"gate",
       {},
       {{"gate", word("class")}},
       "R models/builder_network.py",
       "768 x 3 numbers a class and branch, for as few as four positives"},
      {"heads",
       {},
       {{"head_init", word("uniform")}},
       "R models/builder_network.py",
       "`text` is an extension of ours: CLIP knows the class names"},
      {"loss",
       {},
       {{"loss", word("asl")}},
       "R losses/",
       "2/0/0, over batch and classes, times 1000, for each of four terms"},
      {"augmentation",
       {},
       {{"augment", word("cutout-randaugment")}},
       "R data loader",
       "One square of half the side, then RandAugment"},
      {"selection",
       {},
       {{"protocol.selection", word("best_on_test")}},
       "R engine",
       "The release keeps the best epoch on test, of raw and averaged weights, "
       "and stops early by it"},
  };
}

}  // namespace tailmark
