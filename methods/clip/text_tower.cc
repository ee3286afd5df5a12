#include "methods/clip/text_tower.h"

#include "harness/base/error.h"
#include "methods/torch_pch.h"

namespace tailmark {

TextTower::TextTower(const ClipConfig& config, const at::TensorOptions& like)
    : token_weight(at::zeros({config.vocabulary, config.text.width}, like)),
      position_weight(
          at::zeros({config.context_length, config.text.width}, like)),
      blocks(MakeBlocks(config.text, like)),
      norm_final(config.text.width, config.text.eps, like),
      projection(at::zeros({config.joint_width, config.text.width}, like)),
      end_(config.end) {}

at::Tensor TextTower::Embed(const at::Tensor& ids) const {
  return at::embedding(token_weight, ids);
}

at::Tensor TextTower::Ends(const at::Tensor& ids) const {
  // argmax gives the first of equals, and texts may be padded with the end id.
  // As int: argmax has no kernel for bool.
  return end_.id < 0 ? ids.argmax(1) : ids.eq(end_.id).to(at::kInt).argmax(1);
}

at::Tensor TextTower::WithPositions(const at::Tensor& embeddings) const {
  const std::int64_t length = embeddings.dim() == 3 ? embeddings.size(1) : 0;
  if (length < 1 || length > position_weight.size(0) ||
      embeddings.size(2) != position_weight.size(1)) {
    throw ConfigError(StrCat("text embeddings have shape ", embeddings.sizes(),
                             ", expected [texts, 1..", position_weight.size(0),
                             ", ", position_weight.size(1), "]"));
  }
  return embeddings.to(position_weight.scalar_type()) +
         position_weight.narrow(0, 0, length);
}

at::Tensor TextTower::Tokens(const at::Tensor& embeddings,
                             std::vector<at::Tensor>* states) const {
  auto x = WithPositions(embeddings);
  if (states != nullptr) states->push_back(x);
  for (const TransformerBlock& block : blocks) {
    x = block(x, {.causal = true});
    if (states != nullptr) states->push_back(x);
  }
  return x;
}

at::Tensor TextTower::Feature(const at::Tensor& embeddings,
                              const at::Tensor& ends) const {
  if (ends.dim() != 1 || ends.size(0) != embeddings.size(0)) {
    throw ConfigError(StrCat("text ends have shape ", ends.sizes(),
                             ", expected [", embeddings.size(0), "]"));
  }
  if (ends.size(0) == 0)
    return at::zeros({0, projection.size(0)}, projection.options());
  const std::int64_t length = ends.max().item<std::int64_t>() + 1;
  if (length > embeddings.size(1)) {
    throw ConfigError(StrCat("a text ends at position ", length - 1,
                             ", but there are only ", embeddings.size(1)));
  }
  auto x = WithPositions(embeddings.narrow(1, 0, length));
  for (std::size_t i = 0; i + 1 < blocks.size(); ++i) {
    x = blocks[i](x, {.causal = true});
  }
  const auto reachable = at::arange(length, ends.options())
                             .unsqueeze(0)
                             .le(ends.unsqueeze(1))
                             .view({-1, 1, 1, length});
  x = blocks.back().OneToken(x, ends, {.mask = reachable});
  return at::linear(norm_final(x.select(1, 0)), projection);
}

void TextTower::Collect(NamedTensors& out) const {
  out.push_back({"text_model.embeddings.token_embedding.weight", token_weight});
  out.push_back(
      {"text_model.embeddings.position_embedding.weight", position_weight});
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    blocks[i].Collect(StrCat("text_model.encoder.layers.", i), out);
  }
  norm_final.Collect("text_model.final_layer_norm", out);
  out.push_back({"text_projection.weight", projection});
}

}  // namespace tailmark
