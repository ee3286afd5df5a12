#include "methods/nn/image_features.h"

#include "harness/base/error.h"
#include "methods/clip/clip_encoder.h"
#include "methods/optim/optimiser.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

bool IsRunningFigure(const EncoderParameter& parameter) {
  return parameter.name.ends_with("running_mean") ||
         parameter.name.ends_with("running_var");
}

}  // namespace

ImageFeatures::ImageFeatures(Encoder& encoder, bool batch_statistics)
    : encoder_(&encoder) {
  if (!batch_statistics) return;
  copy_ = encoder.Copy(Towers::kImage);
  encoder_ = copy_.get();
  const auto* clip = dynamic_cast<ClipEncoder*>(encoder_);
  if (clip == nullptr ||
      !dynamic_cast<ClipEncoder*>(encoder_)->model().resnet) {
    throw ConfigError(
        "option 'bn' = 'train': the encoder has no BatchNorm; expected a "
        "ResNet, or 'eval'");
  }
}

at::Tensor ImageFeatures::operator()(const at::Tensor& inputs, bool learning) {
  if (inputs.dim() == 2) return inputs;
  const at::NoGradGuard no_grad;
  if (copy_ != nullptr) {
    dynamic_cast<ClipEncoder&>(*copy_).model().resnet->train_mode = learning;
  }
  return encoder_->EncodeImages(inputs);
}

void ImageFeatures::Save(StateWriter& out) const {
  if (copy_ == nullptr) return;
  for (const EncoderParameter& each : copy_->Parameters(Towers::kImage)) {
    if (IsRunningFigure(each)) out.Put("encoder/" + each.name, each.value);
  }
}

void ImageFeatures::Load(const StateReader& in) {
  if (copy_ == nullptr) return;
  const at::NoGradGuard no_grad;
  for (const EncoderParameter& each : copy_->Parameters(Towers::kImage)) {
    if (!IsRunningFigure(each)) continue;
    each.value.copy_(
        internal::LoadLike(in, "encoder/" + each.name, each.value));
  }
}

}  // namespace tailmark
