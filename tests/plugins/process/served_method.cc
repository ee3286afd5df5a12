// served_method NAME: the builtin method NAME as an external program, which
// speaks the protocol of harness/plugin/README.md. Same code, same bits: what a
// run of it costs more is what the process kind costs.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/base/options_json.h"
#include "harness/plugin/tensor_files.h"
#include "harness/run/sources.h"
#include "harness/run/state_file.h"
#include "methods/builtin.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr int kReadAt = 3, kWriteAt = 4;

/// The two ends of the conversation.
class Talk {
 public:
  Json Hear() {
    const ssize_t length = getline(&line_, &room_, read_);
    if (length < 0) std::_Exit(0);  // The harness is gone.
    return ParseJson({line_, static_cast<std::size_t>(length)}, "the harness");
  }
  void Say(const Json& message) {
    std::fputs((message.dump() + "\n").c_str(), write_);
    std::fflush(write_);
  }

 private:
  char* line_ = nullptr;  // getline's, as long as the process lives.
  std::size_t room_ = 0;
  FILE* read_ = fdopen(kReadAt, "r");
  FILE* write_ = fdopen(kWriteAt, "w");
};

class Served final : public FitObserver {
 public:
  Served(const MethodRegistry::Entry& entry, Talk& talk) : talk_(talk) {
    const Json hello = talk.Hear();
    const Json& given = hello.at("problem");
    Problem problem;
    given.at("class_names").get_to(problem.class_names);
    given.at("train_counts").get_to(problem.train_counts);
    given.at("train_images").get_to(problem.train_images);
    given.at("groups").get_to(problem.groups);
    method_ =
        entry.create(OptionsFromJson(hello.at("options")), std::move(problem));
    talk.Say({{"type", "ready"}, {"protocol", 1}});
  }

  /// Answers until the harness says one of these two; which it was.
  std::string Serve(const std::string& one, const std::string& other) {
    while (true) {
      const Json message = talk_.Hear();
      const auto type = message.at("type").get<std::string>();
      if (type == one || type == other) return type;
      talk_.Say(Answer(type, message));
    }
  }

  FitSignal OnEpochEnd(const Method&, const EpochReport& report) override {
    talk_.Say({{"type", "progress"},
               {"epoch", report.epoch},
               {"epochs", report.epochs},
               {"curves", report.curves}});
    return Serve("continue", "stop") == "stop" ? FitSignal::kStop
                                               : FitSignal::kContinue;
  }

 private:
  Json Answer(const std::string& type, const Json& message) {
    if (type == "fit") {
      Fit(message);
      return {{"type", "fitted"},
              {"parameters", method_->trained_parameters()}};
    }
    if (type == "predict") return Predict(message);
    const auto path = message.at("path").get<std::string>();
    if (type == "save") {
      Checkpoint checkpoint;
      method_->Save(checkpoint.state);
      checkpoint.Write(path);
      return {{"type", "saved"}};
    }
    method_->Load(Checkpoint::Read(path).state);
    return {{"type", "loaded"}};
  }

  void Fit(const Json& message) {
    const Json& part = message.at("train");
    TrainRows rows{.ids = part.at("ids"),
                   .captions = part.at("captions"),
                   .labels = ReadTensor(part.at("labels").get<std::string>())};
    if (part.contains("known")) {
      rows.known = ReadTensor(part.at("known").get<std::string>());
    }
    FeatureViews views{
        .plain = ReadTensor(part.at("inputs").get<std::string>()),
        .flipped = []() -> at::Tensor {
          throw ConfigError("no mirrored images come with the protocol");
        }};
    const auto seed = message.at("seed").get<std::uint64_t>();
    const auto train = MakeFeatureTrainSource(std::move(rows), std::move(views),
                                              {.seed = seed});
    FitContext context{*train, nullptr, seed, *this};
    method_->Fit(context);
  }

  Json Predict(const Json& message) {
    Batch batch;
    batch.inputs = ReadTensor(message.at("inputs").get<std::string>());
    batch.rows = at::tensor(message.at("rows").get<std::vector<std::int64_t>>(),
                            torch::kLong);
    const auto file = message.at("scores").get<std::string>();
    WriteTensor(file, method_->Predict(batch));
    return {{"type", "scores"}, {"file", file}, {"sha256", Sha256File(file)}};
  }

  Talk& talk_;
  std::unique_ptr<Method> method_;
};

int Main(int argc, char** argv) {
  Talk talk;
  try {
    MethodRegistry methods;
    RegisterBuiltinMethods(methods);
    Served served(methods.Find(argc > 1 ? argv[1] : ""), talk);
    served.Serve("bye", "bye");
    return 0;
  } catch (const std::exception& error) {
    talk.Say({{"type", "error"}, {"message", error.what()}});
    return 1;
  }
}

}  // namespace
}  // namespace tailmark

int main(int argc, char** argv) {
  const int code = tailmark::Main(argc, argv);
  std::fflush(nullptr);
  std::_Exit(code);  // Taking LibTorch apart costs 40 ms and moves nothing.
}
