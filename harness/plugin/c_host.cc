#include "harness/plugin/c_host.h"

#include <ATen/ATen.h>
#include <ATen/DLConvertor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/dlpack.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/interrupt.h"
#include "harness/base/log.h"
#include "harness/base/options_json.h"
#include "harness/base/seeds.h"
#include "harness/base/temporary_folder.h"
#include "harness/plugin/cxx_host.h"
#include "harness/plugin/declaration.h"
#include "harness/plugin/tailmark_plugin_c.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

enum StatusCode : std::int32_t {
  kOk = 0,
  kUsage = 1,
  kFailed = 3,
  kCancelled = 4,
  kOutOfMemory = 5
};

void Fill(tailmark_status* status, std::int32_t code, std::string_view text) {
  if (status == nullptr) return;
  status->code = code;
  const std::size_t count = std::min(text.size(), sizeof status->message - 1);
  std::memcpy(status->message, text.data(), count);
  status->message[count] = '\0';
}

/// A tensor as the plugin sees it; given back when this goes.
class Lent {
 public:
  Lent() = default;
  explicit Lent(const at::Tensor& tensor) {
    if (tensor.defined()) {
      held_ = at::toDLPackVersioned(tensor.detach().contiguous());
    }
  }
  ~Lent() {
    if (held_ != nullptr) held_->deleter(held_);
  }
  Lent(Lent&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  Lent& operator=(Lent&& other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  DLManagedTensorVersioned* get() const { return held_; }

 private:
  DLManagedTensorVersioned* held_ = nullptr;
};

/// One kind of method: its table and what that says of itself.
struct Table {
  fs::path file;
  const tailmark_method_v1* functions = nullptr;
  Declaration declared;
};

class CMethod final : public Method {
 public:
  CMethod(std::shared_ptr<const Table> table, OptionMap options,
          Problem problem);
  ~CMethod() override { table_->functions->destroy(object_); }

  void Fit(FitContext& context) override;
  at::Tensor Predict(const Batch& batch) const override;
  ScoreScale scale() const override { return table_->declared.scale; }
  void Save(StateWriter& out) const override;
  void Load(const StateReader& in) override;
  OptionMap ResolvedOptions() const override { return options_; }

 private:
  bool Next(std::int32_t split, std::int64_t epoch, tailmark_batch& out);
  bool Report(const std::string& name, std::int64_t step, double value);
  void Require(std::int32_t code, const tailmark_status& status,
               const char* what) const;
  /// Runs what a plugin called. No exception may pass through its frames: it is
  /// kept, and thrown again once fit is over.
  template <class Body>
  std::int32_t Guarded(tailmark_status* status, Body body);

  std::shared_ptr<const Table> table_;
  OptionMap options_;
  Problem problem_;
  tailmark_host host_{};
  void* object_ = nullptr;
  mutable TemporaryFolder scratch_;

  // While Fit() runs.
  FitContext* context_ = nullptr;
  std::exception_ptr broken_;
  std::int64_t walked_[2] = {-2, -2};  // The pass under way of each split.
  bool walking_[2] = {false, false};
  TrainBatch batch_;
  Lent inputs_, targets_, known_;
  EpochReport report_;
};

template <class Body>
std::int32_t CMethod::Guarded(tailmark_status* status, Body body) {
  try {
    if (context_ == nullptr) {
      Fill(status, kUsage, "this may only be asked within fit");
      return 0;
    }
    if (broken_) {
      Fill(status, kCancelled, "the run is ending");
      return 0;
    }
    return body() ? 1 : 0;
  } catch (const std::exception& error) {
    broken_ = std::current_exception();
    Fill(status, kCancelled, error.what());
  } catch (...) {
    broken_ = std::current_exception();
    Fill(status, kCancelled, "the run is ending");
  }
  return 0;
}

CMethod::CMethod(std::shared_ptr<const Table> table, OptionMap options,
                 Problem problem)
    : table_(std::move(table)),
      options_(std::move(options)),
      problem_(std::move(problem)) {
  host_.struct_size = sizeof host_;
  host_.self = this;
  host_.next_batch = [](void* self, std::int32_t split, std::int64_t epoch,
                        tailmark_batch* out, tailmark_status* status) {
    auto* me = static_cast<CMethod*>(self);
    return me->Guarded(status, [&] { return me->Next(split, epoch, *out); });
  };
  host_.seed = [](void* self, const char* stream) {
    auto* me = static_cast<CMethod*>(self);
    return me->context_ == nullptr ? 0 : DeriveSeed(me->context_->seed, stream);
  };
  host_.report = [](void* self, const char* name, std::int64_t step,
                    double value) {
    auto* me = static_cast<CMethod*>(self);
    return me->Guarded(nullptr, [&] { return me->Report(name, step, value); });
  };
  host_.log = [](void* self, std::int32_t level, const char* text) {
    const auto& name = static_cast<CMethod*>(self)->table_->declared.info.name;
    (level > 1 ? LogWarning : LogInfo)(StrCat(name, ": ", text));
  };
  const Json facts = {{"class_names", problem_.class_names},
                      {"train_counts", problem_.train_counts},
                      {"train_images", problem_.train_images},
                      {"groups", problem_.groups},
                      {"device", problem_.device.str()},
                      {"precision", problem_.precision}};
  tailmark_status status{};
  const std::int32_t code = table_->functions->create(
      facts.dump().c_str(), ToJson(options_).dump().c_str(), &host_, &object_,
      &status);
  Require(code, status, "create");
}

void CMethod::Require(std::int32_t code, const tailmark_status& status,
                      const char* what) const {
  if (code == kOk) return;
  const std::string said(status.message,
                         strnlen(status.message, sizeof status.message));
  if (code == kOutOfMemory) throw std::bad_alloc();
  const std::string text =
      StrCat("method '", table_->declared.info.name, "' failed in ", what, ": ",
             said.empty() ? StrCat("code ", code) : said);
  if (code == kUsage) throw ConfigError(text);
  throw std::runtime_error(text);
}

bool CMethod::Next(std::int32_t split, std::int64_t epoch,
                   tailmark_batch& out) {
  TrainSource* const sources[] = {&context_->train, context_->validation};
  if (split < 0 || split > 1 || sources[split] == nullptr) {
    throw ConfigError(StrCat("there is no split ", split,
                             " to be asked for: 0 is train, 1 validation"));
  }
  if (!walking_[split] || walked_[split] != epoch) {
    std::int64_t size = 64;
    if (const auto it = options_.find("batch_size"); it != options_.end()) {
      if (const auto* given = std::get_if<std::int64_t>(&it->second)) {
        size = *given;
      }
    }
    sources[split]->Start({.epoch = std::max<std::int64_t>(epoch, 0),
                           .batch_size = size,
                           .shuffle = epoch >= 0});
    walked_[split] = epoch;
    walking_[split] = true;
  }
  walking_[split] = sources[split]->Next(batch_);
  if (!walking_[split]) return false;
  inputs_ = Lent(batch_.inputs);
  targets_ = Lent(batch_.labels);
  known_ = Lent(batch_.known);
  out = {.struct_size = sizeof out,
         .inputs = inputs_.get(),
         .targets = targets_.get(),
         .known = known_.get(),
         .sample_ids = batch_.rows.const_data_ptr<std::int64_t>()};
  return true;
}

bool CMethod::Report(const std::string& name, std::int64_t step, double value) {
  ThrowIfInterrupted();
  if (name != "epoch") {
    report_.curves[name] = value;
    return true;
  }
  report_.epoch = step;
  report_.epochs = static_cast<std::int64_t>(value);
  const FitSignal signal = context_->observer.OnEpochEnd(
      *this, std::exchange(report_, EpochReport()));
  return signal == FitSignal::kContinue;
}

void CMethod::Fit(FitContext& context) {
  context_ = &context;
  broken_ = nullptr;
  tailmark_status status{};
  const std::int32_t code = table_->functions->fit(object_, &status);
  context_ = nullptr;
  walking_[0] = walking_[1] = false;
  if (broken_) std::rethrow_exception(broken_);
  Require(code, status, "fit");
}

at::Tensor CMethod::Predict(const Batch& batch) const {
  const at::NoGradGuard no_graph;
  const Lent inputs(batch.inputs);
  const at::Tensor rows = batch.rows.contiguous();
  const tailmark_batch seen{.struct_size = sizeof seen,
                            .inputs = inputs.get(),
                            .targets = nullptr,
                            .known = nullptr,
                            .sample_ids = rows.const_data_ptr<std::int64_t>()};
  DLManagedTensorVersioned* scores = nullptr;
  tailmark_status status{};
  Require(table_->functions->predict(object_, &seen, &scores, &status), status,
          "predict");
  if (scores == nullptr) return {};
  // Ours to keep: the plugin may hand out the same memory again.
  if (scores->version.major != DLPACK_MAJOR_VERSION) {
    throw std::runtime_error(StrCat(
        "method '", table_->declared.info.name, "' gave scores as DLPack ",
        scores->version.major, ", expected ", DLPACK_MAJOR_VERSION));
  }
  return at::fromDLPackVersioned(scores).clone();
}

void CMethod::Save(StateWriter& out) const {
  const fs::path path = scratch_.path() / "state";
  tailmark_status status{};
  Require(table_->functions->save(object_, path.c_str(), &status), status,
          "save");
  const std::string bytes = ReadFile(path);
  at::Tensor state =
      at::empty({static_cast<std::int64_t>(bytes.size())}, at::kByte);
  std::copy(bytes.begin(), bytes.end(),
            reinterpret_cast<char*>(state.data_ptr<std::uint8_t>()));
  out.Put("state", state);
}

void CMethod::Load(const StateReader& in) {
  const at::Tensor state = in.Get("state").to(at::kCPU, at::kByte).contiguous();
  const fs::path path = scratch_.path() / "state";
  WriteFileAtomic(
      path,
      {reinterpret_cast<const char*>(state.const_data_ptr<std::uint8_t>()),
       static_cast<std::size_t>(state.numel())});
  tailmark_status status{};
  Require(table_->functions->load(object_, path.c_str(), &status), status,
          "load");
}

MethodRegistry::Entry EntryOf(const std::shared_ptr<const Table>& table) {
  return {.info = table->declared.info,
          .options = table->declared.options,
          .create = [table](const OptionMap& values, Problem problem) {
            return std::unique_ptr<Method>(std::make_unique<CMethod>(
                table, ResolveOptions(table->declared.options, values),
                std::move(problem)));
          }};
}

}  // namespace

void OpenCPlugin(const fs::path& path, MethodRegistry& registry) {
  using Methods = const tailmark_method_v1* (*)(std::uint32_t, std::size_t*);
  const auto methods =
      reinterpret_cast<Methods>(LoadSymbol(path, "tailmark_plugin_methods"));
  std::size_t count = 0;
  const tailmark_method_v1* tables = methods(TAILMARK_PLUGIN_ABI, &count);
  if (tables == nullptr) {
    throw ConfigError(StrCat(path.string(), ": does not know version ",
                             TAILMARK_PLUGIN_ABI, " of the C interface"));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const tailmark_method_v1& each = tables[i];
    if (each.abi != TAILMARK_PLUGIN_ABI || each.struct_size < sizeof each) {
      throw ConfigError(StrCat(path.string(), ": its table ", i,
                               " is of version ", each.abi, " and ",
                               each.struct_size, " bytes, expected ",
                               TAILMARK_PLUGIN_ABI, " and ", sizeof each));
    }
    if (each.info_json == nullptr || each.create == nullptr ||
        each.fit == nullptr || each.predict == nullptr ||
        each.save == nullptr || each.load == nullptr ||
        each.destroy == nullptr) {
      throw DataError(StrCat(path.string(), ": a function of its table ", i,
                             " is missing"));
    }
    const Json json =
        ParseJson(each.info_json, path.string() + ": its info_json");
    JsonMembers in(json, path.string() + ": its info_json");
    auto table = std::make_shared<Table>(Table{
        .file = path, .functions = &each, .declared = ReadDeclaration(in)});
    in.Finish();
    registry.Insert(EntryOf(std::move(table)));
  }
}

}  // namespace tailmark
