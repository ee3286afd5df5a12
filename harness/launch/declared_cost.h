#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "harness/base/cost.h"
#include "harness/record/encoder_shape.h"

namespace tailmark {

/// What a declared cost is multiplied by, of one run.
struct CostFacts {
  double train_images = 0;  ///< Of one fit; of an episode its supports.
  double test_images = 0;
  double classes = 0;
  double episodes = 0;      ///< 0: no few-shot protocol.
  double base_images = 0;   ///< Of a few-shot protocol's base classes.
  bool scores = true;       ///< The test split is scored at the end,
  double scored_every = 0;  ///< and after every so many epochs; 0: not then.
  EncoderShape encoder{};   ///< All 0: none is used.
  std::string device_type = "cpu";
  std::string precision = "fp32";
  bool tf32 = false;
  double threads = 1;
};

/// What a run is reckoned to take.
struct DeclaredCost {
  double seconds = 0;  ///< Without `shared`.
  /// SharedWork::name -> seconds of what runs with the same features do once.
  std::map<std::string, double> shared;
  std::int64_t rss_bytes = 0;  ///< Of the process at its peak.
  std::int64_t gpu_bytes = 0;  ///< 0 on the CPU.
};

/// `options`: resolved, of the table `cost` was checked against.
DeclaredCost Reckon(const Cost& cost, const FieldTable& fields,
                    const OptionMap& options, const CostFacts& facts);

}  // namespace tailmark
