#include "harness/base/error.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/known_weights.h"
#include "harness/cli/verbs.h"
#include "harness/launch/become_worker.h"

namespace tailmark {
namespace {

struct Inputs {
  std::vector<std::string> given;
  std::string list;
};

struct Options {
  Inputs inputs;
  std::string weights, pipeline, out, dtype, device;
  std::optional<std::int64_t> threads, batch;
  bool all_tokens = false;
  bool raw = false;
  bool truncate = false;
};

/// A command line for the worker, word by word.
class Words {
 public:
  explicit Words(const GlobalOptions& global) {
    if (global.quiet) all_.push_back("--quiet");
  }
  void Say(const std::string& word) { all_.push_back(word); }
  void Give(const std::string& name, const std::string& value) {
    if (!value.empty()) all_.insert(all_.end(), {name, value});
  }
  void Give(const std::string& name, const std::optional<std::int64_t>& value) {
    if (value) Give(name, std::to_string(*value));
  }
  void Flag(const std::string& name, bool on) {
    if (on) all_.push_back(name);
  }
  void Give(const Inputs& inputs) {
    Give("--list", inputs.list);
    all_.insert(all_.end(), inputs.given.begin(), inputs.given.end());
  }
  const std::vector<std::string>& all() const { return all_; }

 private:
  std::vector<std::string> all_;
};

void RequireOneKind(const Inputs& inputs, const char* what) {
  if (inputs.given.empty() == inputs.list.empty()) {
    throw ConfigError(StrCat("give either ", what, " or --list FILE"));
  }
}

int Encode(const char* what, const Options& options,
           const GlobalOptions& global) {
  RequireOneKind(options.inputs, what);
  if (options.weights.empty() || options.out.empty()) {
    throw ConfigError("give --weights WEIGHTS and --out FILE.npy");
  }
  Words words(global);
  words.Say("encode");
  words.Say(what);
  words.Give("--weights", WeightsPath(options.weights).string());
  words.Give("--out", options.out);
  words.Give("--pipeline", options.pipeline);
  words.Give("--dtype", options.dtype);
  words.Give("--device", options.device);
  words.Give("--threads", options.threads);
  words.Give("--batch", options.batch);
  words.Flag("--all-tokens", options.all_tokens);
  words.Flag("--raw", options.raw);
  words.Flag("--truncate", options.truncate);
  words.Give(options.inputs);
  BecomeWorker(words.all());
}

void DeclareInputs(Args& args, Inputs& inputs, const char* word,
                   const char* help) {
  args.Rest(word, inputs.given, false, help);
  args.Option("--list", inputs.list, "FILE",
              "Take them from a file, one a line; -: from stdin");
}

void DeclareEncode(Args& args, Options& options) {
  args.Option("--weights", options.weights, "WEIGHTS",
              "nano-clip, a name of tailmark weights list, or a path");
  args.Option("--out", options.out, "FILE.npy", "Where the rows go: [N, D]");
  args.Option("--dtype", options.dtype, "TYPE",
              "float32, float16 or bfloat16, of weights and computation; of "
              "the file too, but float32 for bfloat16 (default: float32)");
  args.Option("--device", options.device, "DEVICE",
              "cpu, cuda or cuda:N (default: cpu)");
  args.Option("--threads", options.threads, "N", "Default: 1");
  args.Option("--batch", options.batch, "N", "At a time (default: 32)");
  args.Flag("--all-tokens", options.all_tokens,
            "The projection of every token: [N, T, D]");
  args.Flag("--raw", options.raw, "Leave the norm as it is; else it is 1");
}

Verb EncodeImagesVerb(const GlobalOptions& global) {
  auto options = std::make_shared<Options>();
  return {
      .name = "images",
      .summary = "Features of JPEG and PNG files",
      .example =
          "tailmark encode images --weights nano-clip --pipeline "
          "clip-48 a.jpg b.png --out x.npy",
      .declare =
          [options](Args& args) {
            DeclareInputs(args, options->inputs, "FILES", "JPEG or PNG files");
            DeclareEncode(args, *options);
            args.Option("--pipeline", options->pipeline, "NAME",
                        "Default: the crop to the size that the weights "
                        "were trained with");
          },
      .run = [options, &global] { return Encode("images", *options, global); }};
}

Verb EncodeTextsVerb(const GlobalOptions& global) {
  auto options = std::make_shared<Options>();
  return {
      .name = "text",
      .summary = "Features of texts",
      .example =
          "tailmark encode text --weights nano-clip 'a photo of a "
          "circle' --out x.npy",
      .declare =
          [options](Args& args) {
            DeclareInputs(args, options->inputs, "TEXTS", "The texts");
            DeclareEncode(args, *options);
            args.Flag("--truncate", options->truncate,
                      "Cut texts that are too long; else they are an "
                      "error");
          },
      .run = [options, &global] { return Encode("text", *options, global); }};
}

struct TokenizeOptions {
  Inputs inputs;
  std::string vocabulary;
  bool truncate = false;
  bool json = false;
};

int Tokenize(const TokenizeOptions& options, const GlobalOptions& global) {
  RequireOneKind(options.inputs, "texts");
  Words words(global);
  words.Say("tokenize");
  words.Give("--vocab", VocabularyPath(options.vocabulary).string());
  words.Flag("--truncate", options.truncate);
  words.Flag("--json", options.json);
  words.Give(options.inputs);
  BecomeWorker(words.all());
}

}  // namespace

Verb EncodeVerb(const GlobalOptions& global) {
  return {.name = "encode",
          .summary = "Features of pictures or texts, for other programs",
          .example =
              "tailmark encode images --weights nano-clip a.jpg --out "
              "x.npy",
          .declare = {},
          .run = {},
          .verbs = {EncodeImagesVerb(global), EncodeTextsVerb(global)}};
}

Verb TokenizeVerb(const GlobalOptions& global) {
  auto options = std::make_shared<TokenizeOptions>();
  return {.name = "tokenize",
          .summary = "The ids that a text encoder sees",
          .example =
              "tailmark tokenize --vocab bpe_simple_vocab_16e6.txt.gz "
              "--json 'a photo of a cat'",
          .declare =
              [options](Args& args) {
                DeclareInputs(args, options->inputs, "STRINGS", "The texts");
                args.Option("--vocab", options->vocabulary, "V",
                            "CLIP's vocabulary (a file, or a folder with "
                            "vocab.json and merges.txt) or weights with one "
                            "(default: what tailmark weights fetch vocabulary "
                            "got)");
                args.Flag(
                    "--truncate", options->truncate,
                    "Cut texts that are too long; else they are an error");
                args.Flag("--json", options->json,
                          "Print JSON: an array of arrays of ids");
              },
          .run = [options, &global] { return Tokenize(*options, global); }};
}

}  // namespace tailmark
