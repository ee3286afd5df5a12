// Prompt learner, CoCoOp, the towers and whole training trajectories against
// pieces of the released programs.

#include <gtest/gtest.h>

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <bit>
#include <iostream>
#include <map>

#include "harness/run/state_file.h"
#include "methods/builtin.h"
#include "methods/cocoop/conditional_context.h"
#include "methods/losses/bce.h"
#include "methods/nn/prompt_learner.h"
#include "tests/contract/toys.h"
#include "tests/golden/methods_golden.h"
#include "tests/golden/tiny_golden_clip.h"

namespace tailmark {
namespace {

constexpr at::ScalarType kTypes[] = {at::kFloat, at::kDouble};

std::string LetterOf(const std::string& clip) { return clip.substr(10, 1); }

std::vector<std::int64_t> Numbers(const at::Tensor& tensor) {
  const auto values = tensor.to(at::kLong).contiguous();
  const auto* begin = values.data_ptr<std::int64_t>();
  return {begin, begin + values.numel()};
}

void ComparePrompts(const MethodGoldens& goldens, const Json& each,
                    const char* lengths, Encoder& encoder,
                    at::ScalarType type) {
  const Json& p = each.at("params");
  const bool real = std::string(lengths) == "true_len";
  const auto tokens = goldens.In(each, "tokens");
  const auto count = Numbers(goldens.In(each, "name_token_count"));
  const PromptLearner learner(
      {.class_specific = p.at("csc"),
       .position = ClassPositionNamed(p.at("position").get<std::string>())},
      p.at("n_ctx"), tokens,
      real ? count : std::vector<std::int64_t>(count.size(), 1), encoder);
  EXPECT_TRUE(learner.layout().equal(
      goldens.Out(each, std::string("layout_") + lengths).to(at::kLong)))
      << MethodGoldens::Id(each) << " " << lengths;
  const auto context = goldens.In(each, "ctx").to(type).requires_grad_();
  const auto features = learner.Features(learner.Embeddings(context));
  goldens.Expect(each, std::string("text_features_") + lengths, features);
  const auto sum = (features * goldens.In(each, "upstream").to(type)).sum();
  goldens.Expect(each, std::string("grad_ctx_") + lengths,
                 torch::autograd::grad({sum}, {context})[0]);
  // What cannot matter, computed too.
  goldens.Expect(each, std::string("text_features_") + lengths,
                 learner.Features(learner.Embeddings(context.detach()),
                                  /*all_positions=*/true));
}

TEST(PromptsGolden, LayoutFeaturesAndGradientAreThoseOfTheReference) {
  const auto goldens = MethodGoldens::Open("prompt_learner.safetensors");
  if (!goldens || !TinyGoldenClip("a", at::kFloat)) {
    GTEST_SKIP() << "no golden folder methods (prompt_learner, tiny_clip_a)";
  }
  int compared = 0;
  for (const auto type : kTypes) {
    const auto encoder = TinyGoldenClip("a", type);
    for (const Json& each : goldens->cases()) {
      for (const char* lengths : {"repo_len1", "true_len"}) {
        ComparePrompts(*goldens, each, lengths, *encoder, type);
      }
      ++compared;
    }
  }
  std::cout << "compared " << compared / 2
            << " prompt layouts in float32 and in float64\n";
  EXPECT_GT(compared, 0);
}

void CompareConditional(const MethodGoldens& goldens, const Json& each,
                        Encoder& encoder, at::ScalarType type) {
  const PromptLearner learner({.class_specific = false}, 4,
                              goldens.In(each, "tokens"),
                              std::vector<std::int64_t>(7, 1), encoder);
  const std::vector<std::string> names = {
      "meta_net.linear1.weight", "meta_net.linear1.bias",
      "meta_net.linear2.weight", "meta_net.linear2.bias"};
  std::vector<at::Tensor> leaves = {goldens.In(each, "ctx").to(type)};
  for (const auto& name : names) {
    leaves.push_back(goldens.In(each, "w/" + name).to(type));
  }
  for (auto& leaf : leaves) leaf.requires_grad_();
  const ConditionalContext conditional{.context = leaves[0],
                                       .first = {leaves[1], leaves[2]},
                                       .second = {leaves[3], leaves[4]}};
  const auto features =
      encoder.EncodeImages(goldens.In(each, "image").to(type));
  const auto logits =
      conditional.Logits(learner, encoder.logit_scale(), features);
  const auto loss = BceLoss(logits, goldens.In(each, "labels").to(type), {});
  goldens.Expect(each, "meta_bias", conditional.Shift(UnitRows(features)));
  goldens.Expect(each, "logits", logits);
  goldens.Expect(each, "bce", loss);
  const auto gradients = torch::autograd::grad({loss}, leaves);
  goldens.Expect(each, "grad/ctx", gradients[0]);
  for (std::size_t i = 0; i < names.size(); ++i) {
    goldens.Expect(each, "grad/" + names[i], gradients[i + 1]);
  }
}

void CompareTowers(const MethodGoldens& goldens, const Json& each,
                   Encoder& encoder, at::ScalarType type) {
  const auto pixels = goldens.In(each, "image").to(type);
  const auto images = encoder.EncodeImages(pixels);
  const auto texts = encoder.EncodeText(goldens.In(each, "tokens"));
  const auto logits =
      UnitRows(images).matmul(UnitRows(texts).t()) * encoder.logit_scale();
  goldens.Expect(each, "image_features", images);
  goldens.Expect(each, "text_features", texts);
  goldens.Expect(each, "all_tokens_projected",
                 encoder.EncodeImageTokens(pixels));
  goldens.Expect(each, "logits_per_image", logits);
  // The zero-shot program takes 100, whatever the file has.
  goldens.Expect(
      each, "zero_shot_probs",
      (UnitRows(images).matmul(UnitRows(texts).t()) * 100).softmax(1));
}

/// Runs `compare` for every case of `file` whose CLIP is there.
template <class Compare>
int ForEachClip(const std::string& file, Compare compare) {
  const auto goldens = MethodGoldens::Open(file);
  if (!goldens) return 0;
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    const Json& p = each.at("params");
    const auto clip = p.contains("clip") ? p.at("clip").get<std::string>()
                                         : p.at("weights").get<std::string>();
    for (const auto type : kTypes) {
      const auto encoder = TinyGoldenClip(LetterOf(clip), type);
      if (encoder == nullptr) continue;
      compare(*goldens, each, *encoder, type);
      ++compared;
    }
  }
  return compared / 2;
}

TEST(PromptsGolden, ConditionalContextIsThatOfTheReference) {
  const int compared = ForEachClip("cocoop.safetensors", CompareConditional);
  if (compared == 0) GTEST_SKIP() << "no golden folder methods (cocoop)";
  std::cout << "compared " << compared
            << " CoCoOp cases in float32 and in float64\n";
}

TEST(PromptsGolden, TowersAreThoseOfTheReference) {
  const int compared = ForEachClip("clip_forward.safetensors", CompareTowers);
  if (compared == 0) GTEST_SKIP() << "no golden folder methods (clip_forward)";
  std::cout << "compared " << compared
            << " forward passes in float32 and in float64\n";
}

/// Knows the prompts of the classes and captions "caption 0", ... of a case.
class CaseTokenizer final : public Tokenizer {
 public:
  CaseTokenizer(const Json& names, const at::Tensor& prompts,
                const at::Tensor& captions)
      : end_(captions.max().item<std::int64_t>()) {
    for (std::int64_t c = 0; c < prompts.size(0); ++c) {
      rows_[names[static_cast<std::size_t>(c)].get<std::string>() + "."] =
          Numbers(prompts[c]);
    }
    for (std::int64_t i = 0; i < captions.size(0); ++i) {
      rows_["caption " + std::to_string(i)] = Numbers(captions[i]);
    }
  }
  std::vector<std::int64_t> Encode(std::string_view text) const override {
    while (text.starts_with("X ")) text.remove_prefix(2);
    // Names and init text alone are asked for their length only.
    const auto it = rows_.find(std::string(text));
    if (it == rows_.end()) return std::vector<std::int64_t>(4, 1);
    const auto& row = it->second;
    return {row.begin() + 1, std::find(row.begin(), row.end(), end_)};
  }
  std::int64_t size() const override { return end_ + 1; }
  std::int64_t start() const override { return end_ - 1; }
  std::int64_t end() const override { return end_; }
  std::int64_t pad() const override { return 0; }

