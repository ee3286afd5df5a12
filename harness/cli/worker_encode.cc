#include "harness/cli/worker_encode.h"

#include <algorithm>
#include <functional>
#include <iostream>
#include <iterator>
#include <optional>
#include <sstream>

#include "datasets/images/decode.h"
#include "datasets/images/pipeline.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/interrupt.h"
#include "harness/base/json.h"
#include "harness/base/npy.h"
#include "harness/base/progress.h"
#include "harness/base/suggest.h"
#include "harness/run/numerics.h"
#include "methods/clip/bpe_tokenizer.h"
#include "methods/clip/clip_encoder.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> LinesOf(const std::string& list) {
  std::string text;
  if (list == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    text = ReadFile(list);
  }
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> InputsOf(const InputOptions& inputs,
                                  const char* what) {
  if (inputs.given.empty() == inputs.list.empty()) {
    throw ConfigError(StrCat("give either ", what, " or --list FILE"));
  }
  auto all = inputs.list.empty() ? inputs.given : LinesOf(inputs.list);
  if (all.empty()) throw ConfigError(StrCat(inputs.list, ": no line in it"));
  return all;
}

struct Precision {
  std::string name;
  at::ScalarType compute;
  DType file;
};

Precision PrecisionOf(const std::string& name) {
  const std::vector<Precision> all = {
      {"float32", at::kFloat, DType::kFloat32},
      {"float16", at::kHalf, DType::kFloat16},
      {"bfloat16", at::kBFloat16, DType::kFloat32}};
  std::vector<std::string> names;
  for (const Precision& each : all) {
    if (each.name == name) return each;
    names.push_back(each.name);
  }
  throw ConfigError(UnknownName("--dtype", name, names));
}

c10::Device DeviceByName(const std::string& name) {
  try {
    c10::Device device(name);
    if (device.is_cpu() || (device.is_cuda() && BestDeviceType() == "cuda")) {
      return device;
    }
  } catch (const c10::Error&) {
    throw ConfigError(
        UnknownName("--device", name, std::vector<std::string>{"cpu", "cuda"}));
  }
  throw ConfigError(StrCat("--device ", name, ": there is none"));
}

std::unique_ptr<ClipEncoder> Open(const EncodeOptions& options) {
  if (options.out.empty()) throw ConfigError("give --out FILE.npy");
  if (options.threads < 1 || options.batch < 1) {
    throw ConfigError("--threads and --batch are at least 1");
  }
  at::set_num_threads(options.threads);
  return ClipEncoder::Load(options.weights, DeviceByName(options.device),
                           PrecisionOf(options.dtype).compute);
}

/// The batches' features, one after the other, as they go into the file.
class Collected {
 public:
  explicit Collected(const EncodeOptions& options)
      : options_(options), precision_(PrecisionOf(options.dtype)) {}

  void Add(const at::Tensor& features) {
    // A norm in half precision would overflow.
    auto rows = features.to(at::kFloat);
    if (!options_.raw)
      rows = at::linalg_vector_norm(rows, 2, {-1}, true)
                 .clamp_min(1e-12)
                 .reciprocal() *
             rows;
    const auto type =
        precision_.file == DType::kFloat16 ? at::kHalf : at::kFloat;
    batches_.push_back(rows.to(at::kCPU).to(type));
  }

  void Write() const {
    const auto all = at::cat(batches_).contiguous();
    WriteNpy(options_.out, precision_.file, all.sizes().vec(),
             {static_cast<const std::byte*>(all.const_data_ptr()),
              static_cast<std::size_t>(all.nbytes())});
    std::cout << options_.out << "\n";
  }

 private:
  const EncodeOptions& options_;
  Precision precision_;
  std::vector<at::Tensor> batches_;
};

/// Calls `batch` with every [from, to) of `count` things.
void InBatches(const char* unit, std::size_t count, int size,
               const std::function<void(std::size_t, std::size_t)>& batch) {
  // What is done in one go needs no bar.
  std::optional<Progress> progress;
  if (count > static_cast<std::size_t>(size)) {
    progress.emplace("encode", static_cast<std::int64_t>(count), unit);
  }
  for (std::size_t from = 0; from < count;) {
    ThrowIfInterrupted();
    const std::size_t to =
        std::min(count, from + static_cast<std::size_t>(size));
    batch(from, to);
    from = to;
    if (progress) progress->Update(static_cast<std::int64_t>(to));
  }
  if (progress) progress->Finish();
}

