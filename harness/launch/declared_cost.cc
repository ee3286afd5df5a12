#include "harness/launch/declared_cost.h"

#include <algorithm>
#include <cmath>

#include "harness/base/dependency.h"
#include "harness/base/error.h"

namespace tailmark {
namespace {

// How fast a device is. The CPU's figures are those of one core of the machine
// of tests/bench/README.md (AVX-512, float32); a GPU's are half of what its
// data sheet says of an A100, and not measured.
struct Speed {
  double flops = 0;           ///< A second, of wide matrices.
  double step_of_number = 0;  ///< Seconds: gradient, moments, average.
};
constexpr double kCoreFlops = 170e9;
constexpr double kGpuFlops = 10e12;
constexpr double kGpuTf32Flops = 60e12;
constexpr double kGpuHalfFlops = 120e12;
// Products of narrow matrices leave a part of the device idle: of this width,
// half of it.
constexpr double kHalfSpeedWidth = 100;
// A JPEG to 224 x 224; smaller pictures by their area.
constexpr double kPictureSeconds = 1.7e-3;
constexpr double kPictureSide = 224;

// A worker with LibTorch and what training allocates beside the declared.
constexpr double kProcessBytes = 200e6;
constexpr double kGpuProcessBytes = 2e9;
constexpr double kGpuContextBytes = 600e6;
// LibTorch's allocator keeps more than is in use.
constexpr double kGpuKept = 1.25;
// Start, data, bundle; opening weights, a number.
constexpr double kStartSeconds = 0.3;
constexpr double kOpenSeconds = 1e-8;

bool OnGpu(const CostFacts& facts) { return facts.device_type == "cuda"; }

Speed SpeedOf(const CostFacts& facts) {
  if (!OnGpu(facts)) {
    return {.flops = kCoreFlops * facts.threads,
            .step_of_number = 4e-9 / facts.threads};
  }
  if (facts.precision != "fp32") {
    return {.flops = kGpuHalfFlops, .step_of_number = 3e-11};
  }
  return {.flops = facts.tf32 ? kGpuTf32Flops : kGpuFlops,
          .step_of_number = 3e-11};
}

double NumberOf(const OptionMap& options, const std::string& name) {
  const OptionValue& value = options.at(name);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    return static_cast<double>(*whole);
  }
  return std::get<double>(value);
}

class Reckoning {
 public:
  Reckoning(const Cost& cost, const FieldTable& fields,
            const OptionMap& options, const CostFacts& facts)
      : cost_(cost), fields_(fields), options_(options), facts_(facts) {
    for (const EpochsOption& each : cost.epochs) {
      if (!AllHold(each.when, fields, options)) continue;
      epochs_ = NumberOf(options, each.option);
      break;
    }
  }

  DeclaredCost Make() const {
    DeclaredCost out;
    const double fits = std::max(1.0, facts_.episodes);
    out.seconds = kStartSeconds + kOpenSeconds * (facts_.encoder.image.numbers +
                                                  facts_.encoder.text.numbers);
    for (const CostTerm& term : cost_.work) {
      if (!Counts(term)) continue;
      out.seconds += (term.once ? 1 : fits) * Times(term) * Seconds(term.unit);
    }
    CostFacts each_once = facts_;
    each_once.train_images *= fits;
    each_once.scores = true;
    each_once.scored_every = 0;
    const Reckoning once(cost_, fields_, options_, each_once);
    for (const SharedWork& each : cost_.shared) {
      for (const CostTerm& term : each.terms) {
        if (!Counts(term)) continue;
        out.shared[each.name] += once.Times(term) * Seconds(term.unit);
      }
    }
    double bytes =
        4 * (facts_.encoder.image.numbers + facts_.encoder.text.numbers);
    for (const CostTerm& term : cost_.memory) {
      if (Counts(term)) bytes += Times(term) * Bytes(term.unit);
    }
    const bool gpu = OnGpu(facts_);
    out.rss_bytes = static_cast<std::int64_t>(gpu ? kGpuProcessBytes
                                                  : kProcessBytes + bytes);
    if (gpu) {
      out.gpu_bytes =
          static_cast<std::int64_t>(kGpuContextBytes + kGpuKept * bytes);
    }
    return out;
  }

