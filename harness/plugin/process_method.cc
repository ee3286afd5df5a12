#include "harness/plugin/process_method.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "harness/base/digest.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/options_json.h"
#include "harness/base/temporary_folder.h"
#include "harness/plugin/child.h"
#include "harness/plugin/tensor_files.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr int kProtocol = 1;
constexpr std::int64_t kWriteBatch = 256;

fs::path HelperFolder() {
  return SharedFile("harness/plugin/python/tailmark_method.py").parent_path();
}

/// One object of an external method: a process of its own, started when first
/// spoken to.
class ProcessMethod final : public Method {
 public:
  ProcessMethod(std::shared_ptr<const ProcessProgram> program,
                PluginPlace place, OptionMap options, Problem problem)
      : program_(std::move(program)),
        place_(std::move(place)),
        options_(std::move(options)),
        problem_(std::move(problem)) {}

  void Fit(FitContext& context) override;
  at::Tensor Predict(const Batch& batch) const override;
  ScoreScale scale() const override { return program_->declared.scale; }
  void Save(StateWriter& out) const override;
  void Load(const StateReader& in) override;
  OptionMap ResolvedOptions() const override { return options_; }
  std::int64_t trained_parameters() const override { return parameters_; }

 private:
  Child& Talk() const;
  Json Hello() const;
  Json Text() const;
  /// Says `message` and gives the answer, which must be of `type`.
  Json Ask(const Json& message, const std::string& type) const;
  Json Part(TrainSource& source, const std::string& name) const;
  void Expect(const Json& message, const std::string& type) const;

  std::shared_ptr<const ProcessProgram> program_;
  PluginPlace place_;
  OptionMap options_;
  Problem problem_;
  std::int64_t parameters_ = 0;
  mutable TemporaryFolder scratch_;
  mutable std::optional<Child> child_;  // Gone before its folder is.
};

Child& ProcessMethod::Talk() const {
  if (child_) return *child_;
  const fs::path folder = program_->file.parent_path();
  Allowed allowed{.readable = program_->reads,
                  .writable = {scratch_.path()},
                  .hidden = place_.hidden};
  allowed.readable.insert(allowed.readable.end(), {folder, HelperFolder()});
  if (!program_->text.empty()) allowed.readable.push_back(place_.weights);
  if (program_->paths) {
    for (const fs::path& each : {place_.data_root, place_.pictures}) {
      if (!each.empty()) allowed.readable.push_back(each);
    }
  }
  std::string python = HelperFolder().string();
  if (const auto more = GetEnv("PYTHONPATH")) python += ":" + *more;
  const std::string scratch = scratch_.path().string();
  child_.emplace(ChildOptions{
      .name = StrCat("method '", program_->declared.info.name, "'"),
      .command = program_->command,
      .folder = folder,
      .environment = {{"PYTHONPATH", python},
                      {"PYTHONDONTWRITEBYTECODE", "1"},
                      {"TMPDIR", scratch}},
      .silence_s = program_->silence_s,
      .allowed = std::move(allowed)});
  const Json ready = Ask(Hello(), "ready");
  if (ready.value("protocol", 0) != kProtocol) {
    throw std::runtime_error(
        StrCat(program_->file.string(), ": its program speaks protocol ",
               ready.value("protocol", 0), ", this harness ", kProtocol));
  }
  return *child_;
}

Json ProcessMethod::Hello() const {
  const MethodInfo& info = program_->declared.info;
  Json problem = {{"class_names", problem_.class_names},
                  {"train_counts", problem_.train_counts},
                  {"train_images", problem_.train_images},
                  {"groups", problem_.groups},
                  {"device", problem_.device.str()},
                  {"precision", problem_.precision}};
  if (!program_->text.empty()) problem["text"] = Text();
  return {{"type", "hello"},
          {"protocol", kProtocol},
          {"method", info.name},
          {"version", info.version},
          {"problem", std::move(problem)},
          {"options", ToJson(options_)},
          {"dirs",
           {{"scratch", scratch_.path().string()},
            {"method", program_->file.parent_path().string()}}}};
}

