// Any text has ids of the vocabulary, or is a DataError; and any bytes are a
// vocabulary, a merge list, a configuration, or a DataError.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "methods/clip/bpe_tokenizer.h"
#include "methods/clip/config.h"
#include "methods/clip/text_unicode.h"
#include "tests/fuzz/scratch_file.h"

namespace {

using namespace tailmark;  // NOLINT(google-build-using-namespace)
using Path = std::filesystem::path;

void Write(const Path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// Bytes in the order of their ids, each inside and at the end of a word, two
/// merges, start and end: what CLIP's vocabulary has, and no more.
std::vector<std::string> SmallVocabulary() {
  std::vector<std::string> words;
  for (const bool shown : {true, false}) {
    char32_t spare = 0x100;
    for (char32_t b = 0; b < 256; ++b) {
      const bool is_shown = (b >= '!' && b <= '~') || (b >= 0xA1 && b != 0xAD);
      if (is_shown != shown) continue;
      const char32_t c = shown ? b : spare++;
      words.push_back(ToUtf8({&c, 1}));
    }
  }
  for (std::size_t i = 0; i < 256; ++i) words.push_back(words[i] + "</w>");
  for (const char* word : {"ab", "ab</w>", "<|startoftext|>", "<|endoftext|>"})
    words.emplace_back(word);
  return words;
}

struct Tokenizers {
  Path folder = ScratchFor("tokenizer_fuzz");
  std::unique_ptr<BpeTokenizer> openai;
  std::unique_ptr<BpeTokenizer> huggingface;

  Tokenizers() {
    WriteVocabulary(folder / "vocab.json", SmallVocabulary());
    Write(folder / "merges.txt", "#version: 0.2\na b\na b</w>\n");
    openai = BpeTokenizer::FromHuggingFace(folder);
    huggingface =
        BpeTokenizer::FromHuggingFace(folder, TextCleaning::kHuggingFace);
  }
};

template <class Use>
void Try(Use use) {
  try {
    use();
  } catch (const DataError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const Tokenizers kGood;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto* tokenizer : {kGood.openai.get(), kGood.huggingface.get()}) {
    Try([&] {
      for (const std::int64_t id : tokenizer->Encode(bytes)) {
        if (id < 0 || id >= tokenizer->size()) std::abort();
      }
      if (tokenizer->Row(bytes, 9, true).size() != 9) std::abort();
    });
  }
  Try([&] { (void)ParseClipConfig(ParseJson(bytes, "input"), "input"); });
  const Path file = kGood.folder / "input";
  Write(file, bytes);
  Try([&] { (void)ReadVocabulary(file); });
  Try([&] { (void)BpeTokenizer::FromOpenAi(file); });
  const Path own = kGood.folder / "own";
  std::filesystem::create_directories(own);
  std::filesystem::copy_file(kGood.folder / "vocab.json", own / "vocab.json",
                             std::filesystem::copy_options::skip_existing);
  Write(own / "merges.txt", bytes);
  Try([&] { (void)BpeTokenizer::FromHuggingFace(own); });
  return 0;
}
