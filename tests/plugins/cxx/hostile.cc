// Everything that a method must not do, one misdeed an option. The tests see
// that each is a row with a reason and that the rest of a campaign goes on.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

#include "harness/plugin/cxx_plugin.h"

namespace {

struct HostileOptions {
  std::string deed = "none";
  static constexpr auto Fields() {
    using O = HostileOptions;
    return std::tuple{tailmark::Field{
        "deed", &O::deed, "What it does",
        tailmark::OneOf{"none|throw|shape|rows|nan|write|descriptors|segfault|"
                        "hang|spin|flood|fork|labels|memory|exit"}}};
  }
};

std::string Given(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// As soon as the file is loaded.
[[maybe_unused]] const bool kLoaded = [] {
  if (!Given("TM_TEST_LOADED").empty()) _exit(86);
  return true;
}();

/// Leaves a process behind in a session of its own, with a clean slate.
void LeaveOne() {
  if (fork() != 0) return;
  setsid();
  if (fork() != 0) _exit(0);
  prctl(PR_SET_NAME, Given("TM_TEST_MARK").c_str());
  clearenv();
  while (true) pause();
}

class Hostile final : public tailmark::MethodWith<HostileOptions> {
 public:
  Hostile(HostileOptions options, tailmark::Problem problem)
      : MethodWith(std::move(options), std::move(problem)) {
    if (this->options().deed == "throw") {
      throw std::runtime_error("the wheels came off");
    }
  }

  static tailmark::MethodInfo Info() {
    return {.name = "hostile",
            .version = 1,
            .summary = "Does what no method may",
            .family = "probe",
            .input = tailmark::InputKind::kNone,
            .abilities = {.stochastic = false, .partial_labels = true}};
  }

  void Fit(tailmark::FitContext& context) override {
    const std::string& deed = options().deed;
    static int fits = 0;  // Of this process.
    if (const std::string most = Given("TM_TEST_MOST_FITS"); !most.empty()) {
      if (++fits > std::stoi(most)) raise(SIGSEGV);
    }
    if (deed == "write" && !std::ofstream(Given("TM_TEST_OUTSIDE"))) {
      throw std::runtime_error("out of reach: what it wants to write");
    }
    if (deed == "labels" && !std::ifstream(Given("TM_TEST_LABELS"))) {
      throw std::runtime_error("out of reach: the labels");
    }
    if (deed == "descriptors") {
      while (open("/dev/null", O_RDONLY) >= 0) {
      }
    }
    if (deed == "segfault") raise(SIGSEGV);
    if (deed == "exit") _exit(0);
    while (deed == "hang") pause();
    for (volatile std::uint64_t turns = 0; deed == "spin";) turns = turns + 1;
    for (int i = 0; deed == "flood" && i < 200'000; ++i) {
      const std::string line(99, 'x');
      [[maybe_unused]] const auto put =
          write(2, (line + "\n").data(), line.size() + 1);
    }
    if (deed == "fork") LeaveOne();
    if (deed == "memory") {
      big_ = at::empty({std::int64_t{100} << 30}, at::kByte);
      big_.zero_();
    }
    context.observer.OnEpochEnd(*this, {.epoch = 1, .epochs = 1});
  }

  at::Tensor Predict(const tailmark::Batch& batch) const override {
    const std::string& deed = options().deed;
    const auto rows = batch.rows.size(0) + (deed == "rows" ? 1 : 0);
    const auto classes = problem().num_classes() - (deed == "shape" ? 1 : 0);
    auto scores = at::arange(rows * classes, at::kFloat).view({rows, classes});
    if (deed == "nan") scores[0][0] = std::nan("");
    return scores;
  }
  tailmark::ScoreScale scale() const override {
    return tailmark::ScoreScale::kLogit;
  }
  void Save(tailmark::StateWriter& out) const override {
    out.PutInt("nothing", 0);
  }
  void Load(const tailmark::StateReader& in) override { in.GetInt("nothing"); }

 private:
  at::Tensor big_;
};

}  // namespace

TM_PLUGIN(Hostile)