 private:
  std::int64_t end_;
  std::map<std::string, std::vector<std::int64_t>> rows_;
};

/// The first `batches` batches of a case in their order; labels() are those of
/// the whole split, so that classes have the counts of the case.
class CaseSource final : public TrainSource {
 public:
  CaseSource(at::Tensor features, at::Tensor labels,
             const at::Tensor& class_counts, std::int64_t images,
             std::int64_t batch, std::int64_t batches)
      : features_(std::move(features)),
        batch_labels_(std::move(labels)),
        batch_(batch),
        batches_(batches) {
    labels_ = at::zeros({images, class_counts.numel()}, at::kByte);
    for (std::int64_t c = 0; c < class_counts.numel(); ++c) {
      const auto count = class_counts[c].item<std::int64_t>();
      labels_.select(1, c).narrow(0, 0, count).fill_(1);
    }
    for (std::int64_t i = 0; i < features_.size(0); ++i) {
      captions_.push_back("caption " + std::to_string(i));
    }
  }
  std::int64_t num_samples() const override { return labels_.size(0); }
  const at::Tensor& labels() const override { return labels_; }
  const at::Tensor& known() const override { return known_; }
  const std::vector<std::string>& ids() const override { return captions_; }
  const std::vector<std::string>& captions() const override {
    return captions_;
  }
  void Start(const Pass&) override { next_ = 0; }
  bool Next(TrainBatch& batch) override {
    if (next_ == batches_) return false;
    const std::int64_t from = batch_ * next_++;
    batch.rows = torch::arange(from, from + batch_);
    batch.inputs = features_.narrow(0, from, batch_);
    batch.labels = batch_labels_.narrow(0, from, batch_);
    return true;
  }

