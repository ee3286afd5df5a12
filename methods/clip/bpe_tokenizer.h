#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "methods/clip/tokenizer.h"

namespace tailmark {

/// How a text is cleaned before it is cut into words.
enum class TextCleaning : std::uint8_t {
  /// As CLIP was trained: RepairText, HTML unescaped twice, blanks collapsed,
  /// lower-cased.
  kOpenAi,
  /// As transformers does: no repair and no HTML, only NFC, blanks and case.
  /// What differs still: there, "<|endoftext|>" in a text is looked for before
  /// case is dropped, and 's is not found with a long s.
  kHuggingFace,
};

/// CLIP's byte-pair encoding (Radford et al. 2021): text is cleaned, cut into
/// words by CLIP's expression, each word's bytes merged in the order of the
/// merge list. Row() pads with 0.
class BpeTokenizer final : public Tokenizer {
 public:
  /// OpenAI's list of merges, bpe_simple_vocab_16e6.txt, also gzipped: 49,408
  /// ids. Throws DataError.
  static std::unique_ptr<BpeTokenizer> FromOpenAi(
      const std::filesystem::path& path,
      TextCleaning cleaning = TextCleaning::kOpenAi);
  /// vocab.json and merges.txt of a HuggingFace folder. Throws DataError.
  static std::unique_ptr<BpeTokenizer> FromHuggingFace(
      const std::filesystem::path& folder,
      TextCleaning cleaning = TextCleaning::kOpenAi);
  /// Either, by what `path` is: a file, or a folder that holds one of both.
  /// Throws DataError.
  static std::unique_ptr<BpeTokenizer> Open(
      const std::filesystem::path& path,
      TextCleaning cleaning = TextCleaning::kOpenAi);
  /// Whether the folder holds a vocabulary of either kind.
  static bool IsIn(const std::filesystem::path& folder);

  ~BpeTokenizer() override;

  /// Throws DataError when `text` is not UTF-8.
  std::vector<std::int64_t> Encode(std::string_view text) const override;
  std::int64_t size() const override { return size_; }
  std::int64_t start() const override { return start_; }
  std::int64_t end() const override { return end_; }
  std::int64_t pad() const override { return 0; }

 private:
  struct Merge {
    std::int32_t rank;
    std::int32_t result;
  };
  struct Pattern;
  struct Source;

  BpeTokenizer(const Source& source, TextCleaning cleaning);
  std::string Cleaned(std::string_view text) const;
  void AddWord(std::string_view word, std::vector<std::int64_t>& out) const;
  void AddAscii(std::string_view text, std::vector<std::int64_t>& out) const;
  void AddUnicode(std::string_view text, std::vector<std::int64_t>& out) const;

  TextCleaning cleaning_;
  std::int64_t size_ = 0;
  std::int64_t start_ = 0;
  std::int64_t end_ = 0;
  std::array<std::int32_t, 256> inside_{};  // id of a byte within a word
  std::array<std::int32_t, 256> last_{};    // and at its end
  std::unordered_map<std::uint64_t, Merge> merges_;
  std::unique_ptr<Pattern> pattern_;
};

}  // namespace tailmark