/// The class names as the encoder sees them, for methods that begin with text.
Json ProcessMethod::Text() const {
  TM_CHECK(problem_.encoder != nullptr, "needs.text was declared");
  const at::NoGradGuard no_graph;
  std::vector<std::string> prompts;
  for (const std::string& name : problem_.class_names) {
    std::string prompt = program_->text;
    if (const auto at = prompt.find("{}"); at != prompt.npos) {
      prompt.replace(at, 2, name);
    }
    prompts.push_back(std::move(prompt));
  }
  Encoder& encoder = *problem_.encoder;
  const at::Tensor tokens = encoder.Tokenize(prompts, /*truncate=*/true);
  const fs::path at = scratch_.path();
  WriteTensor(at / "text-tokens.npy", tokens.to(at::kLong));
  WriteTensor(at / "text-embeddings.npy",
              encoder.EmbedTokens(tokens).to(at::kFloat));
  WriteTensor(at / "text-features.npy",
              encoder.EncodeText(tokens).to(at::kFloat));
  return {{"prompts", prompts},
          {"tokens", (at / "text-tokens.npy").string()},
          {"embeddings", (at / "text-embeddings.npy").string()},
          {"features", (at / "text-features.npy").string()},
          {"logit_scale", encoder.logit_scale()},
          {"weights", place_.weights.string()}};
}

void ProcessMethod::Expect(const Json& message, const std::string& type) const {
  if (message.at("type") == type) return;
  throw std::runtime_error(StrCat("method '", program_->declared.info.name,
                                  "' said '",
                                  message.at("type").get<std::string>(),
                                  "' where the protocol has '", type, "'"));
}

Json ProcessMethod::Ask(const Json& message, const std::string& type) const {
  child_->Say(message);
  Json answer = child_->Hear();
  Expect(answer, type);
  return answer;
}

Json ProcessMethod::Part(TrainSource& source, const std::string& name) const {
  const fs::path at = scratch_.path();
  const auto path = [&](const char* what) {
    return (at / StrCat(name, "-", what, ".npy")).string();
  };
  Json part = {{"labels", path("labels")},
               {"ids", source.ids()},
               {"captions", source.captions()}};
  WriteTensor(path("labels"), source.labels());
  if (source.known().defined()) {
    part["known"] = path("known");
    WriteTensor(path("known"), source.known());
  }
  if (program_->paths) {
    for (const std::string& id : source.ids()) {
      part["files"].push_back(place_.train_file(id));
    }
  } else if (program_->declared.info.input != InputKind::kNone) {
    part["inputs"] = path("inputs");
    source.Start({.batch_size = kWriteBatch, .shuffle = false});
    TrainBatch batch;
    WriteTensorRows(path("inputs"), source.num_samples(), [&] {
      return source.Next(batch) ? batch.inputs : at::Tensor();
    });
  }
  return part;
}

void ProcessMethod::Fit(FitContext& context) {
  Child& child = Talk();
  Json message = {{"type", "fit"},
                  {"seed", context.seed},
                  {"train", Part(context.train, "train")}};
  if (context.validation != nullptr) {
    message["validation"] = Part(*context.validation, "validation");
  }
  child.Say(message);
  while (true) {
    const Json said = child.Hear();
    if (said.at("type") == "fitted") {
      parameters_ = said.value("parameters", std::int64_t{0});
      return;
    }
    Expect(said, "progress");
    EpochReport report{.epoch = said.value("epoch", std::int64_t{0}),
                       .epochs = said.value("epochs", std::int64_t{0})};
    if (const auto curves = said.find("curves"); curves != said.end()) {
      // JSON has no word for NaN, so null is one.
      for (const auto& [name, value] : curves->items()) {
        report.curves[name] =
            value.is_number() ? value.get<double>() : std::nan("");
      }
    }
    const bool stop =
        context.observer.OnEpochEnd(*this, report) == FitSignal::kStop;
    child.Say({{"type", stop ? "stop" : "continue"}});
  }
}