 private:
  at::Tensor features_, batch_labels_, labels_, known_;
  std::vector<std::string> captions_;
  std::int64_t batch_, batches_;
  std::int64_t next_ = 0;
};

class Trajectory {
 public:
  Trajectory(const MethodGoldens& goldens, const Json& each,
             at::ScalarType type)
      : goldens_(goldens), case_(each), p_(each.at("params")), type_(type) {
    RegisterBuiltinMethods(registry_);
    encoder_ = TinyGoldenClip("a", type,
                              std::make_shared<CaseTokenizer>(
                                  p_.at("names"), goldens.In(each, "tokens"),
                                  goldens.In(each, "caption_tokens")));
    // The file's own is 100 only to four digits, and what 100 stands for.
    const double scale = p_.at("logit_scale_exp");
    if (scale != 100) encoder_->model().logit_scale.fill_(std::log(scale));
    const at::NoGradGuard no_grad;
    features_ = encoder_->EncodeImages(goldens.In(each, "images").to(type));
  }

  void Compare() {
    const auto begin = Make();
    goldens_.Expect(case_, "logits_step0", begin->Predict(Part(0)));
    ExpectContext(*Trained(1), "after1/ctx");
    const auto end = Trained(5);
    ExpectContext(*end, "after5/ctx");
    goldens_.Expect(case_, "held_logits", end->Predict(Part(5)));
    ExpectLosses();
  }