 private:
  /// What is done once for all episodes is nothing where there are none.
  bool Counts(const CostTerm& term) const {
    return AllHold(term.when, fields_, options_) &&
           (!term.once || facts_.episodes > 0);
  }

  double Batch(double images) const {
    return cost_.batch.empty()
               ? images
               : std::min(images, NumberOf(options_, cost_.batch));
  }

  double Steps(double images, double epochs) const {
    const double batch = Batch(images);
    return batch > 0 ? std::ceil(images / batch) * epochs : 0;
  }

  double Looks() const {
    const double during =
        facts_.scored_every > 0 ? std::ceil(epochs_ / facts_.scored_every) : 0;
    return (facts_.scores ? 1 : 0) + during;
  }

  double Word(const std::string& name, const CostTerm& term) const {
    const double train = term.once ? facts_.base_images : facts_.train_images;
    if (name == "train_images") return train;
    if (name == "test_images") return facts_.test_images * Looks();
    if (name == "classes") return facts_.classes;
    if (name == "epochs") return epochs_;
    if (name == "steps") return Steps(train, epochs_);
    if (name == "batch") return Batch(train);
    return NumberOf(options_, name);
  }

  double Times(const CostTerm& term) const {
    double product = term.amount;
    for (const std::string& each : term.times) product *= Word(each, term);
    return product;
  }

  double Flops(const EncoderShape::Tower& tower, double flops) const {
    if (tower.width <= 0) return 0;
    return flops / (SpeedOf(facts_).flops * tower.width /
                    (tower.width + kHalfSpeedWidth));
  }

  double Seconds(CostUnit unit) const {
    const EncoderShape& encoder = facts_.encoder;
    const Speed speed = SpeedOf(facts_);
    switch (unit) {
      case CostUnit::kImage:
        return Flops(encoder.image, encoder.image.flops);
      case CostUnit::kImageToken:
        return Flops(encoder.image, encoder.image.flops / encoder.image.tokens);
      case CostUnit::kTextToken:
        return Flops(encoder.text, encoder.text.flops);
      case CostUnit::kPicture:
        return kPictureSeconds * std::pow(encoder.pixels / kPictureSide, 2) /
               facts_.threads;
      case CostUnit::kImageTower:
        return speed.step_of_number * encoder.image.numbers;
      case CostUnit::kTextTower:
        return speed.step_of_number * encoder.text.numbers;
      case CostUnit::kPlain:
        break;
    }
    return 1;
  }

  double Bytes(CostUnit unit) const {
    const EncoderShape& encoder = facts_.encoder;
    switch (unit) {
      case CostUnit::kImage:
        return encoder.image.saved;
      case CostUnit::kImageToken:
        return encoder.image.saved / encoder.image.tokens;
      case CostUnit::kTextToken:
        return encoder.text.saved;
      case CostUnit::kPicture:
        return 3 * sizeof(float) * encoder.pixels * encoder.pixels;
      case CostUnit::kImageTower:
        return sizeof(float) * encoder.image.numbers;
      case CostUnit::kTextTower:
        return sizeof(float) * encoder.text.numbers;
      case CostUnit::kPlain:
        break;
    }
    return 1;
  }

  const Cost& cost_;
  const FieldTable& fields_;
  const OptionMap& options_;
  const CostFacts& facts_;
  double epochs_ = 1;
};

}  // namespace

DeclaredCost Reckon(const Cost& cost, const FieldTable& fields,
                    const OptionMap& options, const CostFacts& facts) {
  return Reckoning(cost, fields, options, facts).Make();
}

}  // namespace tailmark