/// Pixels [n, 3, S, S] of pictures, and what is wrong with those that are none.
at::Tensor LoadPictures(std::span<const std::string> paths,
                        const Pipeline& pipeline,
                        std::vector<std::string>& wrong) {
  const auto count = static_cast<std::int64_t>(paths.size());
  const std::int64_t side = pipeline.size;
  auto pixels = at::empty({count, 3, side, side}, at::kFloat);
  float* const to = pixels.mutable_data_ptr<float>();
  std::vector<std::string> errors(paths.size());
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto at = static_cast<std::size_t>(i);
      try {
        Normalise(pipeline, Preprocess(pipeline, DecodeImageFile(paths[at])),
                  to + i * 3 * side * side);
      } catch (const DataError& error) {
        errors[at] = error.what();
      }
    }
  });
  for (std::string& each : errors) {
    if (!each.empty()) wrong.push_back(std::move(each));
  }
  return pixels;
}

std::unique_ptr<Tokenizer> OpenTokenizer(const std::string& path,
                                         std::int64_t& length) {
  const fs::path config = fs::path(path) / "config.json";
  if (!fs::is_regular_file(config)) return BpeTokenizer::Open(path);
  const ClipConfig clip = ParseClipConfig(ReadJson(config), config.string());
  length = clip.context_length;
  auto tokenizer = LoadTokenizer(path, clip);
  if (tokenizer == nullptr) {
    throw DataError(StrCat(path,
                           ": holds no vocabulary: expected vocab.json "
                           "and merges.txt, or "
                           "bpe_simple_vocab_16e6.txt.gz"));
  }
  return tokenizer;
}

}  // namespace

bool EncodeImagesTo(const EncodeOptions& options) {
  const auto paths = InputsOf(options.inputs, "pictures");
  const c10::InferenceMode frozen;
  const auto encoder = Open(options);
  const Pipeline pipeline = PipelineByName(
      options.pipeline.empty() ? StrCat("clip-", encoder->image_size())
                               : options.pipeline);
  Collected features(options);
  std::vector<std::string> wrong;
  InBatches("images", paths.size(), options.batch,
            [&](std::size_t from, std::size_t to) {
              const auto pixels = LoadPictures(
                  std::span(paths).subspan(from, to - from), pipeline, wrong);
              if (!wrong.empty()) return;
              const auto there = pixels.to(encoder->device());
              features.Add(options.all_tokens
                               ? encoder->EncodeImageTokens(there)
                               : encoder->EncodeImages(there));
            });
  for (const std::string& each : wrong) std::cerr << each << "\n";
  if (wrong.empty()) features.Write();
  return wrong.empty();
}

void EncodeTextsTo(const EncodeOptions& options) {
  const auto texts = InputsOf(options.inputs, "texts");
  const c10::InferenceMode frozen;
  const auto encoder = Open(options);
  Collected features(options);
  InBatches("texts", texts.size(), options.batch,
            [&](std::size_t from, std::size_t to) {
              const auto ids = encoder->Tokenize(
                  std::span(texts).subspan(from, to - from), options.truncate);
              features.Add(options.all_tokens ? encoder->EncodeTextTokens(ids)
                                              : encoder->EncodeText(ids));
            });
  features.Write();
}

void PrintTokens(const TokenizeOptions& options) {
  const auto texts = InputsOf(options.inputs, "texts");
  std::int64_t length = 77;
  const auto tokenizer = OpenTokenizer(options.vocabulary, length);
  Json rows = Json::array();
  for (const std::string& text : texts) {
    rows.push_back(tokenizer->Row(text, length, options.truncate));
  }
  if (options.json) {
    std::cout << rows.dump() << "\n";
    return;
  }
  for (const Json& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::cout << (i == 0 ? "" : " ") << row[i].get<std::int64_t>();
    }
    std::cout << "\n";
  }
}

}  // namespace tailmark
