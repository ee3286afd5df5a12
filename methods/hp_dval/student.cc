#include "methods/hp_dval/student.h"

#include <cmath>

#include "harness/base/error.h"
#include "methods/torch_pch.h"

namespace tailmark {

at::Tensor TwoLinear::operator()(const at::Tensor& x) const {
  return at::linear(at::tanh(at::linear(x, weight1, bias1)), weight2, bias2);
}

TwoLinear TwoLinear::Random(std::int64_t width, std::int64_t joint,
                            std::uint64_t seed, const at::TensorOptions& like) {
  const at::NoGradGuard no_grad;
  at::Generator chance = at::detail::createCPUGenerator(seed);
  const auto uniform = [&](at::IntArrayRef shape, std::int64_t inputs) {
    const double bound = 1.0 / std::sqrt(static_cast<double>(inputs));
    return at::empty(shape, at::kFloat)
        .uniform_(-bound, bound, chance)
        .to(like);
  };
  TwoLinear made;
  made.weight1 = uniform({joint, width}, width);
  made.bias1 = uniform({joint}, width);
  made.weight2 = uniform({joint, joint}, joint);
  made.bias2 = uniform({joint}, joint);
  return made;
}

at::Tensor Student::Tokens(const at::Tensor& pixels) const {
  return embedding.used() ? embedding(encoder->EncodeImageStates(pixels))
                          : encoder->EncodeImageTokens(pixels);
}

std::vector<EncoderParameter> Student::Towers() const {
  auto all = encoder->Parameters(Towers::kImage);
  if (embedding.used()) {
    all.push_back({"embedding.fc1.weight", embedding.weight1});
    all.push_back({"embedding.fc1.bias", embedding.bias1});
    all.push_back({"embedding.fc2.weight", embedding.weight2});
    all.push_back({"embedding.fc2.bias", embedding.bias2});
  }
  if (own_text) {
    for (const EncoderParameter& each : encoder->Parameters(Towers::kText)) {
      // The release trains the transformer, not the table of words.
      if (each.name.find("token_embedding") == std::string::npos) {
        all.push_back(each);
      }
    }
  }
  return all;
}

std::vector<EncoderParameter> Student::Contexts() const {
  if (!global_context.defined()) return {};
  return {{"prompts.global", global_context}, {"prompts.local", local_context}};
}

std::vector<EncoderParameter> Student::All() const {
  auto all = Towers();
  const auto contexts = Contexts();
  all.insert(all.end(), contexts.begin(), contexts.end());
  return all;
}

Student Student::Copy() const {
  const auto copied = [](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.detach().clone() : tensor;
  };
  Student copy = *this;
  copy.encoder = encoder->Copy(own_text ? tailmark::Towers::kBoth
                                        : tailmark::Towers::kImage);
  for (at::Tensor* each :
       {&copy.embedding.weight1, &copy.embedding.bias1, &copy.embedding.weight2,
        &copy.embedding.bias2, &copy.global_context, &copy.local_context}) {
    *each = copied(*each);
  }
  return copy;
}

void ShareValues(const std::vector<EncoderParameter>& parameters,
                 const std::vector<at::Tensor>& source) {
  TM_CHECK(parameters.size() == source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    parameters[i].value.set_data(source[i]);
  }
}

}  // namespace tailmark
