#include "harness/plugin/exported.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/version.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/suggest.h"
#include "harness/plugin/declaration.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

/// What model.json says.
struct Exported {
  fs::path file;       ///< model.json
  fs::path model;      ///< .pt or .pt2
  std::string sha256;  ///< Of the model.
  Declaration declared;
  std::string preprocessing;  ///< A pipeline of ours; "" for features.
  std::vector<std::string> classes;
  std::int64_t width = 0;        ///< Of a feature; 0: not said.
  std::int64_t batch_limit = 0;  ///< 0: none.
};

Exported ReadExported(const fs::path& path) {
  const Json json = ReadJson(path);
  JsonMembers in(json, path.string());
  in.At("schema");
  Exported out;
  out.file = path;
  out.model = path.parent_path() / in.Get<std::string>("file");
  out.sha256 = in.Get<std::string>("sha256");
  out.preprocessing = in.Get<std::string>("preprocessing", "");
  out.classes = in.Get<std::vector<std::string>>("classes");
  out.width = in.Get<std::int64_t>("width", 0);
  out.batch_limit = in.Get<std::int64_t>("batch_limit", 0);
  const auto output = in.Get<std::string>("output");
  in.Get<std::string>("licence");
  in.Get<std::string>("training_data", "");
  Json said = json;
  for (const char* name :
       {"schema", "file", "sha256", "preprocessing", "classes", "width",
        "batch_limit", "output", "licence", "training_data"}) {
    said.erase(name);
  }
  if (output == "feature") {
    throw DataError(
        StrCat(path.string(),
               ": its output are features, which rank nothing; export "
               "a model with its classifier (logit, probability or "
               "cosine)"));
  }
  said["scale"] = output;
  JsonMembers declared(said, path.string());
  out.declared = ReadDeclaration(declared);
  declared.Finish();
  Abilities& able = out.declared.info.abilities;
  able.trains = able.stochastic = false;
  able.partial_labels = true;  // It looks at none.
  const bool images = out.declared.info.input == InputKind::kImages;
  if (images != !out.preprocessing.empty()) {
    throw DataError(StrCat(path.string(),
                           ": 'preprocessing' names the pipeline of a model "
                           "whose input are images, and only of such a one"));
  }
  if (out.width < 0 || (out.width > 0 && images)) {
    throw DataError(StrCat(path.string(), ": 'width' is ", out.width,
                           images ? "; a model whose input are images has none"
                                  : ", expected that of a feature"));
  }
  const std::string found = Sha256File(out.model);
  if (found != out.sha256) {
    throw DataError(StrCat(out.model.string(), ": SHA-256 is ", found, ", ",
                           path.filename().string(), " says ", out.sha256));
  }
  return out;
}

using Forward = std::function<at::Tensor(const at::Tensor&)>;

Forward LoadScript(const fs::path& path, c10::Device device) {
  auto module = std::make_shared<torch::jit::Module>(
      torch::jit::load(path.string(), device));
  module->eval();
  return [module](const at::Tensor& inputs) {
    const c10::IValue out = module->forward({inputs});
    if (!out.isTensor()) {
      throw std::runtime_error("its forward() gives no tensor");
    }
    return out.toTensor();
  };
}

Forward LoadPackage(const fs::path& path, c10::Device device) {
  auto package = std::make_shared<torch::inductor::AOTIModelPackageLoader>(
      path.string(), "model", /*run_single_threaded=*/true, /*num_runners=*/1,
      device.is_cuda() ? device.index() : c10::DeviceIndex{-1});
  return [package](const at::Tensor& inputs) {
    const auto out = package->run({inputs});
    if (out.size() != 1) {
      throw std::runtime_error(
          StrCat("its forward() gives ", out.size(), " tensors, expected one"));
    }
    return out.front();
  };
}

Forward LoadModel(const Exported& exported, c10::Device device) {
  try {
    return exported.model.extension() == ".pt2"
               ? LoadPackage(exported.model, device)
               : LoadScript(exported.model, device);
  } catch (const std::exception& error) {
    const auto* torch = dynamic_cast<const c10::Error*>(&error);
    const std::string said =
        torch == nullptr ? error.what() : torch->what_without_backtrace();
    throw DataError(StrCat(
        exported.model.string(), ": cannot be loaded by LibTorch ",
        TORCH_VERSION, " on ", device.str(), ": ",
        said.substr(0, said.find('\n')),
        exported.model.extension() == ".pt2"
            ? "; a package fits the LibTorch, compiler and processor it was "
              "made with: export it again with this one"
            : "; export it again with torch.jit.script or trace"));
  }
}