 private:
  std::int64_t batch() const { return p_.at("B"); }
  Batch Part(std::int64_t number) const {
    Batch out;
    out.rows = torch::arange(batch());
    out.inputs = features_.narrow(0, number * batch(), batch());
    return out;
  }
  OptionMap Options() const {
    const std::string id = MethodGoldens::Id(case_);
    OptionMap options = {{"schedule", std::string("constant")},
                         {"batch_size", batch()},
                         {"epochs", std::int64_t{1}},
                         {"lr", p_.at("lr").get<double>()},
                         {"weight_decay", p_.at("wd").get<double>()},
                         {"augment", std::string("none")},
                         {"score", std::string("logit")},
                         {"db_gamma", 0.3},
                         {"db_neg_scale", 5.0},
                         {"m_ctx", p_.at("m").get<std::int64_t>()}};
    if (id.starts_with("lmpt/coop_shared4")) {
      options["context"] = std::string("shared");
      options["length"] = std::int64_t{4};
      options["cse"] = std::string("off");
      options["loss"] = std::string(id.ends_with("bce") ? "bce" : "asl");
    } else {
      options["cse"] = id.substr(id.find("cse_") + 4);
    }
    return options;
  }
  std::unique_ptr<Method> Make() {
    Problem problem;
    for (const Json& name : p_.at("names")) problem.class_names.push_back(name);
    problem.encoder = encoder_.get();
    auto method = registry_.Find("lmpt").create(Options(), problem);
    const auto context = goldens_.In(case_, "ctx").to(type_);
    MemoryState state;
    state.Put("parameter/context", context);
    state.Put("optimiser/0/velocity", at::zeros_like(context));
    for (const char* zero :
         {"epoch", "offset", "optimiser/steps", "optimiser/0/begun"}) {
      state.PutInt(zero, 0);
    }
    method->Load(state);
    return method;
  }
  std::unique_ptr<Method> Trained(std::int64_t batches) {
    auto method = Make();
    CaseSource source(features_, goldens_.In(case_, "labels").to(type_),
                      goldens_.In(case_, "class_freq"), 1142, batch(), batches);
    toys::StopAfter never;
    FitContext context{source, nullptr, 0, never};
    method->Fit(context);
    curves_ = never.reports.back().curves;
    return method;
  }
  void ExpectContext(const Method& method, const std::string& name) {
    MemoryState state;
    method.Save(state);
    goldens_.Expect(case_, name, state.Get("parameter/context"));
  }
  void ExpectLosses() {
    for (const char* name : {"loss", "loss_cls", "loss_cse"}) {
      if (!case_.at("outputs").contains(name) || !curves_.contains(name)) {
        continue;
      }
      EXPECT_NEAR(curves_.at(name),
                  goldens_.Out(case_, name).mean().item<double>(),
                  type_ == at::kDouble ? MethodGoldens::DoubleBound(case_, name)
                                       : MethodGoldens::Bound(case_, name))
          << MethodGoldens::Id(case_) << " " << name;
    }
  }

  const MethodGoldens& goldens_;
  const Json& case_;
  const Json& p_;
  at::ScalarType type_;
  MethodRegistry registry_;
  std::unique_ptr<ClipEncoder> encoder_;
  at::Tensor features_;
  std::map<std::string, double> curves_;
};

TEST(PromptsGolden, FiveStepsOfTrainingAreThoseOfTheReference) {
  const auto goldens = MethodGoldens::Open("traj_lmpt.safetensors");
  if (!goldens || !TinyGoldenClip("a", at::kFloat)) {
    GTEST_SKIP() << "no golden folder methods (traj_lmpt, tiny_clip_a)";
  }
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    for (const auto type : kTypes) Trajectory(*goldens, each, type).Compare();
    ++compared;
  }
  std::cout << "compared " << compared
            << " trajectories of 5 steps in float32 and in float64\n";
  EXPECT_GT(compared, 0);
}

}  // namespace
}  // namespace tailmark