at::Tensor ProcessMethod::Predict(const Batch& batch) const {
  Talk();
  const fs::path inputs = scratch_.path() / "batch.npy";
  const fs::path scores = scratch_.path() / "scores.npy";
  std::error_code ignored;
  fs::remove(scores, ignored);
  const std::vector<std::int64_t> rows(
      batch.rows.const_data_ptr<std::int64_t>(),
      batch.rows.const_data_ptr<std::int64_t>() + batch.rows.numel());
  Json message = {
      {"type", "predict"}, {"rows", rows}, {"scores", scores.string()}};
  if (program_->paths) {
    for (const std::int64_t row : rows) {
      message["files"].push_back(place_.test_file(row));
    }
  } else if (batch.inputs.defined()) {
    WriteTensor(inputs, batch.inputs);
    message["inputs"] = inputs.string();
  }
  const Json answer = Ask(message, "scores");
  if (answer.value("sha256", std::string()) != Sha256File(scores)) {
    throw std::runtime_error(
        StrCat("method '", program_->declared.info.name,
               "': its scores changed between writing and reading"));
  }
  return ReadTensor(scores);
}

// One tensor of bytes: what is in it is the method's business.
void ProcessMethod::Save(StateWriter& out) const {
  Talk();
  const fs::path path = scratch_.path() / "state";
  Ask({{"type", "save"}, {"path", path.string()}}, "saved");
  const std::string bytes = ReadFile(path);
  at::Tensor state =
      at::empty({static_cast<std::int64_t>(bytes.size())}, at::kByte);
  std::copy(bytes.begin(), bytes.end(),
            reinterpret_cast<char*>(state.data_ptr<std::uint8_t>()));
  out.Put("state", state);
  out.PutInt("parameters", parameters_);
}

void ProcessMethod::Load(const StateReader& in) {
  Talk();
  const at::Tensor state = in.Get("state").to(at::kCPU, at::kByte).contiguous();
  const fs::path path = scratch_.path() / "state";
  WriteFileAtomic(
      path,
      {reinterpret_cast<const char*>(state.const_data_ptr<std::uint8_t>()),
       static_cast<std::size_t>(state.numel())});
  Ask({{"type", "load"}, {"path", path.string()}}, "loaded");
  parameters_ = in.GetInt("parameters");
}

}  // namespace

ProcessProgram ReadProcessProgram(const fs::path& path) {
  const Json json = ReadJson(path);
  JsonMembers in(json, path.string());
  const auto schema = in.Get<std::string>("schema");
  if (schema != "tailmark-process/1") {
    throw DataError(StrCat(path.string(), ": schema is '", schema,
                           "', expected 'tailmark-process/1'"));
  }
  ProcessProgram out;
  out.file = path;
  out.command = in.Get<std::vector<std::string>>("command");
  if (out.command.empty()) {
    throw DataError(path.string() + ": 'command' names no program");
  }
  out.files = in.Get<std::vector<std::string>>("files", {});
  for (const std::string& each :
       in.Get<std::vector<std::string>>("reads", {})) {
    out.reads.push_back(path.parent_path() / each);
  }
  out.silence_s = in.Get<double>("silence", out.silence_s);
  const auto inputs = in.Get<std::string>("inputs", "tensors");
  if (inputs != "tensors" && inputs != "paths") {
    throw DataError(StrCat(path.string(), ": 'inputs' is '", inputs,
                           "', not one of tensors, paths"));
  }
  out.paths = inputs == "paths";
  out.text = in.Get<std::string>("text", "");
  out.declared = ReadDeclaration(in);
  in.Finish();
  if (out.paths) out.declared.info.input = InputKind::kNone;
  out.declared.info.needs.text = !out.text.empty();
  return out;
}

MethodRegistry::Entry OpenProcess(const fs::path& path,
                                  const PluginPlace& place) {
  auto program =
      std::make_shared<const ProcessProgram>(ReadProcessProgram(path));
  return {
      .info = program->declared.info,
      .options = program->declared.options,
      .create = [program, place](const OptionMap& values, Problem problem) {
        return std::unique_ptr<Method>(std::make_unique<ProcessMethod>(
            program, place, ResolveOptions(program->declared.options, values),
            std::move(problem)));
      }};
}

std::string ProcessSha256(const fs::path& path) {
  const ProcessProgram program = ReadProcessProgram(path);
  std::string all = Sha256File(path);
  for (const std::string& name : program.files) {
    all += "\n" + Sha256File(path.parent_path() / name);
  }
  all += "\n" + Sha256File(HelperFolder() / "tailmark_method.py");
  return Sha256Hex(all);
}

}  // namespace tailmark