class ExportedMethod final : public Method {
 public:
  ExportedMethod(std::shared_ptr<const Exported> exported,
                 const PluginPlace& place, Problem problem)
      : exported_(std::move(exported)) {
    const std::string& wanted = exported_->preprocessing;
    if (!wanted.empty() && !place.pipeline.empty() &&
        wanted != place.pipeline) {
      throw ConfigError(StrCat("model '", exported_->declared.info.name,
                               "' was made for pictures of pipeline ", wanted,
                               ", the recipe's is ", place.pipeline,
                               "; write \"pipeline\": \"", wanted, "\""));
    }
    columns_ = at::tensor(Columns(problem), at::kLong).to(problem.device);
    forward_ = LoadModel(*exported_, problem.device);
  }

  void Fit(FitContext& context) override {
    context.observer.OnEpochEnd(*this, {.epoch = 1, .epochs = 1});
  }
  at::Tensor Predict(const Batch& batch) const override;
  ScoreScale scale() const override { return exported_->declared.scale; }
  void Save(StateWriter& out) const override { out.PutInt("exported", 1); }
  void Load(const StateReader& in) override { in.GetInt("exported"); }
  OptionMap ResolvedOptions() const override { return {}; }

 private:
  std::vector<std::int64_t> Columns(const Problem& problem) const;
  void Check(const at::Tensor& scores, std::int64_t rows) const;
  std::string Named() const {
    return StrCat("model '", exported_->declared.info.name, "'");
  }

  std::shared_ptr<const Exported> exported_;
  at::Tensor columns_;  // [C] of the model's output, in the problem's order.
  Forward forward_;
};

/// By name, never by position.
std::vector<std::int64_t> ExportedMethod::Columns(
    const Problem& problem) const {
  const auto& names = exported_->classes;
  std::vector<std::int64_t> columns;
  for (const std::string& name : problem.class_names) {
    const auto it = std::find(names.begin(), names.end(), name);
    if (it == names.end()) {
      throw ConfigError(
          StrCat(Named(), ": ", UnknownName("class", name, names)));
    }
    columns.push_back(it - names.begin());
  }
  return columns;
}

void ExportedMethod::Check(const at::Tensor& scores, std::int64_t rows) const {
  const auto classes = static_cast<std::int64_t>(exported_->classes.size());
  if (scores.dim() != 2 || scores.size(0) != rows ||
      scores.size(1) != classes) {
    throw std::runtime_error(StrCat(
        Named(), " gave scores of shape ", scores.sizes(), ", expected [", rows,
        ", ", classes, "]: images of the batch, classes of its model.json"));
  }
  if (!scores.isfinite().all().item<bool>()) {
    throw std::runtime_error(Named() + " gave scores that are not finite");
  }
  if (rows > 1 && scores.eq(scores[0]).all().item<bool>()) {
    throw std::runtime_error(StrCat(
        Named(), " gave the same scores to each of ", rows,
        " images; was it exported with its weights, and for this input?"));
  }
}

at::Tensor ExportedMethod::Predict(const Batch& batch) const {
  const at::NoGradGuard no_graph;
  const std::int64_t rows = batch.inputs.size(0);
  const std::int64_t width = exported_->width;
  if (width > 0 && batch.inputs.size(1) != width) {
    throw std::runtime_error(StrCat(
        Named(), " was made for features of width ", width, ", the run's are ",
        batch.inputs.size(1), " wide: of the weights it was trained on?"));
  }
  const std::int64_t most =
      exported_->batch_limit > 0 ? exported_->batch_limit : rows;
  std::vector<at::Tensor> parts;
  for (std::int64_t at = 0; at < rows; at += most) {
    parts.push_back(
        forward_(batch.inputs.narrow(0, at, std::min(most, rows - at))));
  }
  const at::Tensor scores = at::cat(parts);
  Check(scores, rows);
  return scores.index_select(1, columns_);
}

}  // namespace

MethodRegistry::Entry OpenExported(const fs::path& path,
                                   const PluginPlace& place) {
  auto exported = std::make_shared<const Exported>(ReadExported(path));
  return {
      .info = exported->declared.info,
      .options = {},
      .create = [exported, place](const OptionMap& values, Problem problem) {
        ResolveOptions({}, values);
        return std::unique_ptr<Method>(std::make_unique<ExportedMethod>(
            exported, place, std::move(problem)));
      }};
}

ExportedInput InputOfExported(const fs::path& path) {
  Exported exported = ReadExported(path);
  return {.classes = std::move(exported.classes),
          .pipeline = std::move(exported.preprocessing),
          .width = exported.width};
}

std::string ExportedSha256(const fs::path& path) {
  return Sha256Hex(Sha256File(path) + "\n" + ReadExported(path).sha256);
}

}  // namespace tailmark
